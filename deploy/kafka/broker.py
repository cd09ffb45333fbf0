"""Starting, awaiting and stopping one KRaft broker."""

from __future__ import annotations

import ctypes
import signal
import socket
import struct
import subprocess
import sys
import time
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Self

from deploy.kafka.jars import classpath
from schemas.errors import TransientError

_HOST = "127.0.0.1"
_JVM = ["-Xms96m", "-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
_QUIET = "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"
_READY_TIMEOUT_S = 300.0
_STOP_TIMEOUT_S = 20.0
_PR_SET_PDEATHSIG = 1

_SETTINGS = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{host}:{controller_port}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://{host}:{port},CONTROLLER://{host}:{controller_port}
advertised.listeners=PLAINTEXT://{host}:{port}
log.dirs={logs}
auto.create.topics.enable=false
offsets.topic.num.partitions=4
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
"""


def free_port() -> int:
    """A port of loopback that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind((_HOST, 0))
        return int(probe.getsockname()[1])


def new_cluster_id() -> str:
    """What Kafka calls a cluster: 16 random bytes."""
    return urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")


class KafkaBroker:
    """One broker, its own controller, data in a folder of its own; the JVM ends when this process ends (Linux).

    Attributes:
        address: `host:port` for clients, on loopback.
        log_file: everything the broker says.
    """

    def __init__(self, data: Path, port: int | None = None) -> None:
        self.data = data
        self.port = port or free_port()
        self.address = f"{_HOST}:{self.port}"
        self.log_file = data / "broker.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """Process id of the JVM, None before `start`."""
        return None if self._process is None else self._process.pid

    def start(self) -> Self:
        """Format the storage if it is new, start the broker and wait until it answers.

        Raises: ConfigError: Java or the jars are missing. TransientError: it ended, or was not ready in five minutes.
        """
        self.format()
        self.launch()
        self.wait_until_ready()
        return self

    def format(self) -> None:
        """Write the settings, and make the storage if it is new. Raises: as `start`."""
        self.data.mkdir(parents=True, exist_ok=True)
        settings = self._write_settings()
        if (self.data / "logs" / "meta.properties").exists():
            return
        # One word: an id may begin with a dash.
        words = ["format", f"--cluster-id={self._cluster_id()}", "-c", str(settings), *self._accounts()]
        with self.log_file.open("ab") as log:
            tool = [*_java(), "kafka.tools.StorageTool", *words]
            if subprocess.run(tool, stdout=log, stderr=log, check=False).returncode:
                raise TransientError(f"Kafka could not format its storage, see {self.log_file}")

    def launch(self) -> None:
        """Start it and do not wait: nodes of a cluster wait for each other.

        On Linux it ends with the thread that calls this: call it from one that lasts.
        """
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(
                [*_java(), "kafka.Kafka", str(self.data / "server.properties")],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=end_with_parent(),
            )

    def _write_settings(self) -> Path:
        settings = self.data / "server.properties"
        values = {"host": _HOST, "port": self.port, "controller_port": free_port(), "logs": self.data / "logs"}
        settings.write_text(_SETTINGS.format(**values))
        return settings

    def _cluster_id(self) -> str:
        return new_cluster_id()

    def _accounts(self) -> list[str]:
        """Options of the storage tool that make users: none, for whoever is on this machine may do everything."""
        return []

    def wait_until_ready(self) -> None:
        """Return once it answers. Raises: TransientError: it ended, or was not ready in five minutes."""
        deadline_s = time.monotonic() + _READY_TIMEOUT_S
        while time.monotonic() < deadline_s:
            if self._process is None or self._process.poll() is not None:
                raise TransientError(f"Kafka ended while starting, see {self.log_file}")
            if answers(self.port):
                return
            time.sleep(0.1)
        self.stop()
        raise TransientError(f"Kafka was not ready after {_READY_TIMEOUT_S:.0f} s, see {self.log_file}")

    def wait(self) -> int:
        """Block until the broker ends; its exit code."""
        return 0 if self._process is None else self._process.wait()

    def kill(self) -> None:
        """kill -9, and the process is gone; the data stay."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def stop(self) -> None:
        """End the broker and wait for it; the data stay."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _java() -> list[str]:
    return ["java", *_JVM, _QUIET, "-cp", classpath()]


def answers(port: int) -> bool:
    """Whether a Kafka-protocol broker on this loopback port answers an ApiVersions request."""
    try:
        with socket.create_connection((_HOST, port), timeout=1.0) as connection:
            connection.sendall(struct.pack(">ihhih", 10, 18, 0, 1, -1))
            return len(connection.recv(4)) == 4
    except OSError:
        return False


def end_with_parent() -> Callable[[], None] | None:
    """What a child runs before it becomes the broker, so that a killed parent leaves nothing behind; Linux only."""
    if not sys.platform.startswith("linux"):
        return None
    libc = ctypes.CDLL(None)
    return lambda: libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
