"""(a) Decode and fold in memory: as `infer` does it, event by event, and as a replay does it, item by item."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.answer import Answer
from benchmarks.cost import Cost, cost_figures, run_child, self_reported
from benchmarks.fold_items import Parts
from benchmarks.load import Load, expected_of, simulated
from benchmarks.plan import Plan
from benchmarks.report import Figure, figure

TARGET_ITEMS_PER_S = 60_000


async def fold(plan: Plan) -> list[Figure]:
    """decode and fold in memory: no broker, no output; whole work items, and event by event"""
    load = simulated(plan.weeks)
    expected = expected_of(load)
    with TemporaryDirectory(prefix="tieline-bench-") as folder:
        path = Path(folder) / "load.tsv"
        load.write(path)
        whole = [await fold_whole_items(path, expected) for _ in plan.repeat("fold of whole items")]
        costs = [await fold_in_memory(path, expected) for _ in plan.repeat("fold")]
    return [*_whole_figures(load, whole), *cost_figures("fold in memory", load, costs)]


async def fold_in_memory(load: Path, expected: Answer) -> Cost:
    """One run in a process of its own; the answer is checked there by a second pass over all that was said."""
    result = load.with_suffix(".json")
    await run_child("benchmarks.fold_loop", "--load", str(load), "--result", str(result))
    return self_reported(result, expected)


async def fold_whole_items(load: Path, expected: Answer) -> tuple[Cost, Parts]:
    """One run in a process of its own; what is checked is read back from the JSON of a second pass."""
    result = load.with_suffix(".items.json")
    await run_child("benchmarks.fold_items", "--load", str(load), "--result", str(result))
    return self_reported(result, expected), Parts(*json.loads(result.read_text())["parts"])


def _whole_figures(load: Load, runs: list[tuple[Cost, Parts]]) -> list[Figure]:
    name, microseconds = "fold of whole items", 1e6 / len(load)
    rates = [len(load) / cost.cpu_s for cost, _ in runs]
    parts = [part for _, part in runs]
    return [
        figure(name, "events per CPU-second", "1/s", rates, at_least=TARGET_ITEMS_PER_S),
        figure(name, "peak memory", "MiB", [cost.peak_mib for cost, _ in runs]),
        figure(name, "decode", "µs an event", [part.decode_s * microseconds for part in parts]),
        figure(name, "facts", "µs an event", [part.fold_s * microseconds for part in parts]),
        figure(name, "rows as JSON", "µs an event", [part.encode_s * microseconds for part in parts]),
        figure(name, "decoding by the models beside by the grammar", "", [p.by_models_s / p.decode_s for p in parts]),
    ]
