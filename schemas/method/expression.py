"""A small language for formulas: numbers, names, arithmetic, a choice, and sums over ties.

Expressions are values. Nothing is computed here: `render` writes one in a dialect, and the dialects (Python beside the
inference, SQL beside the store) live where they run. Keep to double precision and to operations that every dialect
defines alike; a quotient, logarithm or root whose argument may be out of range belongs inside `when`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass


class Expr:
    """Base of every expression; overloads arithmetic and the two comparisons that `when` takes."""

    def __add__(self, other: Expr | float) -> Expr:
        return Apply("+", (self, lift(other)))

    def __radd__(self, other: float) -> Expr:
        return Apply("+", (lift(other), self))

    def __sub__(self, other: Expr | float) -> Expr:
        return Apply("-", (self, lift(other)))

    def __rsub__(self, other: float) -> Expr:
        return Apply("-", (lift(other), self))

    def __mul__(self, other: Expr | float) -> Expr:
        return Apply("*", (self, lift(other)))

    def __rmul__(self, other: float) -> Expr:
        return Apply("*", (lift(other), self))

    def __truediv__(self, other: Expr | float) -> Expr:
        return Apply("/", (self, lift(other)))

    def __rtruediv__(self, other: float) -> Expr:
        return Apply("/", (lift(other), self))

    def __lt__(self, other: Expr | float) -> Expr:
        return Apply("<", (self, lift(other)))

    def __gt__(self, other: Expr | float) -> Expr:
        return Apply(">", (self, lift(other)))


@dataclass(frozen=True)
class Number(Expr):
    """A constant, in double precision."""

    value: float


@dataclass(frozen=True)
class Name(Expr):
    """An input or an earlier step of the formula."""

    name: str


@dataclass(frozen=True)
class Apply(Expr):
    """An operation; `sum` adds its argument up over the ties of a group."""

    operation: str
    arguments: tuple[Expr, ...]


def lift(operand: Expr | float) -> Expr:
    """A plain number as an expression."""
    return operand if isinstance(operand, Expr) else Number(float(operand))


def smallest(a: Expr | float, b: Expr | float) -> Expr:
    return Apply("min", (lift(a), lift(b)))


def largest(a: Expr | float, b: Expr | float) -> Expr:
    return Apply("max", (lift(a), lift(b)))


def clipped(x: Expr, low: float, high: float) -> Expr:
    return smallest(largest(x, low), high)


def when(condition: Expr, then: Expr | float, otherwise: Expr | float) -> Expr:
    """One of two values. The other is not computed, or computed to an infinity or NaN that goes nowhere."""
    return Apply("if", (condition, lift(then), lift(otherwise)))


def exp(x: Expr) -> Expr:
    return Apply("exp", (x,))


def log(x: Expr) -> Expr:
    return Apply("log", (x,))


def sqrt(x: Expr) -> Expr:
    return Apply("sqrt", (x,))


def total(x: Expr) -> Expr:
    """The sum of a per-tie expression over the ties of a group."""
    return Apply("sum", (x,))


@dataclass(frozen=True)
class Dialect:
    """How a target language writes expressions.

    Attributes:
        name: writes the name of an input or step.
        templates: one format string per operation, with `{0}`, `{1}`, `{2}` for the arguments, parenthesised so that it
            can stand anywhere.
        total: writes a sum, given the expression and its text; None where there is no group to sum over.
    """

    name: Callable[[str], str]
    templates: Mapping[str, str]
    total: Callable[[Expr, str], str] | None = None


def render(expression: Expr, dialect: Dialect) -> str:
    """The expression as text in a dialect. Numbers are written so that they read back as the same double."""
    match expression:
        case Number(value):
            return f"({value!r})" if value < 0 else repr(value)
        case Name(name):
            return dialect.name(name)
        case Apply("sum", (summand,)) if dialect.total:
            return dialect.total(summand, render(summand, dialect))
        case Apply(operation, arguments):
            return dialect.templates[operation].format(*(render(argument, dialect) for argument in arguments))
    raise TypeError(f"not an expression: {expression!r}")


def names(expression: Expr, *, inside_sums: bool = True) -> Iterator[str]:
    """Every name the expression refers to, with repeats; on request only those outside of sums."""
    match expression:
        case Name(name):
            yield name
        case Apply(operation, arguments) if inside_sums or operation != "sum":
            for argument in arguments:
                yield from names(argument, inside_sums=inside_sums)
