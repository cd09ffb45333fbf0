"""(h) Replays of an archive: events per second and core, by workers and by how much there is to replay."""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.answer import from_scratch
from benchmarks.load import ACTOR_KEY, policies
from benchmarks.plan import Plan
from benchmarks.report import Figure, figure
from benchmarks.system import System, fresh_system
from benchmarks.usage import Usage, usage
from deploy.composition.replay.archive import ArchiveSource
from deploy.composition.replay.replay import Effort, replay
from deploy.composition.replay.request import Request
from schemas.events import Event
from sinks.clickhouse.insert import insert_rows
from sinks.clickhouse.records import event_row
from streams.simulation.scenario import Scenario

_WEEKS, _SEED = 10, 3
_END, _AS_OF = datetime(2026, 3, 4, 10, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC)
_WORLDS = 8
"""Stretches of ten weeks, one after another: work is spread over time, as it is in an archive of many events."""
_COPY = """
INSERT INTO events
    (source, id, type, time, process, site, subject, sequence, payload, received_at, topic, partition, offset)
SELECT source, concat(mark, id), type, time, process, site, concat(mark, subject), sequence,
    replaceOne(replaceOne(payload, '"id":"', concat('"id":"', mark)), '"subject":"', concat('"subject":"', mark)),
    received_at, topic, partition, offset
FROM (SELECT *, concat('c', toString({copy:UInt32}), '-') AS mark FROM events WHERE startsWith(id, {world:String}))
SETTINGS max_threads = 1, max_block_size = 8192, min_insert_block_size_bytes = 33554432"""


@dataclass(frozen=True)
class Measured:
    """One replay. CPU is user and system time; memory is the largest resident set.

    Attributes:
        fold_s, whole_s: wall clock: until all rows were written; with windows, priors and content hash.
        workers_cpu_s: of all workers, from their start, with what importing costs.
        store_fold_cpu_s, store_cpu_s: of the store meanwhile: until all rows were written; of the whole.
    """

    events: int
    workers: int
    fold_s: float
    whole_s: float
    workers_cpu_s: float
    store_fold_cpu_s: float
    store_cpu_s: float
    worker_mib: float
    store_mib: float

    @property
    def per_core(self) -> float:
        """Events per CPU-second of a worker: decode, fold, encode, insert."""
        return self.events / self.workers_cpu_s

    @property
    def per_core_with_store(self) -> float:
        """Events per CPU-second of workers and store together, until all rows were written."""
        return self.events / (self.workers_cpu_s + self.store_fold_cpu_s)

    @property
    def per_core_in_all(self) -> float:
        """The same, with windows, priors and content hash."""
        return self.events / (self.workers_cpu_s + self.store_cpu_s)


async def replays(plan: Plan) -> list[Figure]:
    """replays of an archive of a hundred thousand events, with one worker and with two"""
    events = 100_000 if plan.weeks >= _WEEKS else 10_000
    found: list[Measured] = []
    for _ in plan.repeat("replay"):
        found += await measured(events, (1, 2))
    return [figure_of for workers in (1, 2) for figure_of in _figures(workers, found)]


replays.__name__ = "replay"


def _figures(workers: int, found: Sequence[Measured]) -> Iterator[Figure]:
    name, mine = f"replay, workers: {workers}", [each for each in found if each.workers == workers]
    yield figure(name, "events per CPU-second of a worker", "1/s", [each.per_core for each in mine], at_least=60_000)
    yield figure(name, "the same, store included", "1/s", [each.per_core_with_store for each in mine])
    yield figure(name, "events per second", "1/s", [each.events / each.whole_s for each in mine])
    yield figure(name, "peak memory of a worker", "MiB", [each.worker_mib for each in mine], at_most=1536)
    yield figure(name, "peak memory of the store", "MiB", [each.store_mib for each in mine])


