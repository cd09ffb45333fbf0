"""ψ, ψ′, ψ″ against constants with a closed form."""

from __future__ import annotations

import math

import pytest

from schemas.method.formula import Draft
from schemas.method.polygamma import polygamma
from streams.inference.estimate import compiled

EULER = 0.57721566490153286061
ZETA3 = 1.20205690315959428540
CATALAN = 0.91596559417721901505
PI = math.pi

KNOWN = {
    0.25: (-PI / 2 - 3 * math.log(2) - EULER, PI**2 + 8 * CATALAN, -2 * PI**3 - 56 * ZETA3),
    0.5: (-EULER - 2 * math.log(2), PI**2 / 2, -14 * ZETA3),
    0.75: (PI / 2 - 3 * math.log(2) - EULER, PI**2 - 8 * CATALAN, 2 * PI**3 - 56 * ZETA3),
    1.0: (-EULER, PI**2 / 6, -2 * ZETA3),
    1.5: (2 - EULER - 2 * math.log(2), PI**2 / 2 - 4, 16 - 14 * ZETA3),
    2.0: (1 - EULER, PI**2 / 6 - 1, 2 - 2 * ZETA3),
    10.0: (
        sum(1 / k for k in range(1, 10)) - EULER,
        PI**2 / 6 - sum(1 / k**2 for k in range(1, 10)),
        2 * sum(1 / k**3 for k in range(1, 10)) - 2 * ZETA3,
    ),
}


def polygammas(x: float) -> tuple[float, float, float]:
    draft = Draft("x")
    psi, psi1, psi2 = polygamma(draft, *draft.given())
    zeroth, first, second = compiled(draft.finished(psi=psi, psi1=psi1, psi2=psi2), grouped=False)(x)
    return zeroth, first, second


@pytest.mark.parametrize("x", KNOWN)
@pytest.mark.parametrize("order", [0, 1, 2])
def test_known_values_are_met_within_the_first_term_left_out(x: float, order: int) -> None:
    left_out = (1 / 132 / (x + 6) ** 10, 5 / 66 / (x + 6) ** 11, 5 / 6 / (x + 6) ** 12)[order]
    known = KNOWN[x][order]
    assert abs(polygammas(x)[order] - known) <= left_out + 1e-13 * max(1, abs(known))


@pytest.mark.parametrize("x", [1e-4, 0.013, 0.5, 3.7, 42.0, 1e6])
def test_each_step_of_the_recurrence_holds(x: float) -> None:
    here, there = polygammas(x), polygammas(x + 1)
    for order, step in enumerate((1 / x, -1 / x**2, 2 / x**3)):
        assert there[order] - here[order] == pytest.approx(step, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("x", [1e4, 1e8, 1e12])
def test_large_arguments_follow_the_logarithm(x: float) -> None:
    assert polygammas(x) == pytest.approx((math.log(x) - 0.5 / x, 1 / x + 0.5 / x**2, -1 / x**2 - 1 / x**3), rel=1e-7)
