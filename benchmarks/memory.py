"""What `infer` keeps in memory: over a long time of items that open and close, and for many that stay open.

A real Kafka and `tieline worker infer` on the real clock. The sink is left out: it reads other topics, and holds no
work items.
"""

from __future__ import annotations

import asyncio
import re
import sys
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import psutil
from kafka.admin import ConfigResource, ConfigResourceType

from benchmarks.live_items import (
    HORIZON_S,
    LASTS_S,
    TICK_S,
    Due,
    items_begun,
    quick_policy,
    staying_open,
    steadily,
)
from benchmarks.load import POLICY
from benchmarks.plan import Plan
from benchmarks.report import Figure, figure
from benchmarks.usage import usage
from deploy.composition.drain import INFER_GROUP, barriers, committed, end_offsets
from deploy.embedded.child import Child, ChildSpec
from deploy.embedded.logs import BoundedLog
from deploy.kafka.broker import KafkaBroker
from schemas import topics
from schemas.topics import PARTITIONS, TOPICS
from streams.apps.state import decode_state
from streams.apps.topic_admin import admin, create_topics
from streams.transport.barrier import is_barrier, read_to_barrier
from streams.transport.partitioner import partition_for
from streams.transport.producer import BatchProducer, Pair

RATE_PER_S = 2_000
SAMPLE_S = 10.0
WARM_UP_S = 300.0
"""Until as many items leave as come, and the allocator has what it keeps: fifteen times an item's stay in memory."""
FLAT_WITHIN, BYTES_PER_OPEN_ITEM, RESTART_S = 1.10, 1_200.0, 60.0
OPEN_EVENTS = (2, 4)
"""Of an encounter, up to its open offer; of a ticket, up to its second owner, who has not worked yet."""
_OPEN_DUE_S = 12 * 3600.0
_HOT_ITEMS = 2 * 24 * 200
"""Sent before memory is first read: so many items that every partition has as many decoded ones as it keeps."""
_CHUNK = 20_000
_MIB = 1024 * 1024
_SEGMENTS = {"segment.bytes": str(16 * _MIB)}
_KEPT = {"retention.bytes": str(64 * _MIB)}
"""An hour of this load is tens of gigabytes of rows that nobody reads here: Kafka may forget the oldest."""


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
        figure(name, "highest ÷ lowest sample after warm-up", "", [max(warm) / min(warm)], at_most=FLAT_WITHIN),
        figure(name, "median of the last tenth ÷ of the first", "", [median(warm[-tenth:]) / median(warm[:tenth])]),
        figure(name, "records not committed yet", "", [float(lag) for lag in lags]),
        figure(name, "share of a core", "", [cpu_s / (ticks * TICK_S)]),
    ]


async def _send_steadily(producer: BatchProducer, due: Iterable[list[Due]]) -> float:
    """Every tick's events at its time; the longest that a tick came late, in seconds."""
    began_s, worst_s = time.monotonic(), 0.0
    for tick, events in enumerate(due):
        await _produce(producer, events)
        next_s = began_s + (tick + 1) * TICK_S
        worst_s = max(worst_s, time.monotonic() - next_s)
        await asyncio.sleep(max(0.0, next_s - time.monotonic()))
    return worst_s


async def _sample(plan: Plan, on: Kafka, pid: int, samples: list[tuple[float, float]], lags: list[int]) -> None:
    began_s, process = time.monotonic(), psutil.Process(pid)
    while True:
        await asyncio.sleep(SAMPLE_S)
        samples.append((time.monotonic() - began_s, process.memory_info().rss / _MIB))
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


# Many at once


async def many_open(plan: Plan, items: int) -> list[Figure]:
    """Memory for each open item, and how long a restart with all of them takes until its partitions are read."""
    first = min(_HOT_ITEMS, items // 2)
    async with kafka(POLICY) as on, BatchProducer(on.address) as producer:
        async with on.infer() as child:
            process = psutil.Process(child.pid)
            await _send_all(producer, staying_open(range(first), OPEN_EVENTS, _OPEN_DUE_S))
            await on.caught_up(producer)
            empty = process.memory_info().rss
            plan.say(f"memory: {empty / _MIB:.0f} MiB before; sending {items:,} items")
            await _send_all(producer, staying_open(range(first, items), OPEN_EVENTS, _OPEN_DUE_S))
            await on.caught_up(producer)
            await asyncio.sleep(SAMPLE_S)
            full = process.memory_info().rss
            plan.say(f"memory: {full / _MIB:.0f} MiB with them; starting again")
        began_s = time.monotonic()
        async with on.infer(ready_timeout_s=1800.0) as child:
            restart_s = time.monotonic() - began_s
            restored = psutil.Process(child.pid).memory_info().rss
            restart_cpu_s = usage(child.pid).cpu_s
            await _require_restored(on, items)
    name = f"infer, {items:,} open items, {sum(OPEN_EVENTS) / 2:g} events each"
    return [
        figure(name, "bytes for each item", "B", [(full - empty) / (items - first)], at_most=BYTES_PER_OPEN_ITEM),
        figure(name, "restart until partitions are read", "s", [restart_s], at_most=RESTART_S),
        figure(name, "CPU of the restart", "s", [restart_cpu_s]),
        figure(name, "resident after the restart", "MiB", [restored / _MIB]),
    ]


async def _send_all(producer: BatchProducer, due: Iterable[Due]) -> None:
    chunk = list[Due]()
    for one in due:
        chunk.append(one)
        if len(chunk) == _CHUNK:
            await _produce(producer, chunk)
            chunk.clear()
    await _produce(producer, chunk)


async def _require_restored(on: Kafka, items: int) -> None:
    """Raises: AssertionError: infer restored another number of items."""
    found = re.findall(r"(\d+) work items restored", (on.folder / "infer.log").read_text())
    if not found or int(found[-1]) != items:
        raise AssertionError(f"restored at the starts: {found} items, not {items}")


async def _produce(producer: BatchProducer, due: Sequence[Due]) -> None:
    by_partition: dict[int, list[Pair]] = {}
    for key, value in due:
        by_partition.setdefault(partition_for(key, PARTITIONS), []).append((key, value))
    await asyncio.gather(*(producer.produce(topics.EVENTS, number, pairs) for number, pairs in by_partition.items()))


def _forget_soon(broker: str) -> None:
    settings = [(topic, _SEGMENTS | ({} if topic.compacted else _KEPT)) for topic in TOPICS]
    with admin(broker) as client:
        client.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic.name, kept) for topic, kept in settings])


def with_memory(plan: Plan, minutes: float | None, items: float | None) -> Plan:
    """The plan with one or both of the two runs, as the command line has them."""
    if minutes is None and items is None:
        return plan
    return replace(plan, memory_minutes=minutes or 0.0, open_items=int(items or 0))
