"""The derivatives of log Γ that a Beta's moments on the logit need, for arguments above 0.

Six recurrence steps carry the argument to 6 or more, where four Bernoulli terms of the asymptotic series leave an
absolute error below 1.3e-10 (ψ), 2.1e-10 (ψ′) and 3.9e-10 (ψ″): the first term left out, at 6.

Source: Abramowitz & Stegun, Handbook of Mathematical Functions, 6.3.18, 6.4.6, 6.4.11-6.4.14.
"""

from __future__ import annotations

from functools import reduce
from operator import add

from schemas.method.expression import Expr, Name, log
from schemas.method.formula import Draft

STEPS = 6


def polygamma(draft: Draft, x: Name) -> tuple[Name, Name, Name]:
    """Adds ψ(x), ψ′(x) and ψ″(x) to a formula and returns them."""
    r = [draft.let(f"{x.name}_r{i}", 1.0 / (x + i)) for i in range(STEPS)]
    y = draft.let(f"{x.name}_y", 1.0 / (x + STEPS))
    w = draft.let(f"{x.name}_w", y * y)
    psi = -1.0 / 12 + w * (1.0 / 120 + w * (-1.0 / 252 + w * (1.0 / 240)))
    psi1 = 1.0 / 6 + w * (-1.0 / 30 + w * (1.0 / 42 + w * (-1.0 / 30)))
    psi2 = -1.0 / 2 + w * (1.0 / 6 + w * (-1.0 / 6 + w * (3.0 / 10)))
    return (
        draft.let(f"{x.name}_psi", log(x + STEPS) - 0.5 * y + w * psi - _sum(r)),
        draft.let(f"{x.name}_psi1", y + w * (0.5 + y * psi1) + _sum([q * q for q in r])),
        draft.let(f"{x.name}_psi2", -1.0 * w * (1.0 + y - w * psi2) - 2.0 * _sum([q * q * q for q in r])),
    )


def _sum(terms: list[Expr] | list[Name]) -> Expr:
    # From the smallest up: the first recurrence step is by far the largest near 0.
    return reduce(add, reversed(terms))
