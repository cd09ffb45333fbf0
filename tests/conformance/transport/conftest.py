"""Topics, groups and workers for the suite. Every test has its own topics and its own group."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from uuid import uuid4

import pytest
from aiokafka import TopicPartition as KafkaTopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from streams.transport.app import BatchApp, batch_app
from streams.transport.batch import PartitionBatch, Record, TopicPartition
from streams.transport.deliver import Handle
from streams.transport.producer import BatchProducer
from streams.transport.runner import run_app
from streams.transport.settings import TransportSettings
from tests.brokers import Broker


async def eventually(is_true: Callable[[], object], *, within_s: float = 30.0, what: str = "it") -> None:
    """Wait until the predicate holds, or fail."""
    deadline_s = time.monotonic() + within_s
    while not is_true():
        if time.monotonic() > deadline_s:
            pytest.fail(f"{what} did not happen within {within_s} s")
        await asyncio.sleep(0.02)


@dataclass
class Worker:
    """One member of a group in this event loop, and what it saw.

    Attributes:
        handled: batches whose handler call ended well.
        seen: batches whose handler call began.
        history: `assigned`, `revoked` and `handled`, in order.
    """

    app: BatchApp
    handled: list[PartitionBatch] = field(default_factory=list)
    seen: list[PartitionBatch] = field(default_factory=list)
    history: list[str] = field(default_factory=list)
    _stop: asyncio.Event = field(default_factory=asyncio.Event)
    _running: asyncio.Task[int] | None = None

    def feed(self, handle: Handle, *topics: str) -> None:
        """Handle these topics' batches with `handle`, noting what came."""

        async def noting(batch: PartitionBatch) -> None:
            self.seen.append(batch)
            await handle(batch)
            self.handled.append(batch)
            self.history.append("handled")

        self.app.feed(noting, *topics, name="suite")

    async def note_assigned(self, _tps: frozenset[TopicPartition]) -> None:
        self.history.append("assigned")

    async def note_revoked(self, _tps: frozenset[TopicPartition]) -> None:
        self.history.append("revoked")

    async def start(self) -> Worker:
        self._running = asyncio.create_task(run_app(self.app, stop=self._stop))
        return self

    async def exit_code(self) -> int:
        assert self._running is not None
        return await asyncio.wait_for(asyncio.shield(self._running), 30)

    async def stop(self) -> int:
        self._stop.set()
        return await self.exit_code()

    def holds(self) -> frozenset[TopicPartition]:
        return self.app.offsets.assigned()

    def records(self, tp: TopicPartition | None = None) -> list[Record]:
        return [record for batch in self.handled if tp in (None, batch.tp) for record in batch.records]


class Bench:
    """What one test needs of one broker."""

    def __init__(self, broker: Broker, producer: BatchProducer, admin: AIOKafkaAdminClient) -> None:
        self.broker = broker
        self.producer = producer
        self.admin = admin
        self.group = f"group-{uuid4().hex[:12]}"
        self.workers: list[Worker] = []

    def settings(self, **changes: float) -> TransportSettings:
        chosen: dict[str, float] = {"session_timeout_s": 2.0, "heartbeat_interval_s": 0.5}
        return TransportSettings(**(chosen | changes))  # type: ignore[arg-type] # ints among floats

    async def topic(self, partitions: int = 4, **configs: str) -> str:
        return await self.create(f"topic-{uuid4().hex[:12]}", partitions, **configs)

    async def create(self, name: str, partitions: int, **configs: str) -> str:
        await self.admin.create_topics([NewTopic(name, partitions, 1, topic_configs=configs)])
        return name

    async def fill(self, topic: str, partitions: int, records: int, *, first: int = 0) -> list[bytes]:
        """`records` values per partition, numbered; all of them."""
        written = []
        for partition in range(partitions):
            values = [f"{partition}:{number}".encode() for number in range(first, first + records)]
            await self.producer.produce(topic, partition, [(b"key", value) for value in values])
            written += values
        return written

    def worker(self, handle: Handle | None, *topics: str, **settings: float) -> Worker:
        """A worker, not started; without `handle` it marks and commits every batch."""
        worker = Worker(batch_app(self.group, self.broker.address, settings=self.settings(**settings)))
        worker.app.on_assigned(worker.note_assigned)
        worker.app.on_revoked(worker.note_revoked)

        async def mark_and_commit(batch: PartitionBatch) -> None:
            worker.app.offsets.mark_safe(batch)
            await worker.app.commit_safe()

        worker.feed(handle or mark_and_commit, *topics)
        self.workers.append(worker)
        return worker

    async def committed(self, topic: str, partitions: Iterable[int]) -> dict[int, int]:
        """What the broker has for our group; -1 for nothing."""
        wanted = [KafkaTopicPartition(topic, partition) for partition in partitions]
        answer = await self.admin.list_consumer_group_offsets(self.group, partitions=wanted)
        return {tp.partition: kept.offset for tp, kept in answer.items()}


@pytest.fixture
async def bench(broker: Broker) -> AsyncIterator[Bench]:
    async with AsyncExitStack() as stack:
        producer = await stack.enter_async_context(BatchProducer(broker.address))
        admin = AIOKafkaAdminClient(bootstrap_servers=broker.address)
        await admin.start()
        stack.push_async_callback(admin.close)
        bench = Bench(broker, producer, admin)
        yield bench
        for worker in bench.workers:
            if worker._running is not None:
                await worker.stop()
