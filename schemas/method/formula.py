"""A formula: inputs, named steps that build on each other, and the steps that are its results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from schemas.method.expression import Expr, Name, names


@dataclass(frozen=True)
class Formula:
    """Steps in order, each using inputs and earlier steps only.

    Attributes:
        inputs: names given from outside, one value per tie.
        steps: name to expression. A step that uses a per-tie name outside of a sum has one value per tie, any other
            step one value per group.
        outputs: name of the result to the step that holds it.
    """

    inputs: tuple[str, ...]
    steps: Mapping[str, Expr]
    outputs: Mapping[str, str]

    @cached_property
    def per_tie(self) -> frozenset[str]:
        """Inputs and steps that have one value per tie."""
        found = set(self.inputs)
        for step, expression in self.steps.items():
            if found.intersection(names(expression, inside_sums=False)):
                found.add(step)
        return frozenset(found)

    @cached_property
    def levels(self) -> tuple[tuple[str, ...], ...]:
        """Steps grouped so that each needs the groups before it only: what can be computed side by side."""
        depth = dict.fromkeys(self.inputs, 0)
        for step, expression in self.steps.items():
            depth[step] = 1 + max((depth[name] for name in names(expression)), default=0)
        deepest = max(depth.values())
        return tuple(tuple(step for step in self.steps if depth[step] == level) for level in range(1, deepest + 1))


class Draft:
    """A formula while it is being written down."""

    def __init__(self, *inputs: str) -> None:
        self._inputs = inputs
        self._steps: dict[str, Expr] = {}

    def given(self) -> Sequence[Name]:
        """The inputs, in the order in which they were declared."""
        return [Name(name) for name in self._inputs]

    def let(self, name: str, expression: Expr) -> Name:
        """Names an expression, so that it is computed once, and returns the name to go on with.

        Raises: ValueError: the name is taken, or the expression uses one that is not defined yet.
        """
        known = {*self._inputs, *self._steps}
        if name in known or not known.issuperset(names(expression)):
            raise ValueError(f"{name}: defined twice, or before what it uses")
        self._steps[name] = expression
        return Name(name)

    def finished(self, **outputs: Name) -> Formula:
        """The formula, its results named."""
        return Formula(self._inputs, dict(self._steps), {result: step.name for result, step in outputs.items()})
