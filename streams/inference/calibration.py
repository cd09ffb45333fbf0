"""Does a proxy order ties as a survey does? Spearman's rank correlation, with an interval from permuting roles.

Ties that share a role are not independent: twenty ties between seven roles say less than twenty of forty roles. So the
null distribution comes from giving the roles of one side other names, all ties of a role together (the quadratic
assignment procedure), and the interval is as wide as that distribution on Fisher's scale, wider where the correlation
is strong (Bonett & Wright 2000). Where its lower bound is above 0, a one-sided test at 5 % sees more than chance.

Source: docs/surveys.md#how-the-interval-is-made
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import permutations
from typing import NamedTuple

VALIDATED_TIES, VALIDATED_ROLES = 20, 7
LEAST_TIES, LEAST_ROLES = 6, 4
"""Below, no correlation is worth a figure: four roles can be given other names in 24 ways."""
MOST_ROLES_IN_FULL, DRAWN = 6, 1999
"""Up to so many roles all permutations are taken (6! = 720), beyond that so many drawn ones."""
_QUANTILE = 0.95
_MOST = 1 - 1e-6
_WORD = (1 << 64) - 1


class RatedTie(NamedTuple):
    """What a survey and a proxy say about one tie: the mean of the raters (role `experiencer`), and the estimate."""

    communicator: str
    experiencer: str
    survey: float
    proxy: float


class Calibration(NamedTuple):
    """How far a proxy goes along with a survey.

    Attributes:
        correlation, low, high: Spearman's, and its 90 % interval; None: not enough data, or all of one side alike.
        permutations: how many were used, besides the one that was found.
        validated: at least 20 ties over 7 roles, and a lower bound above 0. All else is *not validated here*.
    """

    ties: int
    roles: int
    correlation: float | None = None
    low: float | None = None
    high: float | None = None
    permutations: int = 0

    @property
    def validated(self) -> bool:
        return self.ties >= VALIDATED_TIES and self.roles >= VALIDATED_ROLES and (self.low or 0.0) > 0

    @property
    def verdict(self) -> str:
        """In words, as reports and commands say it."""
        if self.correlation is None:
            return "not enough data"
        return "goes along with the survey here" if self.validated else "not validated here"


def calibration(ties: Sequence[RatedTie]) -> Calibration:
    """The rank correlation of survey and proxy over ties, each pair of roles at most once.

    Cost: 2,000 permutations of 40 ties, 50 ms.
    """
    kept = sorted(ties)
    roles = sorted({role for tie in kept for role in (tie.communicator, tie.experiencer)})
    found = Calibration(len(kept), len(roles))
    if len(kept) < LEAST_TIES or len(roles) < LEAST_ROLES:
        return found
    survey, proxy = ranks([tie.survey for tie in kept]), ranks([tie.proxy for tie in kept])
    correlation = _pearson(survey, proxy)
    if correlation is None:
        return found
    null = _null(kept, roles, survey, proxy)
    if not null:
        return found
    middle, wider = _fisher(correlation), math.sqrt(1 + correlation**2 / 2)
    low = math.tanh(middle - wider * _quantile(null, _QUANTILE))
    high = math.tanh(middle - wider * _quantile(null, 1 - _QUANTILE))
    return found._replace(
        correlation=correlation,
        low=min(correlation, low),
        high=max(correlation, high),
        permutations=len(null),
    )


def ranks(values: Sequence[float]) -> list[float]:
    """1 for the smallest; equal values share the mean of their ranks."""
    order = sorted(range(len(values)), key=lambda place: values[place])
    found = [0.0] * len(values)
    start = 0
    while start < len(order):
        end = start
        while end + 1 < len(order) and values[order[end + 1]] == values[order[start]]:
            end += 1
        for place in order[start : end + 1]:
            found[place] = (start + end) / 2 + 1
        start = end + 1
    return found


def _null(
    ties: Sequence[RatedTie], roles: Sequence[str], survey: Sequence[float], proxy: Sequence[float]
) -> list[float]:
    """Correlations, on Fisher's scale, with the survey's roles renamed: over the ties that both then have.

    Fewer ties are left than there are, so each is brought back to the spread that as many as there are would have.
    """
    number = {role: place for place, role in enumerate(roles)}
    pairs = [(number[tie.communicator], number[tie.experiencer]) for tie in ties]
    said: Mapping[tuple[int, int], float] = dict(zip(pairs, survey, strict=True))
    found = []
    for renamed in _renamings(len(roles)):
        both = [
            (other, own)
            for (a, b), own in zip(pairs, proxy, strict=True)
            if (other := said.get((renamed[a], renamed[b]))) is not None
        ]
        if len(both) >= LEAST_TIES - 1:
            correlation = _pearson([one for one, _ in both], [other for _, other in both])
            if correlation is not None:
                found.append(_fisher(correlation) * math.sqrt((len(both) - 1) / (len(ties) - 1)))
    return sorted(found)


def _renamings(roles: int) -> Iterator[Sequence[int]]:
    """Permutations of the roles: all but the first, or drawn ones, the same at every call."""
    if roles <= MOST_ROLES_IN_FULL:
        every = permutations(range(roles))
        next(every)
        yield from every
        return
    state = roles
    for _ in range(DRAWN):
        drawn = list(range(roles))
        for place in range(roles - 1, 0, -1):
            state, number = _next(state)
            other = number % (place + 1)
            drawn[place], drawn[other] = drawn[other], drawn[place]
        yield drawn


def _next(state: int) -> tuple[int, int]:
    """SplitMix64 (Steele, Lea & Flood 2014): numbers that look drawn, and are the same everywhere and always."""
    state = (state + 0x9E3779B97F4A7C15) & _WORD
    mixed = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & _WORD
    mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _WORD
    return state, mixed ^ (mixed >> 31)


def _pearson(xs: Sequence[float], ys: Sequence[float]) -> float | None:
    """None: all of one side are alike."""
    x_mean, y_mean = math.fsum(xs) / len(xs), math.fsum(ys) / len(ys)
    xx = math.fsum((x - x_mean) ** 2 for x in xs)
    yy = math.fsum((y - y_mean) ** 2 for y in ys)
    if xx <= 0 or yy <= 0:
        return None
    xy = math.fsum((x - x_mean) * (y - y_mean) for x, y in zip(xs, ys, strict=True))
    return max(-1.0, min(1.0, xy / math.sqrt(xx * yy)))


def _fisher(correlation: float) -> float:
    return math.atanh(max(-_MOST, min(_MOST, correlation)))


def _quantile(ordered: Sequence[float], share: float) -> float:
    """Linear between neighbours."""
    place = share * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])
