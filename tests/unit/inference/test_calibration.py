"""Rank correlation of a survey and its proxies, and what its interval promises."""

from __future__ import annotations

import math
import random

import pytest

from streams.inference.calibration import LEAST_TIES, Calibration, RatedTie, calibration, ranks


def ties(roles: int, count: int, strength: float, seed: int = 1) -> list[RatedTie]:
    """Ties of which survey and proxy share so much, shuffled."""
    rng = random.Random(seed)
    pairs = [(a, b) for a in range(roles) for b in range(roles) if a != b]
    found = []
    for a, b in rng.sample(pairs, count):
        survey = rng.gauss(0, 1)
        proxy = strength * survey + math.sqrt(1 - strength**2) * rng.gauss(0, 1)
        found.append(RatedTie(f"role-{a}", f"role-{b}", survey, proxy))
    return found


def test_equal_values_share_a_rank() -> None:
    assert ranks([3.0, 1.0, 3.0, 2.0]) == [3.5, 1.0, 3.5, 2.0]


@pytest.mark.parametrize("seed", range(5))
def test_correlation_is_spearmans(seed: int) -> None:
    """Without equal values it is 1 − 6 Σ d² ÷ (n³ − n)."""
    given = ties(6, 20, 0.6, seed)
    one, other = ranks([tie.survey for tie in given]), ranks([tie.proxy for tie in given])
    differing = sum((a - b) ** 2 for a, b in zip(one, other, strict=True))
    assert calibration(given).correlation == pytest.approx(1 - 6 * differing / (20**3 - 20))


def test_order_of_ties_and_scale_of_figures_do_not_matter() -> None:
    given = ties(8, 24, 0.7)
    moved = [tie._replace(survey=math.exp(tie.survey), proxy=9 * tie.proxy - 4) for tie in reversed(given)]
    assert calibration(moved) == calibration(given)


def test_the_interval_holds_what_was_found() -> None:
    for strength in (-0.99, -0.5, 0.0, 0.5, 0.99):
        found = calibration(ties(7, 22, strength))
        low, middle, high = found.low, found.correlation, found.high
        assert None not in (low, middle, high)
        assert -1 <= low <= middle <= high <= 1  # type: ignore[operator]


@pytest.mark.parametrize(("roles", "count"), [(3, 6), (5, LEAST_TIES - 1), (2, 2)])
def test_few_ties_or_roles_are_not_enough_data(roles: int, count: int) -> None:
    found = calibration(ties(roles, count, 0.9))
    assert (found.ties, found.correlation, found.low) == (count, None, None)
    assert found.verdict == "not enough data"


def test_no_ties_are_not_enough_data() -> None:
    assert calibration([]).verdict == "not enough data"


def test_figures_that_are_all_alike_have_no_correlation() -> None:
    assert calibration([tie._replace(survey=4.0) for tie in ties(7, 20, 0.9)]).correlation is None


@pytest.mark.parametrize(
    ("roles", "count", "strength", "validated"),
    [(8, 30, 0.9, True), (8, 19, 0.95, False), (6, 25, 0.95, False), (8, 30, 0.0, False), (8, 30, -0.9, False)],
)
def test_validated_needs_ties_roles_and_a_lower_bound_above_0(
    roles: int, count: int, strength: float, validated: bool
) -> None:
    found = calibration(ties(roles, count, strength))
    assert found.validated == validated
    assert found.verdict == ("goes along with the survey here" if validated else "not validated here")


def test_roles_that_carry_everything_make_the_interval_wider() -> None:
    """Ties between the same few roles say less than independent ones: both figures come from the communicator here."""
    rng = random.Random(3)
    own = {role: rng.gauss(0, 1) for role in range(7)}
    pairs = [(a, b) for a in range(7) for b in range(7) if a != b]
    carried = [RatedTie(str(a), str(b), own[a], own[a] + rng.gauss(0, 0.8)) for a, b in pairs]
    free = ties(7, 42, 0.8)
    assert _width(calibration(carried)) > 1.3 * _width(calibration(free))


def _width(found: Calibration) -> float:
    """On Fisher's scale."""
    assert found.low is not None
    assert found.high is not None
    return math.atanh(found.high) - math.atanh(found.low)
