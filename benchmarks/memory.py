"""What `infer` keeps in memory: over a long time of items that open and close, and for many that stay open.

A real Kafka and `tieline worker infer` on the real clock. The sink is left out: it reads other topics, and holds no
work items.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from dataclasses import replace
from statistics import median

import psutil

from benchmarks.infer_on_kafka import MIB, Kafka, kafka, produce
from benchmarks.live_items import HORIZON_S, LASTS_S, TICK_S, Due, items_begun, steadily
from benchmarks.open_items import many_open
from benchmarks.plan import Plan
from benchmarks.report import Figure, figure
from benchmarks.usage import usage
from deploy.composition.drain import INFER_GROUP, committed, end_offsets
from schemas import topics
from schemas.topics import PARTITIONS
from streams.apps.state import decode_state
from streams.transport.barrier import is_barrier, read_to_barrier
from streams.transport.producer import BatchProducer

RATE_PER_S = 2_000
SAMPLE_S = 10.0
WARM_UP_S = 300.0
"""Until as many items leave as come, and the allocator has what it keeps: fifteen times an item's stay in memory."""
FLAT_WITHIN = 1.10
"""A sample that is lower than others is no growth; it shows in highest ÷ lowest."""


async def memory(plan: Plan) -> list[Figure]:
    """infer's resident memory: --minutes of items that open and close, and --open items at once with a restart"""
    minutes, items = plan.memory_minutes, plan.open_items
    figures = list[Figure]()
    if minutes:
        figures += await over_time(plan, minutes)
    if items:
        figures += await many_open(plan, items)
    return figures


# Over time


async def over_time(plan: Plan, minutes: float) -> list[Figure]:
    """Resident memory every ten seconds under a steady load. The answer is checked: every item has been evicted, and
    no event was late or refused."""
    ticks = round(minutes * 60 / TICK_S)
    warm_up_s = min(WARM_UP_S, minutes * 20)
    samples, lags = list[tuple[float, float]](), list[int]()
    async with kafka() as on, BatchProducer(on.address) as producer, on.infer() as child:
        sampling = asyncio.create_task(_sample(plan, on, child.pid, samples, lags))
        began = usage(child.pid)
        behind_s = await _send_steadily(producer, steadily(RATE_PER_S, ticks))
        cpu_s = usage(child.pid).cpu_s - began.cpu_s
        sampling.cancel()
        lags.append(await asyncio.to_thread(_lag, on.address))
        plan.say(f"sent, the sender was {behind_s:.1f} s behind at worst; waiting until all items have left")
        await on.caught_up(producer)
        await asyncio.sleep(LASTS_S + 3 * HORIZON_S)
        await _require_all_evicted(on, producer, items_begun(RATE_PER_S, ticks))
    warm = [mib for at_s, mib in samples if at_s >= warm_up_s]
    tenth = max(1, len(warm) // 10)
    name = f"infer, {RATE_PER_S:,} events/s for {minutes:g} min"
    return [
        figure(name, f"resident after {warm_up_s:.0f} s of warm-up", "MiB", warm),
        figure(name, "highest sample ÷ level after warm-up", "", [max(warm) / _level(warm)], at_most=FLAT_WITHIN),
        figure(name, "highest ÷ lowest sample", "", [max(warm) / min(warm)]),
        figure(name, "median of the last tenth ÷ of the first", "", [median(warm[-tenth:]) / median(warm[:tenth])]),
        figure(name, "records not committed yet", "", [float(lag) for lag in lags]),
        figure(name, "share of a core", "", [cpu_s / (ticks * TICK_S)]),
    ]


async def _send_steadily(producer: BatchProducer, due: Iterable[list[Due]]) -> float:
    """Every tick's events at its time; the longest that a tick came late, in seconds."""
    began_s, worst_s = time.monotonic(), 0.0
    for tick, events in enumerate(due):
        await produce(producer, events)
        next_s = began_s + (tick + 1) * TICK_S
        worst_s = max(worst_s, time.monotonic() - next_s)
        await asyncio.sleep(max(0.0, next_s - time.monotonic()))
    return worst_s


async def _sample(plan: Plan, on: Kafka, pid: int, samples: list[tuple[float, float]], lags: list[int]) -> None:
    began_s, process = time.monotonic(), psutil.Process(pid)
    while True:
        await asyncio.sleep(SAMPLE_S)
        samples.append((time.monotonic() - began_s, process.memory_info().rss / MIB))
        if len(samples) % 6 == 0:
            lags.append(await asyncio.to_thread(_lag, on.address))
            plan.say(f"memory: {samples[-1][1]:.1f} MiB after {samples[-1][0]:.0f} s, {lags[-1]} not committed")


def _lag(broker: str) -> int:
    """Records of the topic of events that the group has not committed. Right on Kafka, not on Tansu."""
    reached, ends = committed(broker, INFER_GROUP), end_offsets(broker, [topics.EVENTS])
    return sum(end - reached.get(place, 0) for place, end in ends.items())


async def _require_all_evicted(on: Kafka, producer: BatchProducer, items: int) -> None:
    """Raises: AssertionError: an item is still held, events were late, or some were refused."""
    last = dict[bytes, bool]()
    async for record in read_to_barrier(topics.STATE, range(PARTITIONS), broker=on.address, producer=producer):
        if record.value is not None and record.key is not None:
            last[record.key] = decode_state(record.value).evicted
    held = sum(not evicted for evicted in last.values())
    aside = [await _count(on, producer, topic) for topic in (topics.LATE, topics.DEAD_LETTERS)]
    if held or len(last) != items or any(aside):
        raise AssertionError(f"{len(last)} of {items} items, {held} not evicted, {aside} late and refused")


async def _count(on: Kafka, producer: BatchProducer, topic: str) -> int:
    read = read_to_barrier(topic, range(PARTITIONS), broker=on.address, producer=producer)
    return len([record async for record in read if not is_barrier(record)])


def _level(samples: list[float]) -> float:
    """Where memory stood when warm-up was over: the median of a minute."""
    return median(samples[: round(60 / SAMPLE_S)])


def with_memory(plan: Plan, minutes: float | None, items: float | None) -> Plan:
    """The plan with one or both of the two runs, as the command line has them."""
    if minutes is None and items is None:
        return plan
    return replace(plan, memory_minutes=minutes or 0.0, open_items=int(items or 0))
