"""The effect of an intervention on a dimension of a tie: interrupted time series, alone and beside untouched ties."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.stats import t as student

from streams.inference.effect.autoregression import CORRELATIONS, degrees_of_freedom, fit
from streams.inference.effect.comparison import difference, usable
from streams.inference.effect.design import QUESTIONS, Numbers, Shape, interrupted, last_windows
from streams.inference.effect.simulated_null import half_widths
from streams.inference.effect.window import Series, Window, mean, ordered

Note = Literal[
    "exploratory",
    "possible regression to the mean",
    "spillover possible",
    "registered late",
    "another intervention in these windows",
]
LEVEL = 0.95
"""Of intervals: of interventions that do nothing, at most 5 % have one without 0."""
LEFT_OUT = 3
"""Windows before the start that no estimate uses: what was bad just then is often why people began."""
LEAST_BEFORE, LEAST_AFTER = 8, 5
"""Windows without which nothing is said; those left out are counted."""
ENOUGH = 12
"""Windows on each side, below which an effect is exploratory."""
BAD_SPELL = 1.5
"""Standard errors."""
_NOTHING = 1e-9


@dataclass(frozen=True, slots=True)
class Change:
    """An estimate with its 95 % interval, in shares (of a slope: per period)."""

    estimate: float
    low: float
    high: float

    @property
    def seen(self) -> bool:
        """The interval has no 0."""
        return self.low > 0 or self.high < 0

    @property
    def clear(self) -> bool:
        """So would be an interval of one and a half times the width."""
        return abs(self.estimate) > 0.75 * (self.high - self.low)


@dataclass(frozen=True, slots=True)
class Estimates:
    """Answers of the two shapes.

    Attributes:
        trend_before: the slope before, per period.
        level: step at the start, beside the trend before.
        slope: change of the slope per period.
        average, at_end: what both make on average over the windows after, and in the last.
        step: mean after minus mean before, as if there were no trends.
        rho: REML estimate of the correlation of neighbouring windows, of the shape with trends.
        degrees: Satterthwaite's degrees of freedom of `average`.
    """

    trend_before: Change
    level: Change
    slope: Change
    average: Change
    at_end: Change
    step: Change
    rho: float
    degrees: float

    @property
    def headline(self) -> Change:
        """The one answer that a claim rests on: `average` where a trend before is clear, else `step`.

        A trend that is only just seen is often none, and then the average beside it is as wrong.
        """
        return self.average if self.trend_before.clear else self.step


@dataclass(frozen=True, slots=True)
class Effect:
    """What can be said.

    Attributes:
        before, after: windows; the last three before are counted, and not used.
        n_before, n_after: observations in the windows that are used.
        value_before, value_after: Σs/Σn of those; None without any.
        alone: of the tie; None where too few windows, or nothing varies.
        compared: of its difference to comparison ties; None without those.
        ties_compared: how many.
        notes: what to keep in mind, in words of the method.
        verdict: one sentence, from `compared` where there is one.
    """

    before: int
    after: int
    n_before: float
    n_after: float
    value_before: float | None
    value_after: float | None
    alone: Estimates | None
    compared: Estimates | None
    ties_compared: int
    notes: tuple[Note, ...]
    verdict: str

    @property
    def headline(self) -> Change | None:
        """Of `compared` where there is one, else of `alone`: `headline.seen` is the claim of a change."""
        found = self.compared or self.alone
        return found.headline if found else None


def effect_of(
    series: Series,
    start: int,
    *,
    end: int | None = None,
    comparison: Sequence[Series] = (),
    registered_late: bool = False,
    other_intervention: bool = False,
) -> Effect:
    """The effect on one series of a change that was in force from period `start` on.

    Args:
        series: ripe windows of publishable atoms. A period in which the change began belongs to neither side: leave
            it out, and let `start` be the next.
        end: first period in which it was no longer in force; windows from there on are not used.
        comparison: series of ties that share no role with a touched one.
        registered_late: the intervention was registered when the first window after was under way.
        other_intervention: another one touched this tie in these windows.
    Raises: ValueError: two windows of one series have the same number.
    Cost: about 30 ms for 24 windows and 200 ms for 104, on one core; as much again with a comparison.
    Source: docs/method/effects.md
    """
    windows = [window for window in ordered(series) if end is None or window.number < end]
    before = [window for window in windows if window.number < start]
    after = [window for window in windows if window.number >= start]
    used = [*before[:-LEFT_OUT], *after]
    others = usable(used, comparison)
    alone = estimates(used, start) if _enough(before, after) else None
    compared = estimates(difference(used, others), start) if alone and others else None
    notes: dict[Note, bool] = {
        "exploratory": min(len(before), len(after)) < ENOUGH,
        "possible regression to the mean": bad_spell(before),
        "spillover possible": compared is None,
        "registered late": registered_late,
        "another intervention in these windows": other_intervention,
    }
    return Effect(
        len(before),
        len(after),
        sum(window.n for window in before[:-LEFT_OUT]),
        sum(window.n for window in after),
        mean(before[:-LEFT_OUT]) if len(before) > LEFT_OUT else None,
        mean(after) if after else None,
        alone,
        compared,
        len(others) if compared else 0,
        tuple(note for note, applies in notes.items() if applies),
        _verdict(compared or alone, before, after),
    )


def estimates(windows: Sequence[Window], start: int) -> Estimates | None:
    """Both shapes; None if nothing is left to tell chance by: too few windows on a side, or none that varies."""
    sides = sum(window.number < start for window in windows), sum(window.number >= start for window in windows)
    if min(sides) < LEAST_AFTER or not _varies(windows, start):
        return None
    found, rho, degrees = _answers(windows, start, "trend")
    step, _, _ = _answers(windows, start, "step")
    return Estimates(**found, **step, rho=rho, degrees=degrees)


def bad_spell(before: Sequence[Window]) -> bool:
    """The last three windows lie more than 1.5 standard errors off those before, up or down: they may have come back
    by themselves. False where that cannot be told."""
    if len(before) < LEFT_OUT + LEAST_AFTER:
        return False
    design = last_windows(before, LEFT_OUT)
    fitted = fit(design, _values(before))
    return bool(abs(fitted.answers[0, 0]) > BAD_SPELL * fitted.errors[0, 0])


def _enough(before: Sequence[Window], after: Sequence[Window]) -> bool:
    return len(before) >= LEAST_BEFORE and len(after) >= LEAST_AFTER


def _varies(windows: Sequence[Window], start: int) -> bool:
    """Beside two straight lines: without that, nothing tells a change from chance."""
    columns, values = interrupted(windows, start, "trend").columns, _values(windows)
    return bool(np.abs(values - columns @ np.linalg.lstsq(columns, values, rcond=None)[0]).max() > _NOTHING)


def _answers(windows: Sequence[Window], start: int, shape: Shape) -> tuple[dict[str, Change], float, float]:
    """By question; ρ; degrees of freedom of the last but one question."""
    design = interrupted(windows, start, shape)
    fitted = fit(design, _values(windows))
    degrees = degrees_of_freedom(design, fitted)[:, 0]
    # Each is right where the other is not: with little correlation the first is exact, with much the second is wider.
    widths = np.maximum(student.ppf((1 + LEVEL) / 2, degrees), half_widths(design, fitted.likely[:, 0], LEVEL))
    reach = widths * fitted.errors[:, 0]
    found = {
        question: Change(float(answer), float(answer - by), float(answer + by))
        for question, answer, by in zip(QUESTIONS[shape], fitted.answers[:, 0], reach, strict=True)
    }
    return found, CORRELATIONS[int(fitted.best[0])].rho, float(degrees[max(0, len(degrees) - 2)])


def _values(windows: Sequence[Window]) -> Numbers:
    """T × 1, about their mean: digits are not lost where shares are all alike."""
    values = np.array([window.value for window in windows], dtype=np.float64)
    centered: Numbers = (values - values.mean())[:, None]
    return centered


def _verdict(found: Estimates | None, before: Sequence[Window], after: Sequence[Window]) -> str:
    if not _enough(before, after):
        return f"not enough data: {len(before)} of {LEAST_BEFORE} windows before, {len(after)} of {LEAST_AFTER} after"
    if found is None:
        return "not enough data: nothing varies from window to window"
    if found.trend_before.clear:
        if found.average.seen:
            return f"{_direction(found.average)} afterwards than the trend before leads to expect"
        return "no change that can be told from the trend that was there before"
    if found.step.seen:
        also = found.average.seen and _direction(found.average) == _direction(found.step)
        said = "beside any trend before too" if also else "a trend before is not clear, and not ruled out"
        return f"{_direction(found.step)} afterwards than before; {said}"
    return "no change that can be told from common cause"


def _direction(change: Change) -> str:
    return "higher" if change.estimate > 0 else "lower"
