"""What a worker that lost its partitions may not do, and what a state that it wrote all the same may not take away."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from schemas import topics
from schemas.errors import TransientError
from schemas.events import Event
from schemas.topics import event_key
from streams.apps.infer.app import GROUP, Infer
from streams.apps.infer.partition import Partition
from streams.apps.intake import partition_of
from streams.apps.state import decode_state
from streams.apps.until_done import until_done
from streams.transport.app import BatchApp, batch_app
from streams.transport.batch import PartitionBatch, Record, TopicPartition
from tests.builders import LONG_AFTER, T0, act, assigned, at, event, offered, worked
from tests.unit.inference.outcomes import HOUR_FOR_ALL

Pairs = Sequence[tuple[bytes | None, bytes | None]]
MONTH_AFTER = LONG_AFTER + timedelta(days=30)


class Log:
    """A producer that keeps what it is given; `meanwhile` runs before."""

    def __init__(self) -> None:
        self.written: list[tuple[str, int, list[Any]]] = []
        self.meanwhile: Callable[[str, int], Awaitable[None]] | None = None

    async def produce(self, topic: str, partition: int, records: Pairs, **_: object) -> int:
        if self.meanwhile:
            await self.meanwhile(topic, partition)
        self.written.append((topic, partition, list(records)))
        return len(self.written)

    def topics(self) -> set[str]:
        return {topic for topic, _, _ in self.written}


class Worker:
    """`infer` with one partition and one event in it, on a clock of the test's own."""

    def __init__(self, said: Event) -> None:
        self.now_s, self.log = 0.0, Log()
        self.app: BatchApp = batch_app(GROUP, "localhost:9")
        self.app.membership._clock_s = lambda: self.now_s
        self.app.membership.confirmed(0.0)
        self.infer = Infer(self.app, "localhost:9", HOUR_FOR_ALL, clock=lambda: LONG_AFTER)
        self.infer.producer = self.log  # type: ignore[assignment] # does what is asked of it
        self.app.commit_safe = self._nothing  # type: ignore[method-assign]
        tp = TopicPartition(topics.EVENTS, partition_of(event_key(said)))
        self.app.offsets.assign([tp])
        self.app.offsets.start_at(tp, 0)
        self.partition = self.infer.partitions[tp.partition] = Partition(tp.partition, HOUR_FOR_ALL)
        self.partition.start()
        record = Record(event_key(said), said.canonical(), 0, int(LONG_AFTER.timestamp() * 1000), (), tp.partition)
        self.batch = PartitionBatch(*tp, (record,), 1, self.app.offsets.assignment_of(tp) or 0)
        self.app.offsets.delivered(self.batch)

    async def _nothing(self) -> None:
        return


async def test_a_worker_that_froze_in_a_checkpoint_writes_no_state_until_it_is_fresh_again() -> None:
    worker = Worker(offered(0))
    await worker.infer.handle(worker.batch)

    async def freezes(topic: str, _partition: int) -> None:
        if topic != topics.STATE:
            worker.now_s = 60.0

    worker.log.meanwhile = freezes
    await worker.infer._checkpoint()
    assert worker.log.written
    assert topics.STATE not in worker.log.topics()
    assert worker.partition.has_unsaved()
    worker.app.membership.confirmed(worker.now_s)
    await worker.infer._checkpoint()
    assert topics.STATE in worker.log.topics()


async def test_a_worker_that_is_cut_off_while_it_tries_again_writes_no_state() -> None:
    worker = Worker(offered(0))
    await worker.infer.handle(worker.batch)

    async def away(topic: str, _partition: int) -> None:
        if topic == topics.STATE and not worker.now_s:
            worker.now_s = 60.0
            raise TransientError("away", retry_after_s=0.01)

    worker.log.meanwhile = away
    await worker.infer._checkpoint()
    assert topics.STATE not in worker.log.topics()


async def test_no_older_state_is_written_after_a_newer_one() -> None:
    worker = Worker(offered(0))
    failed, slow = asyncio.Event(), asyncio.Event()

    async def one_fails_one_is_slow(_topic: str, partition: int) -> None:
        if partition == 0 and not failed.is_set():
            failed.set()
            raise TransientError("no leader", retry_after_s=0.01)
        if partition == 1 and not slow.is_set():
            await slow.wait()

    worker.log.meanwhile = one_fails_one_is_slow
    asyncio.get_running_loop().call_later(0.05, slow.set)
    older, newer = {0: [(b"a", b"1")], 1: [(b"k", b"old")]}, {1: [(b"k", b"new")]}
    await until_done(lambda: worker.infer._keep_states(older), worker.infer.values)
    await worker.infer._keep_states(newer)
    await asyncio.sleep(0.01)
    assert [records for _, partition, records in worker.log.written if partition == 1][-1] == newer[1]


def state(*events: Event, as_of: datetime) -> bytes:
    partition = Partition(0, HOUR_FOR_ALL)
    for one in events:
        partition.fold(one, T0)
    list(partition.take_changes(as_of))
    ((_, value),) = partition.take_states(as_of)
    return value


def restored(*values: bytes) -> Partition:
    partition = Partition(0, HOUR_FOR_ALL)
    for value in values:
        partition.restore(decode_state(value))
    partition.start()
    return partition


def test_a_union_is_written_again_before_compaction_takes_the_fuller_state() -> None:
    fuller = state(offered(0), act("accepted", 5, "ward"), as_of=at(6))
    partition = restored(fuller, state(offered(0), as_of=at(4)))
    list(partition.take_changes(at(7)))
    ((_, value),) = partition.take_states(at(7))
    assert decode_state(value).events == 2


def test_states_in_their_order_are_not_written_again() -> None:
    fuller = state(offered(0), act("accepted", 5, "ward"), as_of=at(6))
    assert not restored(state(offered(0), as_of=at(4)), fuller).has_unsaved()


def test_a_late_older_state_does_not_take_the_deadline() -> None:
    fuller = state(assigned(0, "a"), offered(5), as_of=at(6))
    assert decode_state(fuller).next_deadline_at is not None
    partition = restored(fuller, state(assigned(0, "a"), as_of=at(4)))
    partition.tick(LONG_AFTER)
    assert partition.unsaid()


def test_a_late_older_state_does_not_evict_an_open_item() -> None:
    closed = [assigned(0, "a"), assigned(10, "b"), worked(20, "b"), event("work_item.closed", 30)]
    older = state(*closed, as_of=LONG_AFTER)
    partition = restored(state(*closed, event("work_item.reopened", 40), as_of=LONG_AFTER), older)
    for _ in range(2):
        partition.tick(MONTH_AFTER)
        list(partition.take_changes(MONTH_AFTER))
    partition.take_states(MONTH_AFTER)
    partition.states_kept()
    assert not len(partition.stubs)
