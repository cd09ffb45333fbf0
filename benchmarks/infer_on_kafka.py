"""`tieline worker infer` on a real Kafka of its own, for benchmarks that watch it for long."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from kafka.admin import ConfigResource, ConfigResourceType

from benchmarks.live_items import Due, quick_policy
from deploy.composition.drain import INFER_GROUP, barriers, committed
from deploy.embedded.child import Child, ChildSpec
from deploy.embedded.logs import BoundedLog
from deploy.kafka.broker import KafkaBroker
from schemas import topics
from schemas.topics import PARTITIONS, TOPICS
from streams.apps.topic_admin import admin, create_topics
from streams.transport.partitioner import partition_for
from streams.transport.producer import BatchProducer, Pair

MIB = 1024 * 1024
_SEGMENTS = {"segment.bytes": str(16 * MIB)}
_KEPT = {"retention.bytes": str(64 * MIB)}
"""An hour of such a load is tens of gigabytes of rows that nobody reads here: Kafka may forget the oldest."""


@dataclass(frozen=True)
class Kafka:
    """A broker of our own with its folder, and how `infer` is run on it."""

    address: str
    folder: Path
    policy: Path

    @asynccontextmanager
    async def infer(self, ready_timeout_s: float = 120.0) -> AsyncIterator[Child]:
        """`tieline worker infer`, from when it has its partitions."""
        ready = self.folder / "ready"
        options = ("--broker", self.address, "--policy", str(self.policy), "--ready-file", str(ready))
        log = BoundedLog(self.folder / "infer.log")
        child = await Child.start(
            ChildSpec("infer", (sys.executable, "-m", "deploy.cli", "worker", "infer", *options), {}), log
        )
        try:
            async with asyncio.timeout(ready_timeout_s):
                while not ready.exists():
                    if not child.running:
                        raise RuntimeError(f"infer ended:\n{log.tail(30)}")
                    await asyncio.sleep(0.05)
            yield child
        finally:
            await child.stop()

    async def caught_up(self, producer: BatchProducer, timeout_s: float = 3600.0) -> None:
        """Until `infer` has committed everything that is on the topic of events."""
        ends = await barriers(producer, [topics.EVENTS])
        async with asyncio.timeout(timeout_s):
            while True:
                reached = await asyncio.to_thread(committed, self.address, INFER_GROUP)
                if all(reached.get(place, 0) >= end for place, end in ends.items()):
                    return
                await asyncio.sleep(1.0)


@asynccontextmanager
async def kafka(policy: Path | None = None) -> AsyncIterator[Kafka]:
    """An Apache Kafka with our topics in a folder of its own. None: the policy with short horizons."""
    with TemporaryDirectory(prefix="tieline-bench-") as name:
        folder = Path(name)
        broker = KafkaBroker(folder / "kafka")
        try:
            await asyncio.to_thread(broker.start)
            await asyncio.to_thread(create_topics, broker.address)
            await asyncio.to_thread(_forget_soon, broker.address)
            yield Kafka(broker.address, folder, policy or quick_policy(folder / "policy.yaml"))
        finally:
            await asyncio.to_thread(broker.stop)


def _forget_soon(broker: str) -> None:
    settings = [(topic, _SEGMENTS | ({} if topic.compacted else _KEPT)) for topic in TOPICS]
    with admin(broker) as client:
        client.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic.name, kept) for topic, kept in settings])


async def produce(producer: BatchProducer, due: Iterable[Due], topic: str = topics.EVENTS) -> None:
    """Write records to the partitions of their keys; returns once all are acknowledged."""
    by_partition: dict[int, list[Pair]] = {}
    for key, value in due:
        by_partition.setdefault(partition_for(key, PARTITIONS), []).append((key, value))
    await asyncio.gather(*(producer.produce(topic, number, pairs) for number, pairs in by_partition.items()))
