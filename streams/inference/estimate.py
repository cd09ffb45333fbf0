"""Estimate and interval of a tie in Python, compiled from the formulas that the store's SQL is written from."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from schemas.method.expression import Dialect, Expr, names, render
from schemas.method.formula import Formula
from schemas.method.tie import estimate_formula, interval_formula, prior_formula

_TEMPLATES = {
    "+": "({0} + {1})",
    "-": "({0} - {1})",
    "*": "({0} * {1})",
    "/": "({0} / {1})",
    "<": "({0} < {1})",
    ">": "({0} > {1})",
    "min": "min({0}, {1})",
    "max": "max({0}, {1})",
    "if": "({1} if {0} else {2})",
    "exp": "exp({0})",
    "log": "log({0})",
    "sqrt": "sqrt({0})",
}


class TieSums(NamedTuple):
    """Sums over the ripe evidence of one tie.

    Attributes:
        s: sum of values.
        n: observations.
        items: distinct work items (W).
        ss, sn, nn: over those items, Σ s_w², Σ s_w n_w and Σ n_w², with s_w and n_w the two sums of one item.
    """

    s: float
    n: float
    items: float
    ss: float
    sn: float
    nn: float


class Prior(NamedTuple):
    """What the ties of one process and dimension have in common: μ, τ², φ, K, N of METHOD."""

    mu: float
    tau2: float
    phi: float
    k: float
    n_eff: float


NO_PRIOR = Prior(0.0, 0.0, 0.0, 0.0, 0.0)
"""No reference period yet: estimates are then the tie's own, with φ 1."""


class Estimate(NamedTuple):
    """A tie's estimate with its 90 % interval, all in (0, 1) and low <= estimate <= high, and its variance."""

    estimate: float
    low: float
    high: float
    variance: float


def tie_sums(observations: Iterable[tuple[object, float]]) -> TieSums:
    """The sums of one tie from its (work item, value) pairs, values in [0, 1]."""
    by_item: dict[object, list[float]] = {}
    for item, value in observations:
        by_item.setdefault(item, []).append(value)
    pairs = [(math.fsum(values), float(len(values))) for values in by_item.values()]
    return TieSums(
        s=math.fsum(s for s, _ in pairs),
        n=math.fsum(n for _, n in pairs),
        items=float(len(pairs)),
        ss=math.fsum(s * s for s, _ in pairs),
        sn=math.fsum(s * n for s, n in pairs),
        nn=math.fsum(n * n for _, n in pairs),
    )


def prior(ties: Sequence[TieSums]) -> Prior:
    """The prior of one process and dimension from the publishable ties of the run's reference period.

    Exact sums: independent of the order of `ties`. Without a tie μ is ½, φ 1 and the rest 0.
    Source: docs/method.md#estimate-and-interval
    """
    columns = [list(column) for column in zip(*ties, strict=True)] or [[] for _ in TieSums._fields]
    return Prior(*_prior(*columns))


def estimate(common: Prior, s: float, n: float) -> Estimate:
    """A tie's estimate from its sum of values and number of observations, 0 <= s <= n.

    Cost: about 5 µs. Source: docs/method.md#estimate-and-interval
    """
    return Estimate(*_estimate(s, n, *common))


def interval(mean: float, variance: float) -> tuple[float, float]:
    """The 90 % interval, low and high, of the Beta with that mean in (0, 1) and variance.

    Source: docs/method.md#estimate-and-interval
    """
    low, high = _interval(mean, variance)
    return low, high


def overall(parts: Sequence[Estimate]) -> Estimate:
    """The mean over the dimensions of one tie, its variance as if they were fully correlated.

    Raises: ValueError: no dimension. Source: docs/method.md#overall
    """
    if not parts:
        raise ValueError("an overall figure needs a dimension")
    mean = math.fsum(part.estimate for part in parts) / len(parts)
    variance = (math.fsum(math.sqrt(part.variance) for part in parts) / len(parts)) ** 2
    return Estimate(mean, *interval(mean, variance), variance)


def compiled(formula: Formula, *, grouped: bool) -> Callable[..., tuple[Any, ...]]:
    """The formula as a Python function of its inputs, in order, returning its outputs, in order.

    Args:
        grouped: each input is then a list with one value per tie, and sums run over it; else a float.
    """

    def over_ties(body: str, expression: Expr) -> str:
        used = sorted(formula.per_tie.intersection(names(expression, inside_sums=False)))
        # The trailing commas unpack a single name too; the lists are read before the names are bound to their elements.
        return f"{body} for {', '.join(used)}, in zip({', '.join(used)}, strict=True)"

    def total(summand: Expr, text: str) -> str:
        return f"fsum({over_ties(text, summand)})"

    dialect = Dialect(str, _TEMPLATES, total)
    lines = [f"def formula({', '.join(formula.inputs)}):"]
    for step, expression in formula.steps.items():
        text = render(expression, dialect)
        per_tie = grouped and step in formula.per_tie
        lines.append(f"    {step} = " + (f"[{over_ties(text, expression)}]" if per_tie else text))
    lines.append(f"    return {', '.join(formula.outputs.values())},")
    scope: dict[str, Any] = {"fsum": math.fsum, "exp": math.exp, "log": math.log, "sqrt": math.sqrt}
    exec("\n".join(lines), scope)  # text of our own formulas, nothing from outside
    function: Callable[..., tuple[Any, ...]] = scope["formula"]
    return function


_prior = compiled(prior_formula(), grouped=True)
_estimate = compiled(estimate_formula(), grouped=False)
_interval = compiled(interval_formula(), grouped=False)
