"""What a process used for the whole load, and children that report it themselves."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.answer import Answer
from benchmarks.load import Load
from benchmarks.report import Figure, figure
from benchmarks.usage import usage

ROOT = Path(__file__).parents[1]


class Cost(NamedTuple):
    """CPU-seconds between two moments, and peak resident memory since the process began."""

    cpu_s: float
    peak_mib: float


def cost_figures(name: str, load: Load, costs: Sequence[Cost]) -> list[Figure]:
    """The two figures that every benchmark of throughput has."""
    return [
        figure(name, "events per CPU-second", "1/s", [len(load) / cost.cpu_s for cost in costs]),
        figure(name, "peak memory", "MiB", [cost.peak_mib for cost in costs]),
    ]


async def run_child(module: str, *arguments: str) -> None:
    """`python -m MODULE ARGUMENTS` to its end. Raises: RuntimeError: it failed; with what it said."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, *arguments, cwd=ROOT, stderr=asyncio.subprocess.PIPE
    )
    try:
        _, errors = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
    if process.returncode:
        raise RuntimeError(f"{module} failed:\n{errors.decode()[-3000:]}")


def own_peak_mib() -> float:
    """Of this process."""
    return usage(os.getpid()).peak_mib


def report_self(result: Path, cost: Cost, answer: Answer | None = None) -> None:
    """In a child: write down what it used, and its answer where nobody else can see it."""
    result.write_text(json.dumps({"cost": cost, "answer": answer}))


def self_reported(result: Path, expected: Answer | None = None) -> Cost:
    """What a child used. Raises: AssertionError: its answer is wrong."""
    found = json.loads(result.read_text())
    if expected is not None:
        Answer(*found["answer"]).require(expected)
    return Cost(*found["cost"])
