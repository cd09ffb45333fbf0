"""The speaker: says each thing once, remembers what the store may not have yet, waits for a store that is away."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, cast

import pytest

from schemas import topics
from schemas.signal import Finding, Signal, SignalKind
from streams.apps.signals.app import PLACE, Signals
from streams.apps.signals.saying import newest
from streams.apps.signals.settings import Kinds, Waiting
from streams.telemetry.values import Values
from streams.transport.app import BatchApp
from streams.transport.barrier import BARRIER_KEY
from streams.transport.batch import PartitionBatch, Record, TopicPartition
from streams.transport.offsets import Offsets
from streams.transport.producer import Pair
from tests.unit.signals.findings import NOW, at, doubtful, ended, overdue, said


class Store:
    """What is so, and what was written; `answers` is cleared while it is away."""

    def __init__(self) -> None:
        self.facts: list[Finding] = []
        self.rows: list[Signal] = []
        self.ends: dict[str, datetime | None] = {}
        self.answers = asyncio.Event()
        self.answers.set()
        self.asked: list[str] = []

    async def open(self) -> None: ...

    async def opened(self) -> list[Signal]:
        return [signal for signal in newest(self.rows).values() if signal.state == "opened"]

    async def said(self, signals: Sequence[Signal]) -> list[Signal]:
        wanted = {signal.signal for signal in signals}
        return [signal for name, signal in newest(self.rows).items() if name in wanted]

    async def findings(self, kind: SignalKind, now: datetime) -> list[Finding]:
        self.asked.append(kind)
        await self.answers.wait()
        return [finding for finding in self.facts if finding.kind == kind]

    async def endings(self, signals: Sequence[Signal], now: datetime) -> Mapping[str, datetime | None]:
        return {signal.signal: self.ends[signal.signal] for signal in signals if signal.signal in self.ends}


class Log:
    """A producer that remembers, and what reading it gives."""

    def __init__(self) -> None:
        self.records: list[Pair] = []

    async def start(self) -> None: ...

    async def produce(self, topic: str, partition: int, pairs: Sequence[Pair]) -> int:
        assert (topic, partition) == (topics.SIGNALS, 0)
        self.records += pairs
        return len(self.records) - 1

    @property
    def signals(self) -> list[Signal]:
        return [Signal.model_validate_json(value or b"") for key, value in self.records if key != BARRIER_KEY]


class Fresh:
    def is_fresh(self) -> bool:
        return True


class App:
    """What the speaker needs of a `BatchApp`."""

    def __init__(self) -> None:
        self.offsets, self.membership, self.committed = Offsets(), Fresh(), -1
        self.values = Values(())

    async def commit_safe(self) -> None:
        marks = self.offsets.uncommitted()
        self.offsets.acknowledged(marks)
        self.committed = max([self.committed, *(mark.next_offset for mark in marks.values())])


class World:
    """One log and one store; workers come and go."""

    def __init__(self, **kinds: Any) -> None:
        self.store, self.log, self.time_s, self.now = Store(), Log(), 0.0, NOW
        self.kinds = Kinds(**kinds)
        self.committed = 0

    async def worker(self) -> Signals:
        """A worker that has been given the partition, and has read the log from where it was committed."""
        app = App()
        made = Signals(
            cast(BatchApp, app), "127.0.0.1:1", self.store, self.kinds, None, lambda: self.now, lambda: self.time_s
        )
        made.producer = cast(Any, self.log)
        app.offsets.assign([PLACE])
        app.offsets.start_at(PLACE, self.committed)
        await made._on_assigned(frozenset([PLACE]))
        assert not made.speaks
        await self.read(made)
        assert made.speaks
        return made

    async def read(self, worker: Signals) -> None:
        offsets = worker.app.offsets
        start = offsets.delivered_up_to(PLACE)
        assert start is not None
        pairs = self.log.records[start:]
        if pairs:
            records = tuple(Record(key, value, start + n, 0, (), 0) for n, (key, value) in enumerate(pairs))
            assignment = offsets.assignment_of(PLACE)
            assert assignment is not None
            batch = PartitionBatch(topics.SIGNALS, 0, records, start + len(pairs), assignment)
            offsets.delivered(batch)
            await worker.handle(batch)

    async def turn(self, worker: Signals, seconds: float = 5.0) -> None:
        self.time_s += seconds
        await worker.turn()
        self.committed = max(self.committed, cast(App, worker.app).committed)

    def write(self) -> None:
        """The sink has caught up."""
        self.store.rows = [*self.log.signals]


async def test_a_finding_is_said_once_however_often_it_is_found() -> None:
    world = World()
    worker = await world.worker()
    world.store.facts = [overdue(), doubtful()]
    for seconds in (0, 5, 60, 3600):
        await world.turn(worker, seconds)
    assert [signal.kind for signal in world.log.signals] == ["handoff_overdue", "data_quality"]


async def test_a_speaker_that_is_killed_before_the_store_has_it_is_not_repeated_by_the_next_one() -> None:
    world = World()
    world.store.facts = [overdue()]
    await world.turn(await world.worker())
    assert world.store.rows == []
    await world.turn(await world.worker())
    world.write()
    await world.turn(await world.worker())
    assert len(world.log.signals) == 1


async def test_an_offset_is_committed_only_once_the_store_has_everything_before_it() -> None:
    world = World()
    worker = await world.worker()
    await world.turn(worker)
    before = world.committed
    world.store.facts = [overdue()]
    await world.turn(worker)
    await world.read(worker)
    await world.turn(worker)
    assert world.committed == before
    world.write()
    await world.turn(worker)
    assert world.committed == len(world.log.records)


async def test_an_end_is_said_once_and_after_it_the_same_again_is_the_same_signal() -> None:
    world = World()
    worker = await world.worker()
    world.store.facts = [overdue()]
    await world.turn(worker)
    (opened,) = world.log.signals
    world.store.facts, world.store.ends = [], {opened.signal: at(-1)}
    for _ in range(3):
        await world.turn(worker)
    world.write()
    world.store.facts, world.now = [overdue()], at(10)
    await world.turn(worker)
    states = [(signal.signal, signal.state, signal.closed_at) for signal in world.log.signals]
    assert states == [
        (opened.signal, "opened", None),
        (opened.signal, "closed", at(-1)),
        (opened.signal, "opened", None),
    ]
    assert world.log.signals[-1].opened_at == NOW


async def test_what_is_too_old_to_be_found_but_still_waits_stays_open() -> None:
    world = World()
    signal = said(overdue(), -60 * 24 * 30)
    world.store.rows, world.store.ends = [signal], {signal.signal: None}
    await world.turn(await world.worker())
    assert world.log.signals == []


async def test_what_ended_while_nobody_looked_is_said_to_have_ended_then() -> None:
    world = World()
    signal = said(overdue(), -60)
    world.store.rows, world.store.ends = [signal], {signal.signal: at(-30)}
    await world.turn(await world.worker())
    assert world.log.signals == [ended(signal, 0).model_copy(update={"closed_at": at(-30)})]


async def test_a_kind_that_is_switched_off_is_not_looked_at_and_what_was_open_of_it_ends() -> None:
    world = World(handoff_overdue=Waiting(enabled=False))
    world.store.facts, world.store.rows = [overdue("w2")], [said(overdue("w1"), -60)]
    await world.turn(await world.worker())
    assert [(signal.work_item, signal.state) for signal in world.log.signals] == [("w1", "closed")]
    assert "handoff_overdue" not in world.store.asked


async def test_only_the_chosen_processes_are_told_of() -> None:
    world = World(handoff_overdue=Waiting(processes=frozenset({"incident"})))
    world.store.facts = [overdue(), overdue("w2", process="incident")]
    await world.turn(await world.worker())
    assert [signal.work_item for signal in world.log.signals] == ["w2"]


async def test_an_urgent_handoff_is_marked() -> None:
    world = World(handoff_overdue=Waiting(urgent=frozenset({"emergent"})))
    world.store.facts = [overdue(), overdue("w2", urgency="emergent")]
    await world.turn(await world.worker())
    assert [signal.urgent for signal in world.log.signals] == [False, True]


async def test_each_kind_is_looked_at_as_often_as_its_settings_say() -> None:
    world = World()
    worker = await world.worker()
    for _ in range(13):
        await world.turn(worker, 5)
    assert world.store.asked.count("handoff_overdue") == 13
    assert world.store.asked.count("data_quality") == 2
    assert world.store.asked.count("tie_shifted") == 1


async def test_a_store_that_is_away_delays_and_loses_nothing() -> None:
    world = World()
    worker = await world.worker()
    world.store.facts = [overdue()]
    world.store.answers.clear()
    turn = asyncio.create_task(world.turn(worker))
    for _ in range(5):
        await asyncio.sleep(0)
    assert not turn.done()
    world.store.answers.set()
    await turn
    assert len(world.log.signals) == 1


async def test_what_was_being_looked_at_when_the_partition_went_is_not_said_from_what_was_known_then() -> None:
    world = World()
    worker = await world.worker()
    world.store.facts = [overdue()]
    world.store.answers.clear()
    worker._turn = asyncio.create_task(world.turn(worker))
    await asyncio.sleep(0)
    await worker._on_assigned(frozenset([PLACE]))
    await world.read(worker)
    world.store.answers.set()
    with pytest.raises(asyncio.CancelledError):
        await worker._turn
    assert world.log.signals == []
    await world.turn(worker)
    assert len(world.log.signals) == 1


async def test_a_worker_that_gave_up_its_partition_says_nothing_more() -> None:
    world = World()
    worker = await world.worker()
    world.store.facts = [overdue()]
    worker.app.offsets.revoke([PLACE])
    await world.turn(worker)
    assert world.log.signals == []


@pytest.mark.parametrize("value", [b"", b"{}", b'{"kind": "gossip"}', None])
async def test_what_is_no_signal_on_the_topic_is_passed_over(value: bytes | None) -> None:
    world = World()
    world.log.records.append((b"x", value))
    worker = await world.worker()
    world.log.records.clear()
    world.store.facts = [overdue()]
    await world.turn(worker)
    assert len(world.log.signals) == 1


def test_the_place_of_the_speaker_is_the_only_partition() -> None:
    assert TopicPartition(topics.SIGNALS, 0) == PLACE
    assert [topic.partitions for topic in topics.TOPICS if topic.name == topics.SIGNALS] == [1]
