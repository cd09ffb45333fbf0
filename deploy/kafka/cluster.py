"""Three brokers on loopback that are each other's replicas: what a broker that dies is tried on."""

from __future__ import annotations

import random
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Self

from deploy.kafka.broker import KafkaBroker, new_cluster_id
from schemas.errors import TransientError

NODES = 3
MIN_IN_SYNC = 2
_HOST = "127.0.0.1"
_LASTING_PORTS = range(20_000, 32_000)
"""Below those that Linux gives to outgoing connections: nobody takes one while its broker is dead."""

_SETTINGS = """\
process.roles=broker,controller
node.id={node}
controller.quorum.voters={voters}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://{host}:{port},CONTROLLER://{host}:{controller_port}
advertised.listeners=PLAINTEXT://{host}:{port}
log.dirs={logs}
auto.create.topics.enable=false
default.replication.factor={nodes}
min.insync.replicas={min_in_sync}
offsets.topic.num.partitions=4
offsets.topic.replication.factor={nodes}
transaction.state.log.num.partitions=4
transaction.state.log.replication.factor={nodes}
transaction.state.log.min.isr={min_in_sync}
share.coordinator.state.topic.replication.factor={nodes}
share.coordinator.state.topic.min.isr={min_in_sync}
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
broker.session.timeout.ms={session_ms}
broker.heartbeat.interval.ms={heartbeat_ms}
"""


class ClusterNode(KafkaBroker):
    """One of the cluster's brokers, a controller as well.

    Attributes:
        number: its node id, from 1.
        controller_port: the same in all of its lives, because the others know it.
    """

    def __init__(self, data: Path, number: int, cluster: KafkaCluster) -> None:
        super().__init__(data, lasting_port())
        self.number, self.cluster, self.controller_port = number, cluster, lasting_port()

    def _cluster_id(self) -> str:
        return self.cluster.id

    def _write_settings(self) -> Path:
        settings = self.data / "server.properties"
        values = {"host": _HOST, "port": self.port, "controller_port": self.controller_port, "node": self.number}
        values |= {"logs": self.data / "logs", "voters": self.cluster.voters}
        values |= {"nodes": NODES, "min_in_sync": MIN_IN_SYNC}
        values |= {"session_ms": self.cluster.session_ms, "heartbeat_ms": self.cluster.session_ms // 6}
        settings.write_text(_SETTINGS.format(**values))
        return settings


class KafkaCluster:
    """Brokers in one folder; what is written with acks=all survives any one of them.

    Args:
        session_ms: a broker not heard of for so long is taken for dead, and others lead its partitions. Kafka's own
            default is 9 s.

    Attributes:
        address: of all brokers, with commas between.
    """

    def __init__(self, data: Path, session_ms: int = 3_000) -> None:
        self.id, self.session_ms = new_cluster_id(), session_ms
        self.nodes = [ClusterNode(data / f"node-{number}", number, self) for number in range(1, NODES + 1)]
        self.address = ",".join(node.address for node in self.nodes)

    @property
    def voters(self) -> str:
        """All controllers, as Kafka's setting says it."""
        return ",".join(f"{node.number}@{_HOST}:{node.controller_port}" for node in self.nodes)

    def start(self) -> Self:
        """Start all brokers and wait until each answers. Raises: as `KafkaBroker.start`; none is left running then."""
        try:
            with ThreadPoolExecutor(NODES) as threads:
                list(threads.map(ClusterNode.format, self.nodes))
            for node in self.nodes:
                node.launch()
            for node in self.nodes:
                node.wait_until_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """End all brokers: without mercy, for the last of them would wait for the others to come back."""
        for node in self.nodes:
            node.kill()


def lasting_port() -> int:
    """A port of loopback that is free, and not one that the kernel may give away while nobody listens on it.

    Raises: TransientError: all that were tried are taken.
    """
    for port in random.sample(_LASTING_PORTS, 100):
        with socket.socket() as probe:
            try:
                probe.bind((_HOST, port))
            except OSError:
                continue
            return port
    raise TransientError("no free port of loopback found")
