"""From produced to visible: a whole embedded Tieline on the real clock, fed at a steady rate, and a reader that looks
every few milliseconds. Meanwhile all its memory is added up.

A sample is an explicit offer of a fresh handoff. It counts from the instant it was due to be produced (so a feeder that
falls behind counts against us) until a query of `handoffs` first returns its row.
"""

from __future__ import annotations

import asyncio
import math
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory

import psutil
from clickhouse_connect.driver.client import Client

from benchmarks.load import POLICY, Live, live
from benchmarks.plan import Plan
from benchmarks.report import Figure, figure
from benchmarks.usage import resident_mib, usage
from deploy.composition.drain import drained
from deploy.composition.feed import Feed
from deploy.composition.target import Target, target_of
from deploy.embedded.child import Child, ChildSpec
from deploy.embedded.instance import running_instance
from deploy.embedded.logs import BoundedLog
from schemas.topics import event_key
from sinks.clickhouse.settings import connect
from streams.transport.producer import BatchProducer, Pair

TARGET_P50_MS, TARGET_P99_MS, TARGET_MIB = 150.0, 500.0, 1200.0
_SEND_EVERY_S = 0.01
_LOOK_EVERY_S = 0.02
_MEMORY_EVERY_S = 1.0
_GRACE_S = 15.0


@dataclass
class Samples:
    """Offers that were produced, and what has been seen of them. Times are `time.time()`.

    Attributes:
        give_up_at_s: what is not visible then counts as not seen: the rate does not hold.
    """

    counted_from_s: float
    waiting: dict[str, float] = field(default_factory=dict)
    latencies_ms: list[float] = field(default_factory=list)
    looks_s: list[float] = field(default_factory=list)
    produced: int = 0
    behind_ms: float = 0.0
    give_up_at_s: float = math.inf

    def seen(self, ids: list[str], at_s: float) -> None:
        """These rows are visible."""
        for id_ in ids:
            produced_s = self.waiting.pop(id_, None)
            if produced_s is not None and produced_s >= self.counted_from_s:
                self.latencies_ms.append(1000 * (at_s - produced_s))


async def latency(plan: Plan) -> list[Figure]:
    """produced to visible in ClickHouse, and the memory of everything, through a whole embedded Tieline"""
    async with embedded_tieline() as (target, supervisor):
        pids = await asyncio.to_thread(_pids, target)

        def family() -> list[int]:
            return [supervisor, *(child.pid for child in psutil.Process(supervisor).children(recursive=True))]

        return await measured(plan, target, pids, family, f"latency at {plan.rate} events/s")


async def measured(
    plan: Plan, target: Target, pids: Mapping[str, int], family: Callable[[], list[int]], name: str
) -> list[Figure]:
    """Feed a running Tieline at `plan.rate` and look.

    Args:
        pids: the processes whose share of a core is told.
        family: all whose memory counts.
    Raises: AssertionError: something is missing in the end.
    """
    plan.say(f"{name}: preparing events")
    events = await asyncio.to_thread(live, round(plan.rate * (plan.warm_up_s + plan.live_s)))
    plan.say(f"{name}: {plan.warm_up_s + plan.live_s:.0f} s")
    samples, memory = Samples(time.time() + plan.warm_up_s), list[float]()
    watching = asyncio.create_task(_watch_memory(family, memory))
    looking = asyncio.create_task(asyncio.to_thread(_look, target, samples, len(events)))
    began, began_s = _cpu_of(pids), time.monotonic()
    await _produce(target, events, plan.rate, samples)
    cores = {child: (cpu_s - began[child]) / (time.monotonic() - began_s) for child, cpu_s in _cpu_of(pids).items()}
    samples.give_up_at_s = time.time() + _GRACE_S
    await looking
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
    if not samples.waiting:
        await _require_all(target, events)
    limits = (TARGET_P50_MS, TARGET_P99_MS, TARGET_MIB) if target.instance is not None else None
    return _figures(name, samples, memory, cores, limits)


@asynccontextmanager
async def embedded_tieline() -> AsyncIterator[tuple[Target, int]]:
    """`tieline up` in a folder of its own; where it listens, and the supervisor's pid."""
    with TemporaryDirectory(prefix="tieline-bench-") as name:
        folder = Path(name)
        up = ("deploy.cli", "up", "--data", str(folder / "data"), "--policy", str(POLICY))
        command = (sys.executable, "-m", "deploy.embedded.run_with_parent", sys.executable, "-m", *up)
        log = BoundedLog(folder / "up.log")
        child = await Child.start(ChildSpec("up", command, {"TIELINE_AS_OF": ""}, stop_timeout_s=60.0), log)
        try:
            yield await _until_ready(folder / "data", child, log), child.pid
        finally:
            await child.stop()


async def _until_ready(folder: Path, child: Child, log: BoundedLog) -> Target:
    async with asyncio.timeout(120):
        while child.running:
            instance = await asyncio.to_thread(running_instance, folder)
            if instance is not None and "sink" in instance.pids:
                return target_of(instance)
            await asyncio.sleep(0.1)
    raise RuntimeError(f"tieline up ended:\n{log.tail(30)}")


