"""The answer curve as docs/method.md#answer-curve defines it, bin after bin: what the store's SQL is tested against."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

Z = 1.6448536269514722


class Point(NamedTuple):
    """The share `answered` when `waited_s` is over, its 90 % bounds, and how many waited before that bin."""

    waited_s: float
    answered: float
    low: float
    high: float
    at_risk: int


def bin_of(seconds: float) -> int:
    return math.floor(4 * math.log2(1 + seconds / 15))


def bin_end_s(number: int) -> float:
    return 15 * (2 ** ((number + 1) / 4) - 1)


def answer_curve(waits: Sequence[tuple[float, bool]]) -> list[Point]:
    """The curve of these (seconds, whether for an answer), from 0 and then from the bin before the first of them."""
    answers, gone = Counter(bin_of(wait) for wait, answered in waits if answered), Counter(bin_of(w) for w, _ in waits)
    left, spread, known, at_risk = 1.0, 0.0, 0.0, len(waits)
    curve = [Point(0.0, 0.0, 0.0, 0.0, at_risk)]
    for number in range(max(min(gone) - 1, 0), max(gone) + 1):
        left *= 1 - answers[number] / at_risk
        if answers[number] < at_risk:
            spread += answers[number] / (at_risk * (at_risk - answers[number]))
            known = at_risk if left == 1 else (1 - left) / (left * spread)
        curve.append(Point(bin_end_s(number), 1 - left, *wilson(1 - left, known or at_risk), at_risk))
        at_risk -= gone[number]
    return curve


def wilson(share: float, observations: float) -> tuple[float, float]:
    middle = share + Z**2 / 2 / observations
    half = Z * math.sqrt(share * (1 - share) / observations + (Z / 2 / observations) ** 2)
    low, high = ((middle + sign * half) / (1 + Z**2 / observations) for sign in (-1, 1))
    return max(0.0, low), min(1.0, high)


def kaplan_meier(waits: Sequence[tuple[float, bool]], at: float) -> float:
    """Unbinned: at every time of an answer, the share of those still waiting that it took."""
    left = 1.0
    for time in sorted({wait for wait, answered in waits if answered and wait <= at}):
        at_risk = sum(other >= time for other, _ in waits)
        left *= 1 - sum(other == time and answered for other, answered in waits) / at_risk
    return 1 - left