async def measured(events: int, workers: Sequence[int], say: bool = False) -> list[Measured]:
    """Replays of one archive in a store of its own; all of them must have one content hash."""
    async with fresh_system() as system, system.running("store") as children:
        pid = children["store"].pid
        expected = await asyncio.to_thread(_fill, system, events)
        found: list[Measured] = []
        hashes: set[str] = set()
        for number, count in enumerate(workers):
            one, digest = await asyncio.to_thread(_replay, system, f"run-{number}", count, pid, expected)
            found.append(one)
            hashes.add(digest)
            if say:
                print(json.dumps(asdict(one) | {"per_core": round(one.per_core)}), flush=True)
        assert len(hashes) == 1, "the same events have one content hash"
        return found


def _replay(system: System, run: str, workers: int, store_pid: int, expected: dict[str, int]) -> tuple[Measured, str]:
    watch = _Watch(store_pid)
    request = Request(run, as_of=_AS_OF, policies=policies())
    done = replay(system.clickhouse, request, ArchiveSource(system.clickhouse), Effort(workers, niceness=0), watch)
    watch.stage("end")
    rows = {table: done.contents[table].rows for table in ("handoffs", "exchanges", "problems", "evidence")}
    assert rows == expected, f"{rows} rows, expected {expected}"
    (begin_s, begin), (adding_s, adding), (end_s, end) = (
        watch.seen[name] for name in ("replaying", "adding up", "end")
    )
    return (
        Measured(
            events=done.record.events,
            workers=workers,
            fold_s=adding_s - begin_s,
            whole_s=end_s - begin_s,
            workers_cpu_s=sum(each.cpu_s for each in done.workers),
            store_fold_cpu_s=adding.cpu_s - begin.cpu_s,
            store_cpu_s=end.cpu_s - begin.cpu_s,
            worker_mib=max(each.peak_mib for each in done.workers),
            store_mib=end.peak_mib,
        ),
        done.record.content_hash,
    )


class _Watch:
    """When each stage began, and what the store had used by then."""

    def __init__(self, store_pid: int) -> None:
        self._store_pid = store_pid
        self.seen: dict[str, tuple[float, Usage]] = {}

    def stage(self, what: str, total: int | None = None) -> None:
        """See `Watcher`."""
        self.seen[what] = (time.monotonic(), usage(self._store_pid))

    def passed(self, events: int) -> None:
        """See `Watcher`."""


def _fill(system: System, events: int) -> dict[str, int]:
    """An archive of at least so many events, most of them copied inside the store; the rows a replay must make."""
    worlds = [_world(number) for number in range(min(_WORLDS, max(1, events // 28_000)))]
    size = sum(map(len, worlds))
    copies = max(0, -(-events // size) - 1)
    if events < size:
        worlds, copies = [worlds[0][:events]], 0
    client = system.client()
    try:
        for world in worlds:
            insert_rows(client, "events", [event_row(event, received_at=_END) for event in world])
        for copy in range(copies):
            for number in range(len(worlds)):  # one at a time, for the store's memory
                client.command(_COPY, parameters={"copy": copy, "world": _mark(number)})
        client.command("OPTIMIZE TABLE events FINAL")  # no merges of the filling beside the replays
    finally:
        client.close()
    answer = from_scratch((event for world in worlds for event in world), policies(), _AS_OF)
    return {table: count * (copies + 1) for table, count in answer.rows.items()}


def _world(number: int) -> list[Event]:
    end = _END - number * timedelta(weeks=_WEEKS)
    events = Scenario(_SEED + number, end, ACTOR_KEY.hash_actor, _WEEKS).history()
    mark = _mark(number)
    return [each.model_copy(update={"id": mark + each.id, "subject": mark + each.subject}) for each in events]


def _mark(world: int) -> str:
    return f"w{world}-"


def main() -> None:
    """`python -m benchmarks.replay --events 1e5 1e6 --workers 1 2 --json FILE`: one line of JSON for each replay."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.replay", description=main.__doc__)
    parser.add_argument("--events", type=float, nargs="+", default=[1e5], help="how many the archive holds")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2], help="how many fold; one replay for each")
    parser.add_argument("--json", type=Path, help="write all figures here too")
    given = parser.parse_args()
    found = [each for number in given.events for each in asyncio.run(measured(int(number), given.workers, say=True))]
    if given.json:
        given.json.write_text(json.dumps([asdict(each) for each in found], indent=1) + "\n")


if __name__ == "__main__":
    main()
