"""One fresh Kafka with everything on it that contenders read, and topics for what they write."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from kafka.admin import NewTopic

from benchmarks.answer import Answer, answer_of, last_said
from benchmarks.frameworks.contenders import CONTENDERS, INFER, PAIRS, READ, Contender
from benchmarks.frameworks.contract import ANSWER, Entry
from benchmarks.frameworks.pairs_job import pairs_of
from benchmarks.load import Load, Sent, expected_of
from deploy.composition.drain import end_offsets
from deploy.kafka.broker import KafkaBroker
from schemas import topics
from schemas.errors import TransientError
from schemas.events import Event
from schemas.rows import EvidenceRow, ExchangeRow, HandoffRow, ProblemRow, Row
from schemas.topics import PARTITIONS, event_key
from streams.apps.topic_admin import admin, create_topics
from streams.transport.barrier import read_to_barrier
from streams.transport.partitioner import partition_for
from streams.transport.producer import BatchProducer, Pair

COPIES = 4
_ROWS: dict[str, type[Row]] = {
    "handoffs": HandoffRow,
    "exchanges": ExchangeRow,
    "problems": ProblemRow,
    "evidence": EvidenceRow,
}
_LEADERS_TIMEOUT_S = 120.0
_SMALL, _SHORT = "bench.small", "bench.short"


@dataclass(frozen=True)
class Course:
    """What lies on one topic, and the right answer."""

    topic: str
    sent: list[Sent]

    def ends(self) -> dict[tuple[str, int], int]:
        """Where a group that has done all of it stands."""
        ends: dict[tuple[str, int], int] = {}
        for one in self.sent:
            ends[self.topic, one.partition] = ends.get((self.topic, one.partition), 0) + 1
        return ends


class Field:
    """What is run on, the same in every round.

    Attributes:
        courses: by job, and `short` for slow contenders of the small job.
    """

    def __init__(self, load: Load, jobs: Collection[str], copies: int = COPIES) -> None:
        self._jobs, self.courses = jobs, dict[str, Course]()
        if INFER in jobs:
            self.courses[INFER] = self.courses[READ] = Course(topics.EVENTS, load.sent)
            self._expected = expected_of(load)
        if PAIRS in jobs:
            self.courses[PAIRS] = Course(_SMALL, [*_renamed(load, copies)])
            self.courses["short"] = Course(_SHORT, [*_renamed(load, 1)])

    def course(self, contender: Contender, job: str) -> Course:
        """What a contender reads."""
        return self.courses["short" if contender.slow and job == PAIRS else job]

    @asynccontextmanager
    async def broker(self) -> AsyncIterator[str]:
        """A fresh Apache Kafka that holds it all; its address."""
        with TemporaryDirectory(prefix="tieline-bench-") as folder:
            broker = KafkaBroker(Path(folder) / "kafka")
            try:
                await asyncio.to_thread(broker.start)
                await asyncio.to_thread(create_topics, broker.address)
                names = [*dict.fromkeys(course.topic for course in self.courses.values()), *_written(self._jobs)]
                await asyncio.to_thread(_create, broker.address, names)
                await _led(broker.address, names)
                await self._fill(broker.address)
                yield broker.address
            finally:
                await asyncio.to_thread(broker.stop)

    async def _fill(self, broker: str) -> None:
        async with BatchProducer(broker) as producer:
            for course in {course.topic: course for course in self.courses.values()}.values():
                places: dict[int, list[Pair]] = {}
                for one in course.sent:
                    places.setdefault(one.partition, []).append((one.key, one.value))
                for number, pairs in places.items():
                    await producer.produce(course.topic, number, pairs)

    async def require_answer(self, entry: Entry, contender: Contender) -> None:
        """Raises: AssertionError: what a contender wrote is not the right answer."""
        if entry.job == READ:
            Answer(*json.loads((entry.folder / ANSWER).read_text())).require(self._expected)
        elif entry.job == INFER:
            names = {
                table: f"tieline.{table}" if contender.name == "tieline" else entry.topic(table) for table in _ROWS
            }
            rows = [
                _ROWS[table].model_validate_json(value)
                for table, topic in names.items()
                for value in await _values(entry.broker, topic)
            ]
            (await asyncio.to_thread(lambda: answer_of(last_said(rows)))).require(self._expected)
        else:
            found = {json.dumps(json.loads(value)) for value in await _values(entry.broker, entry.topic(PAIRS))}
            right = pairs_of((one.key, one.value) for one in self.course(contender, PAIRS).sent)
            if found != {json.dumps(json.loads(value)) for value in right}:
                raise AssertionError(f"{contender.name}: {len(found)} pairs, expected {len(right)}")


async def _values(broker: str, topic: str) -> list[bytes]:
    async with BatchProducer(broker) as producer:
        records = read_to_barrier(topic, range(PARTITIONS), broker=broker, producer=producer)
        return [record.value async for record in records if record.value is not None]


def _written(jobs: Collection[str]) -> list[str]:
    tables = {INFER: tuple(_ROWS), PAIRS: (PAIRS, "states"), READ: ()}
    return [
        f"bench.{one.name}.{table}" for one in CONTENDERS for job in one.jobs if job in jobs for table in tables[job]
    ]


def _create(broker: str, names: Sequence[str]) -> None:
    wanted = [
        NewTopic(name=name, num_partitions=PARTITIONS, replication_factor=1) for name in names if name != topics.EVENTS
    ]
    with admin(broker) as client:
        client.create_topics(wanted)


async def _led(broker: str, names: Sequence[str]) -> None:
    """Return once every partition has a leader: a thousand new ones take a while. Raises: TimeoutError."""
    async with asyncio.timeout(_LEADERS_TIMEOUT_S):
        while True:
            try:
                await asyncio.to_thread(end_offsets, broker, names)
                return
            except TransientError:
                await asyncio.sleep(1.0)


def _renamed(load: Load, copies: int) -> Iterable[Sent]:
    """Copies of the load, each with work items of its own, one after another."""
    for number in range(copies):
        for event in load.events:
            yield _sent(event.model_copy(update={"subject": f"c{number}-{event.subject}"}))


def _sent(event: Event) -> Sent:
    key = event_key(event)
    return Sent(partition_for(key, PARTITIONS), key, event.canonical())
