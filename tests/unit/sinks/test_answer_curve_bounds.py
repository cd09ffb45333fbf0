"""What the method promises of the bounds of an answer curve, by simulation."""

from __future__ import annotations

import math
import random
from statistics import NormalDist

import pytest

from tests.unit.sinks.answer_curves import answer_curve, bin_end_s

MEDIAN_S, DUE_S, CURVES = 1800.0, 5400.0, 400
PLACES = [bin_end_s(number) for number in (20, 24, 28, 32)]


@pytest.mark.parametrize("handoffs", [10, 20, 40])
def test_bounds_hold_the_true_share_about_nine_times_in_ten(handoffs: int) -> None:
    """Log-normal waits; every offer is followed until due and then for a while, and may go unanswered."""
    dice = random.Random(handoffs)
    held = dict.fromkeys(PLACES, 0)
    for _ in range(CURVES):
        waits = [dice.lognormvariate(math.log(MEDIAN_S), 1.2) for _ in range(handoffs)]
        ends = [DUE_S + dice.expovariate(1 / (3 * DUE_S)) for _ in range(handoffs)]
        curve = answer_curve([(min(wait, end), wait <= end) for wait, end in zip(waits, ends, strict=True)])
        for place in PLACES:
            # Before the first answer as at its first bin; where nobody is left to watch, what it said last stands.
            point = next((point for point in curve[1:] if point.waited_s >= place - 1e-6), curve[-1])
            held[place] += point.low <= _true_share(place) <= point.high
    for place, times in held.items():
        assert 0.77 <= times / CURVES <= 0.98, (place, _true_share(place), times)


def _true_share(seconds: float) -> float:
    return NormalDist(math.log(MEDIAN_S), 1.2).cdf(math.log(seconds))


def test_bounds_exist_before_the_first_answer_and_after_the_last() -> None:
    first, *_, last = answer_curve([(100.0, True)] * 12)[1:]
    assert (first.low, first.answered, round(first.high, 3)) == (0.0, 0.0, 0.184)
    assert (round(last.low, 3), last.answered, last.high) == (0.816, 1.0, 1.0)


def test_bounds_are_those_of_a_share_where_nothing_is_censored() -> None:
    curve = answer_curve([(100.0, True)] * 9 + [(5000.0, True)] * 11)
    (half,) = {point[1:4] for point in curve if 0 < point.answered < 1}
    # Wilson's 90 % interval of 9 in 20.
    assert half == pytest.approx((0.45, 0.2839, 0.6277), abs=5e-4)
