"""How often a chart of a process that does not change says that it does: `python -m benchmarks.false_alarms`.

Prints, per length of chart, the share of simulated charts with any signal of a rule set: for charts that start where
their history starts, baseline included, and for charts of what came after it. The views of control charts have
the first scenario of each as the expected false alarms; docs/method/charts.md has the whole tables.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from benchmarks.control_chart import BASELINE, Limits, RangeLimits, flags, limits, range_limits, run_chart

LENGTHS = (1, 2, 3, 5, 7, 10, 15, 20, 24, 30, 40, 52, 78, 104, 156, 208, 260, 520)
CHARTS = 2000
SEED = 20261123
RULE_SETS = ("nhs", "limits", "anhoej")
LEAST_USEFUL = 10
"""Points off the median, below which Anhøj's rules are not asked."""
Points = list[tuple[float, float]]


class Scenario(NamedTuple):
    """A process that does not change.

    Attributes:
        rate, n: share that goes well, and observations per point.
        spread: standard deviation of the rate from point to point.
        rho: correlation of the rate with that of the point before.
    """

    rate: float = 0.8
    n: int = 50
    spread: float = 0.0
    rho: float = 0.0

    def __str__(self) -> str:
        parts = [f"p {self.rate}", f"n {self.n}", f"sd {self.spread}" if self.spread else ""]
        return ", ".join([part for part in parts if part] + ([f"ρ {self.rho}"] if self.rho else []))


SHARES = (Scenario(), Scenario(n=12), Scenario(rate=0.95), Scenario(spread=0.05), Scenario(rate=0.5))
CORRELATED = Scenario(spread=0.08, rho=0.4)


def shares(rng: random.Random, length: int, scenario: Scenario) -> Points:
    """Points (sum, n) of a process whose rate varies about a mean that never changes."""
    rates: list[float] = []
    off = 0.0
    for _ in range(length):
        own = rng.gauss(0, 1)
        off = scenario.rho * off + (1 - scenario.rho**2) ** 0.5 * own if rates else own
        rates.append(min(1.0, max(0.0, scenario.rate + scenario.spread * off)))
    return [(float(sum(rng.random() < p for _ in range(scenario.n))), float(scenario.n)) for p in rates]


def waits(rng: random.Random, length: int, scenario: Scenario) -> Points:
    """Points (log of a median wait, 1) that vary about a mean; of the scenario only ρ counts."""
    found: list[float] = []
    for _ in range(length):
        own = rng.gauss(0, 1)
        found.append(scenario.rho * found[-1] + (1 - scenario.rho**2) ** 0.5 * own if found else own)
    return [(value, 1.0) for value in found]


def alarmed(points: Sequence[tuple[float, float]], chart: Limits | RangeLimits) -> Mapping[str, bool]:
    """Which rule sets signal anything in these points?"""
    found = flags(points, chart)
    runs = run_chart([s / n for s, n in points])
    useful = sum(s / n != runs.median for s, n in points)
    return {
        "nhs": any(point.any() for point in found),
        "limits": any(point.beyond_limits for point in found),
        "anhoej": useful >= LEAST_USEFUL
        and (runs.longest_run > runs.longest_run_limit or runs.crossings < runs.crossings_limit),
    }


def alarms(
    draw: Callable[[random.Random, int, Scenario], Points], scenario: Scenario, start: int, charts: int = CHARTS
) -> dict[str, list[float]]:
    """The share of charts with a signal by rule set, for each of `LENGTHS`; they show their history from `start` on."""
    rng = random.Random(SEED)
    counts = {rules: [0] * len(LENGTHS) for rules in RULE_SETS}
    for _ in range(charts):
        points = draw(rng, BASELINE + max(LENGTHS), scenario)
        chart = limits(points) if draw is shares else range_limits([value for value, _ in points])
        assert chart is not None
        for place, length in enumerate(LENGTHS):
            for rules, alarm in alarmed(points[start : start + length], chart).items():
                counts[rules][place] += alarm
    return {rules: [count / charts for count in found] for rules, found in counts.items()}


def table(columns: Mapping[str, Sequence[float]]) -> str:
    """Columns by length as Markdown."""
    rows = [
        f"| {length} | " + " | ".join(f"{cell:.3f}" for cell in cells) + " |"
        for length, *cells in zip(LENGTHS, *columns.values(), strict=True)
    ]
    return "\n".join([f"| points | {' | '.join(columns)} |", "|--:" * (len(columns) + 1) + "|", *rows])


def main(charts: int = CHARTS) -> None:
    """All tables; the first takes the most time."""
    for start, heading in ((0, "From the start of the history"), (BASELINE, "After the baseline")):
        print(f"\n## {heading}\n", flush=True)
        steady = alarms(shares, SHARES[0], start, charts)
        correlated = alarms(shares, CORRELATED, start, charts)
        log_waits = alarms(waits, SHARES[0], start, charts)
        print("Rule sets\n")
        print(
            table(
                {
                    **{f"p′ {rules}": steady[rules] for rules in RULE_SETS},
                    **{f"XmR {rules}": log_waits[rules] for rules in RULE_SETS},
                    **{f"{CORRELATED}: {rules}": correlated[rules] for rules in RULE_SETS},
                }
            ),
            flush=True,
        )
        print("\nNHS, p′\n")
        others = {str(scenario): alarms(shares, scenario, start, charts)["nhs"] for scenario in SHARES[1:]}
        print(table({str(SHARES[0]): steady["nhs"], **others}), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else CHARTS)
