"""How often a chart of a process that does not change says that it does: `python -m benchmarks.false_alarms`.

Prints, per length of chart, the share of simulated charts with any signal of the NHS rules: for charts that start where
their history starts, baseline included, and for charts of what came after the baseline. `tie_control` has the first
scenario of each as `expected_false_alarms`; docs/method/charts.md has the whole tables.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from benchmarks.control_chart import BASELINE, flags, limits

LENGTHS = (1, 2, 3, 5, 7, 10, 15, 20, 24, 30, 40, 52, 78, 104, 156, 208, 260, 520)
CHARTS = 2000
SEED = 20261123
SCENARIOS = ((0.8, 50, 0.0), (0.8, 12, 0.0), (0.95, 50, 0.0), (0.8, 50, 0.05), (0.5, 50, 0.0))
"""Rate, observations per point, and standard deviation of the rate from point to point."""


def simulated(rng: random.Random, length: int, rate: float, n: int, spread: float) -> list[tuple[float, float]]:
    """Points (sum, n) of a process whose rate varies about a mean that never changes."""
    rates = (min(1.0, max(0.0, rng.gauss(rate, spread))) for _ in range(length))
    return [(float(sum(rng.random() < p for _ in range(n))), float(n)) for p in rates]


def alarmed(points: Sequence[tuple[float, float]], start: int, length: int) -> bool:
    """Does a chart of so many points from `start` on, with limits from the first 20 of all, signal anything?"""
    found = limits(points)
    assert found is not None
    return any(point.any() for point in flags(points[start : start + length], found))


def shares(rate: float, n: int, spread: float, start: int, charts: int = CHARTS) -> list[float]:
    """The share of charts with a signal, for each of `LENGTHS`; they show their history from point `start` on."""
    rng = random.Random(SEED)
    counts = [0] * len(LENGTHS)
    for _ in range(charts):
        points = simulated(rng, BASELINE + max(LENGTHS), rate, n, spread)
        for place, length in enumerate(LENGTHS):
            counts[place] += alarmed(points, start, length)
    return [count / charts for count in counts]


def table(start: int) -> str:
    """All scenarios as Markdown."""
    columns = [shares(*scenario, start) for scenario in SCENARIOS]
    heads = [f"p {rate}, n {n}" + (f", sd {spread}" if spread else "") for rate, n, spread in SCENARIOS]
    rows = [
        f"| {length} | " + " | ".join(f"{cell:.3f}" for cell in cells) + " |"
        for length, *cells in zip(LENGTHS, *columns, strict=True)
    ]
    return "\n".join([f"| points | {' | '.join(heads)} |", "|--:" * (len(heads) + 1) + "|", *rows])


if __name__ == "__main__":
    print("From the start of the history\n\n" + table(0), flush=True)
    print("\nAfter the baseline\n\n" + table(BASELINE))
