"""How often charts of an unchanged process signal, and how soon those of a changed one do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from statistics import median
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from benchmarks.control_chart import BASELINE, flags, limits, run_chart
from benchmarks.validity.study import Found, Plan, Study, Verdict, percent, prose, table
from sinks.clickhouse.control_views import FALSE_ALARMS_AFTER_BASELINE, FALSE_ALARMS_FROM_START

SEED = 300
LENGTH = 24
RULES = ("limits", "NHS", "Anhøj")
RATE, N = 0.8, 50
SHIFTS = (0.0, -0.05, -0.1, -0.15, -0.2)
AFTER = 52
WITHIN = (4, 8, 12, 26, 52)
SPREADS = ((0.0, 0.0), (0.05, 0.0), (0.05, 0.4), (0.05, 0.8))
"""Standard deviation of the rate from point to point, and its autocorrelation."""
Points = list[tuple[float, float]]


def run(plan: Plan) -> Found:
    """False alarms by rule set, place of the chart and kind of process; then delay by size of the shift."""
    charts = plan.pick(2000, 40)
    rng = np.random.default_rng(SEED)
    false = []
    for (spread, rho), start in product(SPREADS, (0, BASELINE)):
        plan.say(f"charts: nothing changes, sd {spread:g}, ρ {rho:g}, from point {start}")
        signals = [_signals(_history(rng, start + LENGTH, spread, rho), start) for _ in range(charts)]
        shares = {rule: sum(found[rule] for found in signals) / charts for rule in RULES}
        false.append({"sd": spread, "rho": rho, "start": start, **shares})
    delays = []
    for shift in SHIFTS:
        plan.say(f"charts: the rate changes by {shift:g}")
        first = [_first_signals(_shifted(rng, shift)) for _ in range(plan.pick(1000, 20))]
        delays.append({"shift": shift, **{rule: _delay([found[rule] for found in first]) for rule in RULES}})
    stated = {"0": FALSE_ALARMS_FROM_START[LENGTH], str(BASELINE): FALSE_ALARMS_AFTER_BASELINE[LENGTH]}
    sizes = {"seed": SEED, "charts": charts, "shifted": plan.pick(1000, 20)}
    return {**sizes, "stated": stated, "false": false, "delays": delays}


def _history(rng: np.random.Generator, length: int, spread: float, rho: float) -> Points:
    """Points (sum, n) of at least a baseline. The rate wanders about a mean that does not change."""
    noise = rng.standard_normal(max(length, BASELINE))
    for place in range(1, len(noise)):
        noise[place] = rho * noise[place - 1] + (1 - rho**2) ** 0.5 * noise[place]
    rates = np.clip(RATE + spread * noise, 0.0, 1.0)
    return [(float(s), float(N)) for s in rng.binomial(N, rates)]


def _shifted(rng: np.random.Generator, shift: float) -> Points:
    """A baseline, then as many points at another rate."""
    rates = np.concatenate([np.full(BASELINE, RATE), np.full(AFTER, RATE + shift)])
    return [(float(s), float(N)) for s in rng.binomial(N, rates)]


def _signals(points: Points, start: int) -> dict[str, bool]:
    """Which rule set signals anything in a chart of the points from `start` on."""
    chart, shown = limits(points), points[start : start + LENGTH]
    assert chart is not None
    found = flags(shown, chart)
    return {
        "limits": any(flag.beyond_limits for flag in found),
        "NHS": any(flag.any() for flag in found),
        "Anhøj": _unusual(shown),
    }


def _unusual(points: Points) -> bool:
    chart = run_chart([s / n for s, n in points])
    return chart.longest_run > chart.longest_run_limit or chart.crossings < chart.crossings_limit


def _first_signals(points: Points) -> dict[str, int | None]:
    """After how many points since the change each rule set first signals at the newest point; None: not in time.

    Looked at each week, as people do. A signal of the rules counts if the newest point takes part in it; Anhøj's
    rules are about the whole chart, here of all points so far.
    """
    chart = limits(points)
    assert chart is not None
    first: dict[str, int | None] = dict.fromkeys(RULES)
    for now in range(1, AFTER + 1):
        newest = flags(points[: BASELINE + now][-LENGTH:], chart)[-1]
        for rule, signalled in (("limits", newest.beyond_limits), ("NHS", newest.any())):
            if signalled and first[rule] is None:
                first[rule] = now
        if first["Anhøj"] is None and _unusual(points[: BASELINE + now]):
            first["Anhøj"] = now
    return first


def _delay(found: Sequence[int | None]) -> dict[str, Any]:
    times = [AFTER + 1 if each is None else each for each in found]
    return {
        "median": median(times),
        "within": {str(limit): sum(time <= limit for time in times) / len(times) for limit in WITHIN},
        "curve": [round(sum(time <= week for time in times) / len(times), 4) for week in range(1, AFTER + 1)],
    }


def _row(found: Found, spread: float, rho: float, start: int) -> dict[str, Any]:
    return next(r for r in found["false"] if (r["sd"], r["rho"], r["start"]) == (spread, rho, start))


def _error(found: Found, share: float) -> float:
    return float((share * (1 - share) / found["charts"]) ** 0.5)


def verdicts(found: Found) -> list[Verdict]:
    """The rate said beside a chart is the rate that is found: within three Monte-Carlo errors of both."""
    verdicts = []
    for start, name in ((0, "with its baseline"), (BASELINE, "after its baseline")):
        stated, seen = found["stated"][str(start)], _row(found, 0.0, 0.0, start)["NHS"]
        error = (2 * stated * (1 - stated)) ** 0.5 * (1 / found["charts"]) ** 0.5
        verdicts.append(
            Verdict(
                f"NHS false alarms of {LENGTH} points {name} as stated",
                f"stated {percent(stated)} %, found {percent(seen)} ± {percent(_error(found, seen))} %",
                abs(seen - stated) <= 3 * error,
            )
        )
    return verdicts


def section(found: Found) -> str:
    false = [
        [
            f"sd {row['sd']:g}, ρ {row['rho']:g}" if row["sd"] else "constant",
            "with its baseline" if row["start"] == 0 else "after its baseline",
            *(percent(row[rule]) for rule in RULES),
        ]
        for row in found["false"]
    ]
    delays = [list(_delays(row, rule)) for row in found["delays"] for rule in RULES]
    error = percent(max(_error(found, row[rule]) for row in found["false"] for rule in RULES))
    return prose(
        "charts",
        length=LENGTH,
        rate=RATE,
        n=N,
        charts=found["charts"],
        error=error,
        seed=found["seed"],
        baseline=BASELINE,
        stated_first=percent(found["stated"]["0"]),
        stated_later=percent(found["stated"][str(BASELINE)]),
        false=table(["process", "chart", *RULES], false, 2),
        shifted=found["shifted"],
        after=AFTER,
        delays=table(["rate", "rules", "median", *(f"within {limit}" for limit in WITHIN)], delays, 2),
    )


def _delays(row: dict[str, Any], rule: str) -> Iterator[str]:
    yield f"{RATE} → {RATE + row['shift']:g}"
    yield rule
    yield f"{row[rule]['median']:g}" if row[rule]["median"] <= AFTER else f"> {AFTER}"
    yield from (percent(row[rule]["within"][str(limit)], 0) for limit in WITHIN)


def draw(found: Found, figure: Figure) -> None:
    """One panel for each rule set: share of charts that have signalled, by points since the change."""
    weeks = range(1, AFTER + 1)
    for axes, rule in zip(figure.subplots(1, len(RULES), sharey=True), RULES, strict=True):
        for row, style in zip(found["delays"], ("--", "-", "-", "-", "-"), strict=True):
            colour = "0.5" if row["shift"] == 0 else None
            label = f"{RATE + row['shift']:g}" if row["shift"] else "no change"
            axes.plot(weeks, [100 * share for share in row[rule]["curve"]], style, color=colour, label=label)
        axes.set(title=rule, xlabel="points since the change")
    figure.axes[0].set_ylabel("percent of charts with a signal")
    figure.axes[0].legend(title=f"from {RATE} to")


CHARTS = Study(
    "charts",
    "How often do charts cry wolf, and how soon do they cry?",
    run,
    verdicts,
    section,
    {"validity-charts.svg": draw},
)
