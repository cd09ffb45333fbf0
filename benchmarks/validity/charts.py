"""How often charts of an unchanged process signal, and how soon those of a changed one do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from statistics import median
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from benchmarks.control_chart import BASELINE, flags, limits
from benchmarks.false_alarms import alarmed
from benchmarks.validity.study import Found, Plan, Study, Verdict, percent, prose, table
from sinks.clickhouse.expected_alarms import OF_SHARES

SEED = 300
LENGTH = 24
RULES = {"limits": "limits", "NHS": "nhs", "Anhøj": "anhoej"}
"""As the page calls a rule set, and as the views do."""
STARTS = {0: ("start", "with its baseline"), BASELINE: ("after", "after its baseline")}
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
    stated = {key: {rule: OF_SHARES[rules][key][LENGTH] for rule, rules in RULES.items()} for key, _ in STARTS.values()}
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
    chart = limits(points)
    assert chart is not None
    found = alarmed(points[start : start + LENGTH], chart)
    return {rule: found[rules] for rule, rules in RULES.items()}


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
        if first["Anhøj"] is None and alarmed(points[: BASELINE + now], chart)["anhoej"]:
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
    for start, (key, name) in STARTS.items():
        for rule, stated in found["stated"][key].items():
            seen = _row(found, 0.0, 0.0, start)[rule]
            error = (2 * stated * (1 - stated) / found["charts"]) ** 0.5
            said = f"stated {percent(stated)} %, found {percent(seen)} ± {percent(_error(found, seen))} %"
            promise = f"false alarms of {LENGTH} points as stated, {rule}, {name}"
            verdicts.append(Verdict(promise, said, abs(seen - stated) <= 3 * error))
    return verdicts


def section(found: Found) -> str:
    false = [
        [
            f"sd {row['sd']:g}, ρ {row['rho']:g}" if row["sd"] else "constant",
            STARTS[row["start"]][1],
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
    figure.axes[1].legend(loc="lower right", title=f"from {RATE} to")


CHARTS = Study(
    "charts",
    "Do charts signal as often as stated, and how soon after a change?",
    run,
    verdicts,
    section,
    {"validity-charts.svg": draw},
)
