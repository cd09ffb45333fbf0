"""How often an intervention that does nothing seems to, and how often one that does something is seen.

The intervals are those of `streams.inference.effect`, worked out for thousands of series of one design at once: what
its simulated null says of one depends on it only through the correlation that each simulated series gets, so all can
share their fits. `check` compares with `effect_of`, series by series, before anything is counted.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import product
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from scipy.stats import t as student

from benchmarks.validity.study import Found, Plan, Study, Verdict, percent, prose, table
from streams.inference.effect.autoregression import CORRELATIONS, degrees_of_freedom, factor, fit
from streams.inference.effect.design import QUESTIONS, Design, Shape, interrupted, last_windows
from streams.inference.effect.effect import BAD_SPELL, LEFT_OUT, LEVEL, Change, effect_of
from streams.inference.effect.simulated_null import SEED as NULL_SEED
from streams.inference.effect.simulated_null import SERIES
from streams.inference.effect.window import Window

SEED = 400
WINDOWS = (8, 12, 20, 26)
WANDERING = ((0.0, 0.0), (0.2, 0.0), (0.4, 0.0), (0.6, 0.0), (0.8, 0.5))
"""Correlation of neighbouring windows, and the share of the variance that is each window's own, as from counting."""
POWERED = ((0.0, 0.0), (0.4, 0.0))
SIZES = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0)
PROMISED = 0.05
_SHAPES: tuple[Shape, ...] = ("trend", "step")
_BAD = -1.0
Array = Any


@dataclass
class Judge:
    """Says which of many series of one design have an effect: windows before (the last three unused), windows after."""

    before: int
    after: int
    _null: dict[Shape, Array] = field(default_factory=dict)

    @property
    def used(self) -> list[int]:
        """Places of the windows that estimates use."""
        return [place for place in range(self.before + self.after) if not 0 < self.before - place <= LEFT_OUT]

    def seen(self, values: Array) -> dict[str, Array]:
        """By question: which of the T × B series have an interval without 0. `said`: the one that a claim rests on."""
        found: dict[str, Array] = {}
        changes: dict[str, Change] = {}
        for shape in _SHAPES:
            low, high = self.intervals(shape, values)
            found |= dict(zip(QUESTIONS[shape], (low > 0) | (high < 0), strict=True))
            bounds = zip(low, high, strict=True)
            changes |= {
                question: Change((a + b) / 2, a, b) for question, (a, b) in zip(QUESTIONS[shape], bounds, strict=True)
            }
        clear = changes["trend_before"].clear  # of arrays: the product's own rule, for all series at once
        return {**found, "said": np.where(clear, found["average"], found["step"]), "clear": clear}

    def noted(self, values: Array) -> Array:
        """Which series are said to come after a bad spell."""
        design = last_windows([Window(place, 0.0, 1.0) for place in range(self.before)], LEFT_OUT)
        fitted = fit(design, values[: self.before] - values[: self.before].mean(0))
        noted: Array = np.abs(fitted.answers[0]) > BAD_SPELL * fitted.errors[0]
        return noted

    def intervals(self, shape: Shape, values: Array) -> tuple[Array, Array]:
        """Bounds, each k × B."""
        design = self._design(shape)
        fitted = fit(design, values[self.used] - values[self.used].mean(0))
        by_t = student.ppf((1 + LEVEL) / 2, degrees_of_freedom(design, fitted))
        reach = np.maximum(by_t, self._half_widths(shape, fitted.likely)) * fitted.errors
        return fitted.answers - reach, fitted.answers + reach

    def _design(self, shape: Shape) -> Design:
        windows = [Window(place, 0.0, 1.0) for place in self.used]
        return interrupted(windows, self.before, shape)

    def _half_widths(self, shape: Shape, likely: Array) -> Array:
        """k × B. The same numbers as `half_widths` draws for each series."""
        ratios = self._ratios(shape)
        uniform = np.random.Generator(np.random.PCG64(NULL_SEED)).random(SERIES)
        series = np.arange(SERIES)
        widths = []
        for cumulated in np.cumsum(likely[:-1], axis=0).T:
            places = np.searchsorted(cumulated, uniform, side="right")
            widths.append(np.quantile(ratios[places, :, series], LEVEL, axis=0))
        return np.array(widths).T

    def _ratios(self, shape: Shape) -> Array:
        """G × k × SERIES: |answer ÷ standard error| of every simulated series under every correlation."""
        if shape not in self._null:
            design = self._design(shape)
            random = np.random.Generator(np.random.PCG64(NULL_SEED))
            random.random(SERIES)
            noise = random.standard_normal((len(design.weights), SERIES))
            fits = (fit(design, factor(design, correlation) @ noise) for correlation in CORRELATIONS)
            self._null[shape] = np.array([np.abs(each.answers / each.errors) for each in fits])
        return self._null[shape]


