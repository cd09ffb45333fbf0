"""Formulas with fewer and shorter steps that compute the same, bit for bit: what a query planner wants to see."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping

from schemas.method.expression import Apply, Expr, Name, names
from schemas.method.formula import Formula

_SHORT = 7
"""Nodes of an expression that may be written out at every place of use. Measured: 3 to 12 do about as well."""


def only(formula: Formula, results: Collection[str]) -> Formula:
    """The formula without the other results and without the steps that only those need.

    Raises: ValueError: a result that the formula does not have.
    """
    if unknown := set(results).difference(formula.outputs):
        raise ValueError(f"no such result: {', '.join(sorted(unknown))}")
    outputs = {result: step for result, step in formula.outputs.items() if result in results}
    wanted = set(outputs.values())
    for step in reversed(list(formula.steps)):
        if step in wanted:
            wanted.update(names(formula.steps[step]))
    return Formula(formula.inputs, {step: e for step, e in formula.steps.items() if step in wanted}, outputs)


def condensed(formula: Formula) -> Formula:
    """The formula with every step written out where it is used, if it is short or used once. Results stay steps.

    Not for formulas with sums over ties.
    """
    used = Counter(name for expression in formula.steps.values() for name in names(expression))
    steps: dict[str, Expr] = {}
    written_out: dict[str, Expr] = {}
    for step, expression in formula.steps.items():
        expression = replaced(expression, written_out)
        if step not in formula.outputs.values() and (used[step] == 1 or _size(expression) <= _SHORT):
            written_out[step] = expression
        else:
            steps[step] = expression
    return Formula(formula.inputs, steps, formula.outputs)


def replaced(expression: Expr, by: Mapping[str, Expr]) -> Expr:
    """The expression with other expressions in place of names."""
    match expression:
        case Name(name):
            return by.get(name, expression)
        case Apply(operation, arguments):
            return Apply(operation, tuple(replaced(argument, by) for argument in arguments))
    return expression


def _size(expression: Expr) -> int:
    return 1 + sum(map(_size, expression.arguments)) if isinstance(expression, Apply) else 1
