"""`python -m benchmarks [NAME…]`: run benchmarks, print a table."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from benchmarks.checkpoint import checkpoint
from benchmarks.fold import fold
from benchmarks.frameworks.measure import frameworks, pairs
from benchmarks.gateway import gateway
from benchmarks.infer import infer
from benchmarks.latency import latency
from benchmarks.latency_on_kafka import latency_on_kafka
from benchmarks.memory import memory, with_memory
from benchmarks.panels import panels
from benchmarks.plan import QUICK, Plan
from benchmarks.replay import replays
from benchmarks.report import Figure, as_json, machine, show
from benchmarks.sink import sink

Benchmark = Callable[[Plan], Awaitable[list[Figure]]]
_ALL: tuple[Benchmark, ...] = (
    fold,
    infer,
    checkpoint,
    sink,
    latency,
    latency_on_kafka,
    panels,
    gateway,
    replays,
    memory,
)
_WHEN_NAMED: tuple[Benchmark, ...] = (frameworks, pairs)
"""These install packages that Tieline does not need."""
BENCHMARKS: dict[str, Benchmark] = {getattr(each, "__name__", ""): each for each in (*_ALL, *_WHEN_NAMED)}


def main() -> int:
    given = _arguments()
    console, progress = Console(), Console(stderr=True, highlight=False)
    console.width = max(console.width, 120)
    about = machine()
    began_s = time.monotonic()
    plan = _plan(given, lambda what: progress.print(f"{time.monotonic() - began_s:6.0f} s  {what}", style="dim"))
    names = list(dict.fromkeys(given.names)) or [getattr(each, "__name__", "") for each in _ALL]
    figures = asyncio.run(_run(names, plan))
    show(console, figures)
    console.print(", ".join(f"{key} {value}" for key, value in about.items()), style="dim")
    if given.json:
        document = {"machine": about, "quick": given.quick, "weeks": plan.weeks, "runs": plan.runs}
        given.json.write_text(json.dumps(as_json(figures, document), indent=1) + "\n")
    return 0


def _arguments() -> argparse.Namespace:
    listed = "\n".join(f"  {name:<12}{(run.__doc__ or '').strip()}" for name, run in BENCHMARKS.items())
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measure what Tieline costs on this machine. Every run checks its answer.",
        epilog=f"benchmarks (all but frameworks and pairs, if none is named):\n{listed}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="what to run")
    parser.add_argument("--quick", action="store_true", help="one small run of each: shows that it works, no figures")
    parser.add_argument("--runs", type=int, help="repetitions of each figure")
    parser.add_argument("--rate", type=int, help="events per second of the latency run")
    parser.add_argument("--weeks", type=int, help="of the simulated scenario, about 2,800 events each")
    parser.add_argument("--at-once", type=int, help="contenders of frameworks and pairs side by side; 1 unless told")
    parser.add_argument("--minutes", type=float, help="length of the memory run")
    parser.add_argument("--open", type=float, metavar="ITEMS", help="open work items of the memory run, such as 1e6")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write everything here")
    given = parser.parse_args()
    unknown = [name for name in given.names if name not in BENCHMARKS]
    if unknown:
        parser.error(f"no benchmark {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}")
    return given


def _plan(given: argparse.Namespace, say: Callable[[str], None]) -> Plan:
    plan = replace(QUICK if given.quick else Plan(), say=say)
    chosen = {
        name: value for name in ("runs", "rate", "weeks", "at_once") if (value := getattr(given, name)) is not None
    }
    return with_memory(replace(plan, **chosen), given.minutes, given.open)


async def _run(names: list[str], plan: Plan) -> list[Figure]:
    figures: list[Figure] = []
    for name in names:
        figures += await BENCHMARKS[name](plan)
    return figures


if __name__ == "__main__":
    sys.exit(main())
