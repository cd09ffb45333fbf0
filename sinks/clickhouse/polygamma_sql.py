"""The derivatives of log Γ for the two parameters of a Beta at once: one lambda over [a, b], written from the formula.

As columns of their own they are half of all the steps of an interval, and most of what its planning costs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from operator import add
from typing import NamedTuple

from schemas.method.expression import Apply, Dialect, Expr, Name, names, render
from schemas.method.formula import Draft, Formula
from schemas.method.polygamma import STEPS, polygamma
from sinks.clickhouse.condensed import condensed

TEMPLATES = {
    "+": "({0} + {1})",
    "-": "({0} - {1})",
    "*": "({0} * {1})",
    "/": "({0} / {1})",
    "<": "({0} < {1})",
    ">": "({0} > {1})",
    "min": "least({0}, {1})",
    "max": "greatest({0}, {1})",
    "if": "if({0}, {1}, {2})",
    "exp": "exp({0})",
    "log": "log({0})",
    "sqrt": "sqrt({0})",
}
_DERIVATIVES = ("psi", "psi1", "psi2")
_SIDES = ("a", "b")


def _polygamma_of(x: str) -> Formula:
    draft = Draft(x)
    polygamma(draft, Name(x))
    return draft.finished()


class Column(NamedTuple):
    """A computed column: its SQL, and the steps whose columns that uses."""

    sql: str
    needs: frozenset[str]


Level = Mapping[str, Column]
"""Step to column, for steps that can be computed side by side."""

POLYGAMMA_COLUMNS = {
    f"{side}_{derivative}": f"_psis[{place}].{order}"
    for place, side in enumerate(_SIDES, 1)
    for order, derivative in enumerate(_DERIVATIVES, 1)
}
"""Step of an interval to where it is found once `POLYGAMMAS` is computed."""


_INNER_STEPS = {step for side in _SIDES for step in _polygamma_of(side).steps}


def stored_in(step: str) -> str:
    """The column that holds a step."""
    return "psis" if step in POLYGAMMA_COLUMNS else step


def around_polygammas(formula: Formula) -> tuple[Formula, Formula]:
    """The steps before the derivatives of log Γ, and those that need them; the second has none if no interval is asked.

    Both condensed. What the second takes from the first is a result of the first.
    """
    late = set(POLYGAMMA_COLUMNS)
    for step, expression in formula.steps.items():
        if late.intersection(names(expression)):
            late.add(step)
    others = {step: e for step, e in formula.steps.items() if step not in _INNER_STEPS}
    later = {step: e for step, e in others.items() if step in late}
    earlier = {step: e for step, e in others.items() if step not in late}
    taken = {name for e in later.values() for name in names(e)} | set(_SIDES) | set(formula.outputs.values())
    before = Formula(formula.inputs, earlier, {step: step for step in earlier if step in taken})
    given = (*formula.inputs, *earlier, *POLYGAMMA_COLUMNS)
    return condensed(before), condensed(
        Formula(given, later, {result: step for result, step in formula.outputs.items() if step in later})
    )


def _written_with_sums() -> Formula:
    """ψ, ψ′, ψ″ of x, the sums of the recurrence's terms and of their powers being names."""
    r = [Name(f"x_r{i}") for i in range(STEPS)]
    powers: dict[str, Sequence[Expr]] = {"r_sum": r, "r2_sum": [q * q for q in r], "r3_sum": [q * q * q for q in r]}
    sums = {reduce(add, reversed(terms)): Name(name) for name, terms in powers.items()}
    return Formula(("x",), {step: _exchanged(e, sums) for step, e in _polygamma_of("x").steps.items()}, {})


def _exchanged(expression: Expr, by: Mapping[Expr, Expr]) -> Expr:
    if expression in by:
        return by[expression]
    if isinstance(expression, Apply):
        return Apply(expression.operation, tuple(_exchanged(argument, by) for argument in expression.arguments))
    return expression


_IN_LAMBDA = {
    "x": "x",
    "x_y": "y",
    "x_w": "w",
    "r_sum": "arraySum(r)",
    "r2_sum": "arraySum(q -> q * q, r)",
    "r3_sum": "arraySum(q -> q * q * q, r)",
}
_STEPS = {
    step: render(expression, Dialect(_IN_LAMBDA.__getitem__, TEMPLATES))
    for step, expression in _written_with_sums().steps.items()
}
# From the smallest term up, as the formula adds them.
_TERMS = f"arrayMap(i -> 1.0 / (x + i), {[float(i) for i in reversed(range(STEPS))]})"

POLYGAMMA_SUMS: Level = {
    "ab": Column("[_a, _b]", frozenset(_SIDES)),
    "ys": Column(f"arrayMap(x -> {_STEPS['x_y']}, [_a, _b])", frozenset(_SIDES)),
}
"""The first of two levels of columns, from the columns `_a` and `_b`."""

POLYGAMMAS: Level = {
    "psis": Column(
        f"arrayMap((x, y, w, r) -> ({', '.join(_STEPS[f'x_{derivative}'] for derivative in _DERIVATIVES)}),"
        f" _ab, _ys, arrayMap(y -> {_STEPS['x_w']}, _ys), arrayMap(x -> {_TERMS}, _ab))",
        frozenset({"ab", "ys"}),
    )
}
"""The second: ψ, ψ′ and ψ″ of a, then of b."""