async def _produce(target: Target, events: list[Live], rate: int, samples: Samples) -> None:
    """Each event at its own instant; those of ten milliseconds together."""
    async with BatchProducer(target.broker) as producer:
        feed, began_s, next_ = Feed(producer), time.time(), 0
        while next_ < len(events):
            now_s = time.time()
            due = min(len(events), int((now_s - began_s) * rate) + 1)
            chunk: list[Pair] = []
            for number in range(next_, due):
                at_s = began_s + number / rate
                event = events[number].at(datetime.fromtimestamp(at_s, UTC))
                chunk.append((event_key(event), event.canonical()))
                if events[number].offers:
                    samples.waiting[event.ref] = at_s
                samples.behind_ms = max(samples.behind_ms, 1000 * (now_s - at_s))
            await feed.send_chunk(chunk)
            next_ = samples.produced = due
            await asyncio.sleep(max(_SEND_EVERY_S, began_s + next_ / rate - time.time()))


def _look(target: Target, samples: Samples, number: int) -> None:
    """In a thread: ask for the rows of offers that were not seen yet, until all were."""
    client = connect(target.clickhouse)
    try:
        while (samples.produced < number or samples.waiting) and time.time() < samples.give_up_at_s:
            began_s = time.time()
            oldest_s = min(list(samples.waiting.values()), default=began_s)
            samples.seen(_visible_since(client, oldest_s), time.time())
            samples.looks_s.append(time.time() - began_s + _LOOK_EVERY_S)
            time.sleep(_LOOK_EVERY_S)
    finally:
        client.close()


def _visible_since(client: Client, oldest_s: float) -> list[str]:
    """Handoffs offered since then: only what is still waited for, and what came with it."""
    since = datetime.fromtimestamp(oldest_s, UTC) - timedelta(milliseconds=1)
    sql = f"SELECT episode_id FROM handoffs WHERE offered_at >= '{since:%Y-%m-%d %H:%M:%S.%f}'"
    answer = client.raw_query(sql, fmt="TabSeparated", settings={"max_threads": 1})
    return answer.decode().splitlines()


def _pids(target: Target) -> Mapping[str, int]:
    """Of the children, by name."""
    instance = running_instance(target.instance.folder) if target.instance is not None else None
    return instance.pids if instance is not None else {}


def _cpu_of(pids: Mapping[str, int]) -> dict[str, float]:
    return {name: usage(pid).cpu_s for name, pid in pids.items()}


async def _watch_memory(family: Callable[[], list[int]], memory: list[float]) -> None:
    """All processes together."""
    while True:
        memory.append(await asyncio.to_thread(resident_mib, family()))
        await asyncio.sleep(_MEMORY_EVERY_S)


async def _require_all(target: Target, events: list[Live]) -> None:
    """Raises: AssertionError: not every event was archived, or not every offer has its row."""
    async with BatchProducer(target.broker) as producer:
        await drained(target.broker, producer)
    client = await asyncio.to_thread(connect, target.clickhouse)
    try:
        counts = (
            "SELECT (SELECT count() FROM events FINAL), (SELECT count() FROM handoffs FINAL WHERE origin = 'explicit')"
        )
        archived, offered = client.query(counts).result_rows[0]
        refused = client.query("SELECT count() FROM dead_letters").result_rows[0][0]
    finally:
        client.close()
    expected = (len(events), sum(event.offers for event in events), 0)
    if (archived, offered, refused) != expected:
        raise AssertionError(f"events, offers, dead letters: {(archived, offered, refused)}, expected {expected}")


def _figures(
    name: str,
    samples: Samples,
    memory: list[float],
    cores: Mapping[str, float],
    limits: tuple[float, float, float] | None,
) -> list[Figure]:
    cuts = quantiles(samples.latencies_ms, n=100, method="inclusive")
    looks = quantiles(samples.looks_s, n=100, method="inclusive")
    p50, p99, mib = ({"at_most": limit} for limit in limits) if limits else ({}, {}, {})
    return [
        figure(name, "p50", "ms", [cuts[49]], **p50),
        figure(name, "p90", "ms", [cuts[89]]),
        figure(name, "p99", "ms", [cuts[98]], **p99),
        figure(name, "highest", "ms", [max(samples.latencies_ms)]),
        figure(name, "samples", "", [len(samples.latencies_ms)]),
        figure(name, f"not seen {_GRACE_S:.0f} s after the last was sent", "", [len(samples.waiting)], at_most=0),
        figure(name, "resolution: between two looks, p50", "ms", [1000 * looks[49]]),
        figure(name, "resolution: between two looks, p99", "ms", [1000 * looks[98]]),
        figure(name, "feeder behind its schedule, at most", "ms", [samples.behind_ms]),
        *(figure(name, f"share of a core: {child}", "%", [100 * share]) for child, share in cores.items()),
        figure(name, "memory of everything, at most", "MiB", [max(memory)], **mib),
    ]
