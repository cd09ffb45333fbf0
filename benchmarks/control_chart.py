"""Control charts of one series in plain Python: what `tie_control` and `tie_latency_control` say in SQL, and what
simulations of them use.

Rules and formulas: docs/method/charts.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, groupby, pairwise
from math import comb, log2, sqrt
from statistics import median

BASELINE = 20
"""Points that fix the limits."""
LONG_RUN = 7
D2 = 1.128


@dataclass(frozen=True)
class Limits:
    """Centre of a p′ chart and σz; None for a baseline in which nothing varies."""

    center: float
    sigma_z: float | None

    def sigma(self, n: float) -> float | None:
        """σᵢ σz of a point with n observations."""
        return None if self.sigma_z is None else sqrt(self.center * (1 - self.center) / n) * self.sigma_z


@dataclass(frozen=True)
class RangeLimits:
    """Centre of an XmR chart and its mean moving range; 0 for a baseline in which nothing moves."""

    center: float
    moving_range: float

    def sigma(self, n: float = 1.0) -> float | None:
        """Of every point, however many observations it has: limits are 2.66 moving ranges from the centre."""
        return self.moving_range / D2 if self.moving_range > 0 else None

    @property
    def range_limit(self) -> float:
        return 3.267 * self.moving_range


@dataclass(frozen=True)
class Flags:
    """Which rules of the set *NHS making data count* a point takes part in breaking."""

    beyond_limits: bool
    shift: bool
    trend: bool
    near_limit: bool

    def any(self) -> bool:
        return self.beyond_limits or self.shift or self.trend or self.near_limit


@dataclass(frozen=True)
class RunChart:
    """Anhøj's two rules; points on the median are not useful and not counted."""

    median: float
    longest_run: int
    longest_run_limit: int
    crossings: int
    crossings_limit: int


def limits(history: Sequence[tuple[float, float]]) -> Limits | None:
    """From the first 20 points (sum, n) of a history, oldest first; None with fewer.

    Source: D. B. Laney, Improved control charts for attributes, Quality Engineering 14 (2002) 531-537.
    """
    if len(history) < BASELINE:
        return None
    baseline = history[:BASELINE]
    center = sum(s for s, _ in baseline) / sum(n for _, n in baseline)
    if center <= 0 or center >= 1:
        return Limits(center, None)
    z = [(s / n - center) / sqrt(center * (1 - center) / n) for s, n in baseline]
    moves = [abs(b - a) for a, b in pairwise(z)]
    sigma_z = sum(moves) / len(moves) / D2
    return Limits(center, sigma_z if sigma_z > 0 else None)


def range_limits(history: Sequence[float]) -> RangeLimits | None:
    """Of an XmR chart, from its first 20 values; None with fewer.

    Source: D. J. Wheeler, Understanding Variation, 2nd ed. (2000).
    """
    if len(history) < BASELINE:
        return None
    baseline = history[:BASELINE]
    moves = [abs(b - a) for a, b in pairwise(baseline)]
    return RangeLimits(sum(baseline) / BASELINE, sum(moves) / len(moves))


def segments(starts: Sequence[float], breaks: Sequence[float]) -> list[list[int]]:
    """Places of points that share a baseline: a chart begins anew with the first point that starts at or after a break.

    Args:
        starts: of the points' periods, ascending.
    """
    passed = [sum(at <= start for at in breaks) for start in starts]
    return [[place for place, _ in run] for _, run in groupby(enumerate(passed), key=lambda found: found[1])]


def flags(points: Sequence[tuple[float, float]], chart: Limits | RangeLimits) -> list[Flags]:
    """The four rules over the points (sum, n) that are shown; of an XmR chart (value, 1)."""
    values = [s / n for s, n in points]
    sides = [_sign(value - chart.center) for value in values]
    outer = [_beyond(value, chart, n, 2) for value, (_, n) in zip(values, points, strict=True)]
    beyond = [_beyond(value, chart, n, 3) for value, (_, n) in zip(values, points, strict=True)]
    shifted = [side != 0 and length >= LONG_RUN for side, length in zip(sides, _run_lengths(sides), strict=True)]
    steps = [_sign(b - a) for a, b in pairwise(values)]
    climbing = [step != 0 and length >= LONG_RUN - 1 for step, length in zip(steps, _run_lengths(steps), strict=True)]
    into, out = [False, *climbing], [*climbing, False]
    padded = [0, 0, *outer, 0, 0]
    near = [
        side != 0 and side in (padded[i], padded[i + 1], padded[i + 3], padded[i + 4]) for i, side in enumerate(outer)
    ]
    return [
        Flags(beyond[i] != 0, shifted[i], bool(values) and (into[i] or out[i]), near[i]) for i in range(len(values))
    ]


def run_chart(values: Sequence[float]) -> RunChart:
    """Source: J. Anhøj, A. V. Olesen, Run charts revisited, PLoS ONE 9 (2014) e113825."""
    middle = median(values)
    useful = [_sign(value - middle) for value in values if value != middle]
    runs = [len(list(run)) for _, run in groupby(useful)]
    return RunChart(
        median=middle,
        longest_run=max(runs, default=0),
        longest_run_limit=round(log2(len(useful)) + 3) if useful else 0,
        crossings=max(0, len(runs) - 1),
        crossings_limit=fewest_crossings(len(useful)),
    )


def fewest_crossings(useful: int) -> int:
    """The 5 % quantile of a binomial with useful − 1 trials at a half, exactly; 0 for fewer than two points."""
    trials = useful - 1
    if trials < 1:
        return 0
    below = accumulate(comb(trials, k) for k in range(trials + 1))
    return next(k for k, ways in enumerate(below) if 20 * ways >= 2**trials)


def long_runs(values: Sequence[float]) -> list[bool]:
    """Which points are in a run about the median that is longer than Anhøj's limit."""
    found = run_chart(values)
    useful = [_sign(value - found.median) for value in values if value != found.median]
    lengths = iter(_run_lengths(useful))
    return [value != found.median and next(lengths) > found.longest_run_limit for value in values]


def median_wait_s(answered: Mapping[int, int], gone: Mapping[int, int]) -> float | None:
    """The Kaplan-Meier median of waits in bins (see sinks.clickhouse.details_sql), in a straight line within its bin.

    Args:
        answered: bin to how many were answered in it.
        gone: bin to how many were no longer followed after it, unanswered.
    Returns: seconds; None if more than half had not been answered when they were last seen.
    """
    left, at_risk = 1.0, sum(answered.values()) + sum(gone.values())
    for number in sorted({*answered, *gone}):
        before, answers = left, answered.get(number, 0)
        left *= 1 - answers / at_risk
        at_risk -= answers + gone.get(number, 0)
        if left <= 0.5 + 1e-9 and before > left:
            place = number + (before - 0.5) / (before - left)
            return float(15 * (2 ** (place / 4) - 1))
    return None


def _sign(x: float) -> int:
    return (x > 0) - (x < 0)


def _beyond(value: float, chart: Limits | RangeLimits, n: float, sigmas: int) -> int:
    """The side of a point that lies more than so many sigmas from the centre, or 0."""
    sigma = chart.sigma(n)
    return _sign(value - chart.center) if sigma is not None and abs(value - chart.center) > sigmas * sigma else 0


def _run_lengths(signs: Sequence[int]) -> list[int]:
    """For each element the length of the run of equal ones that it is in."""
    lengths = [len(list(run)) for _, run in groupby(signs)]
    return [length for length in lengths for _ in range(length)]
