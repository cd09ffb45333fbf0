"""Prior, estimate and interval of a tie as ClickHouse SQL, written from the same formulas as the Python core.

A formula becomes nested SELECTs, one per level of steps that can be computed side by side: every step is a column, so
nothing is computed or spelt out twice. Steps are prefixed with `_`; the source's own columns pass through unharmed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from schemas.method.expression import Dialect, Expr, render
from schemas.method.formula import Formula
from schemas.method.tie import estimate_formula, interval_formula, prior_formula

_TEMPLATES = {
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


def prior_sql(ties: str, group: Sequence[str], columns: Mapping[str, str] | None = None) -> str:
    """A SELECT with one row per group: the group's columns, then mu, tau2, phi, k, n_eff (Float64).

    Args:
        ties: what follows FROM: a table, or a subquery in parentheses, with one row per publishable tie.
        group: columns of `ties` that identify a prior, such as run, process and dimension; empty for one group.
        columns: input to SQL expression over `ties`, where it is not the column of that name. Inputs: s, n, items, ss,
            sn, nn, as in `streams.inference.estimate.TieSums`.
    """
    formula = prior_formula()
    # A sum of doubles depends on their order. Sorted by what is summed, the same ties give the same bits every time.
    partition = f"PARTITION BY {', '.join(group)} " if group else ""
    order = ", ".join(map(_step, formula.inputs))
    ties_of_group = f"{partition}ORDER BY {order} ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING"
    results = [f"any({_step(step)}) AS {result}" for result, step in formula.outputs.items()]
    by = f" GROUP BY {', '.join(group)}" if group else ""
    return f"SELECT {', '.join([*group, *results])} FROM {_nested(formula, ties, columns, ties_of_group)}{by}"


def estimate_sql(rows: str, keep: Iterable[str], columns: Mapping[str, str] | None = None) -> str:
    """A SELECT with the kept columns of every row, then estimate, low, high, variance (Float64).

    Args:
        rows: what follows FROM: a table, or a subquery in parentheses, with one row per tie.
        keep: columns of `rows` to pass on.
        columns: input to SQL expression over `rows`, where it is not the column of that name. Inputs: s, n of the tie;
            mu, tau2, phi, k, n_eff of its prior, all 0 where there is none (what a LEFT JOIN without nulls gives).
    """
    return _per_row(estimate_formula(), rows, keep, columns)


def interval_sql(rows: str, keep: Iterable[str], columns: Mapping[str, str] | None = None) -> str:
    """A SELECT with the kept columns of every row, then low, high (Float64) of the Beta with that mean and variance.

    Args: as for `estimate_sql`; inputs: e, variance.
    """
    return _per_row(interval_formula(), rows, keep, columns)


def _per_row(formula: Formula, rows: str, keep: Iterable[str], columns: Mapping[str, str] | None) -> str:
    results = [f"{_step(step)} AS {result}" for result, step in formula.outputs.items()]
    return f"SELECT {', '.join([*keep, *results])} FROM {_nested(formula, rows, columns, '')}"


def _nested(formula: Formula, source: str, columns: Mapping[str, str] | None, window: str) -> str:
    def total(_: Expr, text: str) -> str:
        return f"sum({text}) OVER _ties"

    dialect = Dialect(_step, _TEMPLATES, total)
    given = {name: name for name in formula.inputs} | dict(columns or {})
    casts = ", ".join(f"toFloat64({expression}) AS {_step(name)}" for name, expression in given.items())
    query = f"(SELECT *, {casts} FROM {source})"
    for level in formula.levels:
        steps = ", ".join(f"{render(formula.steps[step], dialect)} AS {_step(step)}" for step in level)
        named = f" WINDOW _ties AS ({window})" if "OVER _ties" in steps else ""
        query = f"(SELECT *, {steps} FROM {query}{named})"
    return query


def _step(name: str) -> str:
    return f"_{name}"
