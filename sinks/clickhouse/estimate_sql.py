"""Prior, estimate and interval of a tie as ClickHouse SQL, written from the same formulas as the Python core.

A formula becomes nested SELECTs, one per level of steps that can be computed side by side. A level has the columns that
later ones still need and no others; for single rows, a step that is short or used once is written where it is used, and
the derivatives of log Γ are computed for both arguments in one lambda: planning such a statement costs half as much
(docs/adr/0011-query-cost.md). Steps are prefixed with `_`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from schemas.method.expression import Dialect, Expr, names, render
from schemas.method.formula import Formula
from schemas.method.tie import estimate_formula, interval_formula, prior_formula
from sinks.clickhouse.condensed import only
from sinks.clickhouse.polygamma_sql import (
    POLYGAMMA_COLUMNS,
    POLYGAMMA_SUMS,
    POLYGAMMAS,
    TEMPLATES,
    Column,
    Level,
    around_polygammas,
    stored_in,
)

ESTIMATE = ("estimate", "low", "high", "variance")


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
    levels = [_level(formula, level) for level in formula.levels]
    nested = _nested(_cast(formula, ties, ["*"], columns), levels, None, formula, ties_of_group)
    return f"SELECT {', '.join([*group, *results])} FROM {nested}{by}"


def estimate_sql(
    rows: str, keep: Iterable[str], columns: Mapping[str, str] | None = None, results: Collection[str] = ESTIMATE
) -> str:
    """A SELECT with the kept columns of every row, then the results (Float64) in the order of `ESTIMATE`.

    Args:
        rows: what follows FROM: a table, or a subquery in parentheses, with one row per tie.
        keep: columns of `rows` to pass on.
        columns: input to SQL expression over `rows`, where it is not the column of that name. Inputs: s, n of the tie;
            mu, tau2, phi, k, n_eff of its prior, all 0 where there is none (what a LEFT JOIN without nulls gives).
        results: what is wanted; without low and high the statement is a third as long.
    """
    return _per_row(only(estimate_formula(), results), rows, list(keep), columns)


def interval_sql(rows: str, keep: Iterable[str], columns: Mapping[str, str] | None = None) -> str:
    """A SELECT with the kept columns of every row, then low, high (Float64) of the Beta with that mean and variance.

    Args: as for `estimate_sql`; inputs: e, variance.
    """
    return _per_row(interval_formula(), rows, list(keep), columns)


def _per_row(formula: Formula, rows: str, keep: list[str], columns: Mapping[str, str] | None) -> str:
    before, after = around_polygammas(formula)
    levels = [_level(before, level) for level in before.levels]
    if after.steps:
        levels += [POLYGAMMA_SUMS, POLYGAMMAS, *(_level(after, level) for level in after.levels)]
    results = [f"{_step(step)} AS {result}" for result, step in formula.outputs.items()]
    nested = _nested(_cast(formula, rows, keep, columns), levels, keep, formula)
    return f"SELECT {', '.join([*keep, *results])} FROM {nested}"


def _cast(formula: Formula, source: str, keep: Sequence[str], columns: Mapping[str, str] | None) -> str:
    inputs = {name: name for name in formula.inputs} | dict(columns or {})
    casts = [f"toFloat64({expression}) AS {_step(name)}" for name, expression in inputs.items()]
    return f"(SELECT {', '.join([*keep, *casts])} FROM {source})"


def _nested(query: str, levels: Sequence[Level], keep: list[str] | None, formula: Formula, window: str = "") -> str:
    """The query with one SELECT around it per level. `keep`: what every level passes on beside its steps; None: all."""
    for level, later in zip(levels, _needed_after(levels, formula.outputs.values()), strict=True):
        passed = ["*"] if keep is None else [*keep, *map(_step, sorted(later.difference(level)))]
        steps = [f"{column.sql} AS {_step(name)}" for name, column in level.items()]
        named = f" WINDOW _ties AS ({window})" if any("OVER _ties" in step for step in steps) else ""
        query = f"(SELECT {', '.join([*passed, *steps])} FROM {query}{named})"
    return query


def _needed_after(levels: Sequence[Level], results: Iterable[str]) -> list[set[str]]:
    needed = []
    wanted = set(results)
    for level in reversed(levels):
        needed.append(set(wanted))
        wanted = wanted.difference(level).union(*(column.needs for column in level.values()))
    return needed[::-1]


def _level(formula: Formula, steps: Iterable[str]) -> Level:
    return {
        step: Column(render(formula.steps[step], _DIALECT), frozenset(map(stored_in, names(formula.steps[step]))))
        for step in steps
    }


def _step(name: str) -> str:
    return f"_{name}"


def _total(_: Expr, text: str) -> str:
    return f"sum({text}) OVER _ties"


_DIALECT = Dialect(lambda name: POLYGAMMA_COLUMNS.get(name, _step(name)), TEMPLATES, _total)