def run(plan: Plan) -> Found:
    """False positives for every design, correlation and kind of start, then power."""
    judges = {windows: Judge(windows, windows) for windows in WINDOWS if windows <= plan.pick(26, 12)}
    check(judges[8])
    size = plan.pick(5000, 60)
    false, power = [], []
    for (windows, judge), (rho, own), bad in product(judges.items(), WANDERING, (False, True)):
        plan.say(f"effects: nothing happens, {windows} + {windows}, ρ {rho:g}{', after a bad spell' if bad else ''}")
        values = _series(judge, rho, own, size, bad)
        false.append({"windows": windows, "rho": rho, "own": own, "bad": bad, **_shares(judge, values)})
    for (windows, judge), (rho, own) in product(judges.items(), POWERED):
        plan.say(f"effects: something happens, {windows} + {windows}, ρ {rho:g}")
        values = _series(judge, rho, own, size // 4, False)
        for change in SIZES:
            moved = values + change * (np.arange(len(values)) >= judge.before)[:, None]
            power.append({"windows": windows, "rho": rho, "size": change, **_shares(judge, moved)})
    return {"seed": SEED, "series": size, "false": false, "power": power}


def check(judge: Judge, series: int = 5) -> None:
    """The intervals here are those of the product. Raises: AssertionError: they are not."""
    values = 0.8 + 0.05 * _series(judge, 0.4, 0.0, series, False)
    for number, column in enumerate(values.T):
        windows = [Window(place, float(value), 40.0) for place, value in enumerate(column)]
        effect = effect_of(windows, judge.before)
        found = effect.alone
        assert found is not None
        assert ("possible regression to the mean" in effect.notes) == judge.noted(values)[number]
        assert found.headline.seen == judge.seen(values)["said"][number]
        for shape in _SHAPES:
            low, high = judge.intervals(shape, values)
            for place, question in enumerate(QUESTIONS[shape]):
                change = getattr(found, question)
                bounds = [low[place, number], high[place, number]]
                np.testing.assert_allclose(bounds, [change.low, change.high], rtol=1e-7, atol=1e-10)


def _series(judge: Judge, rho: float, own: float, size: int, bad: bool) -> Array:
    """T × B series of variance 1, AR(1) but for the share `own`; `bad`: only those whose last three windows before the
    start were low."""
    rng = np.random.default_rng([SEED, judge.before, judge.after, round(100 * rho), bad])
    kept: list[Array] = []
    while sum(each.shape[1] for each in kept) < size:
        noise = rng.standard_normal((judge.before + judge.after, 20_000 if bad else size))
        values = noise.copy()
        for place in range(1, len(noise)):
            values[place] = rho * values[place - 1] + np.sqrt(1 - rho**2) * noise[place]
        values = np.sqrt(1 - own) * values + np.sqrt(own) * rng.standard_normal(values.shape)
        spell = values[judge.before - LEFT_OUT : judge.before].mean(0)
        kept.append(values[:, spell < _BAD] if bad else values)
    return np.concatenate(kept, axis=1)[:, :size]


def _shares(judge: Judge, values: Array) -> dict[str, float]:
    """Share of series with an interval without 0, by question.

    `said`: the verdict, `unnoted` those without the note of a bad spell, `noted` all with it; `ols`: as if independent.
    """
    seen = judge.seen(values)
    noted = judge.noted(values)
    shares = {**seen, "unnoted": seen["said"] & ~noted, "noted": noted}
    return {**{name: float(flags.mean()) for name, flags in shares.items()}, "ols": _ordinary(judge, values)}


def _ordinary(judge: Judge, values: Array) -> float:
    """Level change by ordinary least squares with trends over all windows: what to expect without any of this."""
    at = np.arange(judge.before + judge.after) - judge.before
    after = (at >= 0).astype(float)
    columns = np.column_stack([np.ones_like(after), at, after, after * at])
    coefficients, residual, _, _ = np.linalg.lstsq(columns, values, rcond=None)
    spare = len(at) - 4
    error = np.sqrt(residual / spare * np.linalg.inv(columns.T @ columns)[2, 2])
    return float((np.abs(coefficients[2] / error) > student.ppf((1 + LEVEL) / 2, spare)).mean())


def _error(found: Found, share: float = PROMISED) -> float:
    return float((share * (1 - share) / found["series"]) ** 0.5)


_STARTS = {False: "starts at any time", True: "starts after a bad spell"}
_PROCESSES = {False: "AR(1), ρ 0 to .6", True: "ρ .8 under counting noise"}


def verdicts(found: Found) -> list[Verdict]:
    """Of each interval by itself and of what is said; above is above by two Monte-Carlo errors."""
    allowed = PROMISED + 2 * _error(found)
    verdicts = []
    for (bad, start), (own, process) in product(_STARTS.items(), _PROCESSES.items()):
        rows = [row for row in found["false"] if row["bad"] == bad and (row["own"] > 0) == own]
        for question, name in (("said", "verdict"), ("step", "before and after"), ("average", "beside the trend")):
            worst = max(row[question] for row in rows)
            over = sum(row[question] > allowed for row in rows)
            said = f"worst {percent(worst)} %, {over} of {len(rows)} cells above"
            verdicts.append(Verdict(f"false effects ≤ 5 %: *{name}*, {process}, {start}", said, over == 0))
    return verdicts


def section(found: Found) -> str:
    questions = ["average", "at_end", "level", "slope", "step", "said", "unnoted", "ols"]
    names = ["average", "at end", "level", "slope", "step", "verdict", "without note", "plain OLS"]
    allowed = PROMISED + 2 * _error(found)
    false = [
        [
            f"{row['windows']} + {row['windows']}",
            f"{row['rho']:g}" if not row["own"] else f"{row['rho']:g}, half counting",
            "after a bad spell" if row["bad"] else "any time",
            *(_marked(row[question], allowed) for question in questions),
        ]
        for row in found["false"]
    ]
    power = [
        [f"{windows} + {windows}", f"{rho:g}", name, *(_power(found, windows, rho, question))]
        for windows in dict.fromkeys(row["windows"] for row in found["power"])
        for rho in dict.fromkeys(row["rho"] for row in found["power"])
        for question, name in (("average", "average"), ("step", "step"), ("said", "verdict"))
    ]
    return prose(
        "effects",
        series=found["series"],
        error=percent(_error(found)),
        seed=found["seed"],
        false=table(["windows", "ρ", "start", *names], false, 3),
        powered=found["series"] // 4,
        power=table(["windows", "ρ", "question", *(f"{size:g} sd" for size in SIZES)], power, 3),
    )


def _marked(share: float, allowed: float) -> str:
    return f"**{percent(share)}**" if share > allowed else percent(share)


def _power(found: Found, windows: int, rho: float, question: str) -> list[str]:
    rows = [row for row in found["power"] if row["windows"] == windows and row["rho"] == rho]
    return [percent(row[question], 0) for row in rows]


def draw_false(found: Found, figure: Figure) -> None:
    """False positives of the average and of plain OLS by correlation, one panel for each kind of start."""
    panels = figure.subplots(1, 2, sharey=True)
    for axes, bad in zip(panels, (False, True), strict=True):
        for windows, mark in zip(WINDOWS, ("o", "s", "^", "x"), strict=True):
            of = (row for row in found["false"] if row["windows"] == windows and row["bad"] == bad)
            rows = [row for row in of if not row["own"]]
            if rows:
                label = f"{windows} + {windows}"
                axes.plot([r["rho"] for r in rows], [100 * r["average"] for r in rows], marker=mark, label=label)
                ordinary = [100 * r["ols"] for r in rows]
                axes.plot([r["rho"] for r in rows], ordinary, marker=mark, color="0.75", zorder=1)
        axes.axhline(100 * PROMISED, color="0.4", linestyle="--", linewidth=1)
        axes.set(
            xlabel="correlation of neighbouring windows", title="after a bad spell" if bad else "start at any time"
        )
    panels[0].set_ylabel("percent false positives (grey: plain OLS)")
    panels[0].legend(title="windows")


def draw_power(found: Found, figure: Figure) -> None:
    """Power of average and step by size, one panel for each correlation."""
    rhos = list(dict.fromkeys(row["rho"] for row in found["power"]))
    for axes, rho in zip(figure.subplots(1, len(rhos), sharey=True), rhos, strict=True):
        for windows, mark in zip(WINDOWS, ("o", "s", "^", "x"), strict=True):
            rows = [row for row in found["power"] if row["windows"] == windows and row["rho"] == rho]
            if rows:
                (line,) = axes.plot([r["size"] for r in rows], [100 * r["average"] for r in rows], marker=mark)
                line.set_label(f"{windows} + {windows}, average")
                steps = [100 * r["step"] for r in rows]
                axes.plot([r["size"] for r in rows], steps, marker=mark, linestyle=":", color=line.get_color())
        axes.set(xlabel="change in standard deviations of a window", title=f"ρ {rho:g} (dotted: step)")
    figure.axes[0].set_ylabel("percent seen")
    figure.axes[0].legend()


EFFECTS = Study(
    "effects",
    "Is an intervention that does nothing called an effect?",
    run,
    verdicts,
    section,
    {"validity-effects.svg": draw_false, "validity-power.svg": draw_power},
)
