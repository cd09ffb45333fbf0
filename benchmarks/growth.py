"""`python -m benchmarks.growth [AXIS…] --json FILE`: what one event costs as things grow, one axis at a time.

CPU-seconds of decode and fold as `infer` and a replay do them, and of the sink's own part of a row, in processes of
their own; no broker. What brokers and stores add is in docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from benchmarks.cost import run_child
from benchmarks.growth_items import offered, worked
from benchmarks.load import ACTOR_KEY, AS_OF, policies
from benchmarks.report import machine
from schemas.rows import EvidenceRow, period_start
from schemas.topics import event_key
from sinks.clickhouse.windows import _entered
from streams.apps.infer.partition import Partition
from streams.inference.facts import facts_of
from streams.replay.known import known
from streams.simulation.scenario import Scenario

_END = datetime(2026, 3, 4, 10, tzinfo=UTC)
_PROBES = 2_000


@dataclass(frozen=True)
class Point:
    """One measure: `microseconds` of CPU for one event (or row), `bytes_each` of resident memory for one item."""

    axis: str
    at: int
    microseconds: float
    bytes_each: float = 0.0


def events_axis(at: int) -> Point:
    """Whole work items, so many events in all: decode and fold."""
    return Point("events", at, _folding(_items(at)))


def open_items_axis(at: int) -> Point:
    """An event of one of so many open work items: fold, changes and states after each 2,000."""
    partition, as_of, before = Partition(0, policies()), datetime(2026, 3, 1, 12, tzinfo=UTC), _resident()
    for start in range(0, at, _PROBES):
        for number in range(start, min(at, start + _PROBES)):
            partition.fold(offered(number), as_of)
        _drain(partition, as_of)
    held = (_resident() - before) / at
    probes = [worked(number) for number in range(0, at, max(1, at // _PROBES))]
    began_s = time.process_time()
    for event in probes:
        partition.fold(event, as_of)
    _drain(partition, as_of)
    return Point("open work items", at, (time.process_time() - began_s) / len(probes) * 1e6, held)


def partitions_axis(at: int) -> Point:
    """The same work items in so many partitions of one worker: fold, changes and states after each 2,000."""
    book, as_of = policies(), datetime.fromisoformat(AS_OF)
    partitions = [Partition(number, book) for number in range(at)]
    events = list(Scenario(3, _END, ACTOR_KEY.hash_actor, 2).history())
    homes = {key: number % at for number, key in enumerate(sorted({event_key(event) for event in events}))}
    began_s = time.process_time()
    for start in range(0, len(events), _PROBES):
        for event in events[start : start + _PROBES]:
            partitions[homes[event_key(event)]].fold(event, as_of)
        for partition in partitions:
            _drain(partition, as_of)
    return Point("partitions", at, (time.process_time() - began_s) / len(events) * 1e6)


def ties_axis(at: int) -> Point:
    """The sink's own part of a row of evidence: which window it enters, in one flush of rows of so many ties."""
    rows = [_evidence(number, at) for number in range(max(20_000, at))]
    began_s = time.process_time()
    windows = set().union(*_entered(rows).values())
    spent_s = time.process_time() - began_s
    assert len(windows) == at
    return Point("ties", at, spent_s / len(rows) * 1e6)


def workers_axis(at: int) -> Point:
    """One of so many workers, each with its share of the work items; CPU of all together is this times their number."""
    return Point("workers", at, _folding(_items(28_000)[::at]))


AXES: dict[str, tuple[Callable[[int], Point], Sequence[int]]] = {
    "events": (events_axis, (10_000, 30_000, 100_000, 300_000)),
    "items": (open_items_axis, (1_000, 10_000, 100_000, 300_000, 1_000_000)),
    "ties": (ties_axis, (100, 1_000, 10_000, 100_000)),
    "partitions": (partitions_axis, (1, 6, 24)),
    "workers": (workers_axis, (1, 2, 4)),
}


def _folding(items: list[list[bytes]]) -> float:
    """Microseconds of CPU for an event: decode and fold of whole work items."""
    book, as_of = policies(), datetime.fromisoformat(AS_OF)
    began_s, taken = time.process_time(), 0
    for item in items:
        facts_of(known(item).contents, book, as_of)
        taken += len(item)
    return (time.process_time() - began_s) / taken * 1e6


def _items(events: int) -> list[list[bytes]]:
    """Payloads by work item: three weeks of the scenario, and copies of them under other subjects."""
    items: dict[bytes, list[bytes]] = {}
    for event in Scenario(3, _END, ACTOR_KEY.hash_actor, 3).history():
        items.setdefault(event_key(event), []).append(event.canonical())
    whole, taken, copy = list(items.values()), list[list[bytes]](), 0
    while events > 0:
        name = b'"subject":"c%d-' % copy
        for item in whole[: max(1, events)]:
            taken.append([payload.replace(b'"subject":"', name, 1) for payload in item])
            events -= len(item)
            if events <= 0:
                break
        copy += 1
    return taken


def _drain(partition: Partition, as_of: datetime) -> None:
    """As `infer` does it after a batch, and with a checkpoint."""
    for _ in partition.take_changes(as_of):
        pass
    partition.take_states(as_of)
    partition.states_kept()


def _evidence(number: int, ties: int) -> bytes:
    tie, at = number % ties, datetime(2026, 3, 1, 12, tzinfo=UTC)
    row = EvidenceRow(
        run="live",
        process="p",
        work_item=f"w{number}",
        episode_id=f"urn:x#{number}",
        rule="reply",
        communicator_role=f"role-{tie // 300}",
        experiencer_role=f"role-{tie % 300}",
        dimension="timeliness",
        origin="explicit",
        at=at,
        known_at=at,
        ripe=True,
        value=1.0,
        period_start=period_start(at, "month"),
    )
    return row.model_dump_json().encode()


def _resident() -> int:
    return int(psutil.Process().memory_info().rss)


async def measured(axis: str, at: int) -> Point:
    """One point, in a process of its own."""
    with TemporaryDirectory(prefix="tieline-bench-") as folder:
        result = Path(folder) / "point.json"
        await run_child("benchmarks.growth", axis, "--at", str(at), "--json", str(result))
        return Point(**json.loads(result.read_text()))


async def _all(names: Sequence[str], runs: int, most: int) -> list[Point]:
    """The median of several runs of each; the axes take turns, so that a busy minute does not hit one of them alone."""
    places = [(name, at) for name in names for at in AXES[name][1] if at <= most]
    found: dict[tuple[str, int], list[Point]] = {}
    for number in range(runs):
        for name, at in places:
            point = await measured(name, at)
            found.setdefault((name, at), []).append(point)
            print(f"{number + 1}/{runs} {point}", file=sys.stderr, flush=True)
    return [sorted(points, key=lambda point: point.microseconds)[len(points) // 2] for points in found.values()]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("axes", nargs="*", choices=[[], *AXES], metavar="AXIS", help=f"of {', '.join(AXES)}; none: all")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--most", type=float, default=1e6, help="leave out points beyond this")
    parser.add_argument("--at", type=int, help="one point, here and now")
    parser.add_argument("--json", type=Path, required=True, metavar="FILE")
    given = parser.parse_args()
    if given.at:
        given.json.write_text(json.dumps(asdict(AXES[given.axes[0]][0](given.at))))
        return
    points = asyncio.run(_all(given.axes or list(AXES), given.runs, int(given.most)))
    given.json.write_text(json.dumps({"machine": machine(), "points": [asdict(point) for point in points]}, indent=1))


if __name__ == "__main__":
    main()
