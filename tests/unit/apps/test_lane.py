"""A lane marks a partition safe only when everything up to there is in the store."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import cast

import pytest

from schemas.topics import MEASURES
from streams.apps.meter import Meter
from streams.apps.sink.lane import Lane
from streams.apps.sink.store import Store
from streams.transport.batch import PartitionBatch, Record, TopicPartition
from streams.transport.offsets import Offsets

TP = TopicPartition("rows", 0)


class SlowStore:
    """Keeps the order of what it was given; a flush ends when it is allowed to."""

    def __init__(self) -> None:
        self.buffer: list[bytes] = []
        self.written: list[bytes] = []
        self.flushes = 0
        self.allowed = asyncio.Event()
        self.allowed.set()
        self.taking = asyncio.Event()
        self.taking.set()

    async def add(self, _table: str, rows: Sequence[bytes]) -> None:
        await self.taking.wait()
        self.buffer.extend(rows)

    async def flush(self) -> None:
        self.flushes += 1
        taken, self.buffer = self.buffer, []
        await self.allowed.wait()
        self.written.extend(taken)


def lane(store: SlowStore, offsets: Offsets, before: Lane | None = None, rows: int = 20_000, at_once: int = 1) -> Lane:
    return Lane(cast(Store, store), offsets, gather_s=0.0, rows=rows, at_once=at_once, before=before)


def held(*tps: TopicPartition) -> Offsets:
    offsets = Offsets()
    offsets.assign(tps)
    for tp in tps:
        offsets.start_at(tp, 0)
    return offsets


def batch(offsets: Offsets, offset: int, tp: TopicPartition = TP) -> PartitionBatch:
    """One delivered record at `offset`."""
    record = Record(b"k", b"{}", offset, 0, (), tp.partition)
    found = PartitionBatch(tp.topic, tp.partition, (record,), offset + 1, offsets.assignment_of(tp) or 0)
    offsets.delivered(found)
    return found


def safe(offsets: Offsets, tp: TopicPartition = TP) -> int:
    marks = offsets.uncommitted()
    return marks[tp].next_offset if tp in marks else 0


async def settle() -> None:
    """Let every task go on until it waits."""
    for _ in range(20):
        await asyncio.sleep(0)


async def test_nothing_is_safe_before_the_store_has_it() -> None:
    store, offsets = SlowStore(), held(TP)
    one = lane(store, offsets)
    store.allowed.clear()
    await one.add("handoffs", [b"1"], batch(offsets, 0))
    running = asyncio.create_task(one.run())
    await settle()
    assert store.flushes == 1
    assert safe(offsets) == 0
    store.allowed.set()
    await settle()
    assert safe(offsets) == 1
    running.cancel()


async def test_what_comes_during_a_flush_is_safe_only_after_the_next() -> None:
    store, offsets = SlowStore(), held(TP)
    one = lane(store, offsets)
    store.allowed.clear()
    await one.add("handoffs", [b"1"], batch(offsets, 0))
    flushing = asyncio.create_task(one.flush())
    await settle()
    await one.add("handoffs", [b"2"], batch(offsets, 1))
    store.allowed.set()
    await flushing
    assert (store.written, safe(offsets)) == ([b"1"], 1)
    await one.flush()
    assert (store.written, safe(offsets)) == ([b"1", b"2"], 2)


async def test_a_few_large_rows_wait_for_the_store_as_many_small_ones_do() -> None:
    store, offsets = SlowStore(), held(TP)
    one = Lane(cast(Store, store), offsets, gather_s=0.0, most_bytes=10)
    await one.add("handoffs", [b"12345", b"1234"], batch(offsets, 0))
    assert store.flushes == 0
    await one.add("handoffs", [b"12"], batch(offsets, 1))
    assert (store.written, one.waiting) == ([b"12345", b"1234"], 1)


async def test_rows_of_the_lane_before_are_never_overtaken() -> None:
    other = TopicPartition("states", 0)
    store, offsets = SlowStore(), held(TP, other)
    first = lane(store, offsets)
    second = lane(store, offsets, before=first)
    await first.add("handoffs", [b"row"], batch(offsets, 0))
    await second.add("work_items", [b"state"], batch(offsets, 0, other))
    await second.flush()
    assert store.written == [b"row", b"state"]
    assert safe(offsets) == 0, "its own flush marks it"
    await first.flush()
    assert safe(offsets) == 1


async def test_a_full_lane_makes_whoever_adds_wait_for_the_store() -> None:
    store, offsets = SlowStore(), held(TP)
    one = lane(store, offsets, rows=2)
    await one.add("handoffs", [b"1", b"2"], batch(offsets, 0))
    store.allowed.clear()
    adding = asyncio.create_task(one.add("handoffs", [b"3"], batch(offsets, 1)))
    await settle()
    assert not adding.done()
    store.allowed.set()
    await adding
    assert store.written == [b"1", b"2"]


async def test_a_flush_that_is_cancelled_while_it_hands_over_loses_nothing() -> None:
    store, offsets = SlowStore(), held(TP)
    one = lane(store, offsets)
    store.taking.clear()
    await one.add("handoffs", [b"1"], batch(offsets, 0))
    flushing = asyncio.create_task(one.flush())
    await settle()
    flushing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await flushing
    assert safe(offsets) == 0
    store.taking.set()
    await one.add("handoffs", [b"2"], batch(offsets, 1))
    await one.flush()
    assert (store.written, safe(offsets)) == ([b"1", b"2"], 2)


async def test_a_flush_on_demand_waits_for_those_under_way() -> None:
    store, offsets = SlowStore(), held(TP)
    one = lane(store, offsets, at_once=2)
    store.allowed.clear()
    await one.add("handoffs", [b"1"], batch(offsets, 0))
    running = asyncio.create_task(one.run())
    await settle()
    demanded = asyncio.create_task(one.flush())
    await settle()
    assert not demanded.done()
    store.allowed.set()
    await demanded
    assert safe(offsets) == 1
    running.cancel()


async def test_a_flush_is_measured_by_the_partition_that_is_furthest_behind() -> None:
    store, meter = SlowStore(), Meter("sink", lambda: datetime.fromtimestamp(60, UTC))
    other = TopicPartition("rows", 1)
    offsets = held(TP, other)
    one = Lane(cast(Store, store), offsets, gather_s=0.0, meter=meter)
    for tp, age_ms in ((TP, 50_000), (TP, 1_000), (other, 20_000)):
        (record,) = batch(offsets, 0, tp).records
        aged = PartitionBatch(tp.topic, tp.partition, (record._replace(timestamp_ms=60_000 - age_ms),), 1, 1)
        await one.add("t", [b"{}"], aged)
    await one.flush()
    measure = meter.take(1)
    assert (measure.batches, measure.lag_s) == (1, 20.0)


async def test_a_flush_of_measures_alone_is_not_measured() -> None:
    store, meter = SlowStore(), Meter("sink")
    tp = TopicPartition(MEASURES, 0)
    offsets = held(tp)
    one = Lane(cast(Store, store), offsets, gather_s=0.0, meter=meter)
    await one.add("measures", [b"{}"], batch(offsets, 0, tp))
    await one.flush()
    assert store.written
    assert meter.idle
    assert safe(offsets, tp) == 1
