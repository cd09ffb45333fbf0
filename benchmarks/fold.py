"""(a) Decode and fold in memory."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.answer import Answer
from benchmarks.cost import Cost, cost_figures, run_child, self_reported
from benchmarks.load import expected_of, simulated
from benchmarks.plan import Plan
from benchmarks.report import Figure


async def fold(plan: Plan) -> list[Figure]:
    """decode and fold in memory: no broker, no output"""
    load = simulated(plan.weeks)
    expected = expected_of(load)
    with TemporaryDirectory(prefix="tieline-bench-") as folder:
        path = Path(folder) / "load.tsv"
        load.write(path)
        costs = [await fold_in_memory(path, expected) for _ in plan.repeat("fold")]
    return cost_figures("fold in memory", load, costs)


async def fold_in_memory(load: Path, expected: Answer) -> Cost:
    """One run in a process of its own; the answer is checked there by a second pass over all that was said."""
    result = load.with_suffix(".json")
    await run_child("benchmarks.fold_loop", "--load", str(load), "--result", str(result))
    return self_reported(result, expected)
