"""The SQL and the Python written from one formula give one answer."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable, Sequence

from sinks.clickhouse.estimate_sql import estimate_sql, interval_sql, prior_sql
from streams.inference.estimate import NO_PRIOR, Prior, TieSums, estimate, interval, prior

Rows = list[list[float]]
Ask = Callable[[str], Rows]
Table = Callable[[Sequence[str], Sequence[Sequence[float]]], str]
COLUMNS = ("s", "n", *Prior._fields)


def priors() -> list[Prior]:
    grid = itertools.product(
        (0.001, 0.5, 0.8, 0.95, 0.9999),
        (0.0, 5e-324, 1e-9, 1e-3, 0.1, 1 / 6, 0.25, 30.0),
        (0.1, 1.0, 1.9, 40.0),
        (1.0, 3.0, 4.0, 5.0, 12.0, 2000.0),
    )
    return [NO_PRIOR, *(Prior(mu, tau2, phi, k, 25 * k) for mu, tau2, phi, k in grid)]


def tie_rows() -> list[tuple[float, ...]]:
    rng = random.Random(20)
    rows: list[tuple[float, ...]] = []
    for common in priors():
        for n in (0.0, 1.0, 10.0, rng.uniform(0.01, 1e3), 1e8):
            rows.extend((share * n, n, *common) for share in (0.0, rng.random(), 1.0))
    return rows


def agree(found: Sequence[float], expected: Sequence[float]) -> bool:
    return all(
        isinstance(a, float | int) and math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-300)
        for a, b in zip(found, expected, strict=True)
    )


def test_estimates_agree_in_every_branch_and_at_the_extremes(ask: Ask, table: Table) -> None:
    rows = tie_rows()
    found = [
        row
        for first in range(0, len(rows), 2000)
        for row in ask(estimate_sql(table(COLUMNS, rows[first : first + 2000]), ["id"]) + " ORDER BY id")
    ]
    assert len(found) == len(rows)
    apart = [
        (row, sql, python)
        for row, (_, *sql) in zip(rows, found, strict=True)
        if not agree(sql, python := estimate(Prior(*row[2:]), *row[:2]))
    ]
    assert not apart


def test_intervals_agree(ask: Ask, table: Table) -> None:
    rows = [
        (mean, mean * (1 - mean) / size)
        for mean, size in itertools.product((1e-4, 0.3, 0.5, 0.9, 1 - 1e-4), (1.01, 1.5, 3.0, 40.0, 1e7))
    ]
    found = ask(interval_sql(table(("e", "variance"), rows), ["id"]) + " ORDER BY id")
    assert all(agree(sql, interval(*row)) for row, (_, *sql) in zip(rows, found, strict=True))


def group_of_ties(rng: random.Random, k: int) -> list[TieSums]:
    ties = []
    for _ in range(k):
        items = [
            (float(rng.randint(0, n_w)), float(n_w))
            for n_w in rng.choices((1, 2, 4, 9), k=rng.choice((0, 1, 2, 30, 300)))
        ]
        if rng.random() < 0.3:
            items = [(n_w if rng.random() < 0.999 else 0.0, n_w) for _, n_w in items]
        ties.append(
            TieSums(
                sum(s for s, _ in items),
                sum(n for _, n in items),
                len(items),
                sum(s * s for s, _ in items),
                sum(s * n for s, n in items),
                sum(n * n for _, n in items),
            )
        )
    return ties


def groups() -> list[list[TieSums]]:
    rng = random.Random(21)
    huge = TieSums(1e9 - 3, 1e9, 4e8, 3e9 - 9, 3e9 - 9, 3e9)
    return [
        *(group_of_ties(rng, k) for k in (1, 1, 2, 2, 3, 3, 4, 5, 6, 12, 100, 700) for _ in range(3)),
        [TieSums(0, 0, 0, 0, 0, 0)],
        [TieSums(10, 10, 10, 10, 10, 10)] * 6,
        [TieSums(0, 10, 10, 0, 0, 10)] * 6,
        [TieSums(1, 1, 1, 1, 1, 1), TieSums(0, 1, 1, 0, 0, 1)],
        [huge, huge._replace(s=5e8), *group_of_ties(rng, 5)],
    ]


def test_priors_agree_group_by_group(ask: Ask, table: Table) -> None:
    rows = [(number, *tie) for number, ties in enumerate(groups()) for tie in ties]
    found = ask(prior_sql(table(("g", *TieSums._fields), rows), ["g"]) + " ORDER BY g")
    apart = [
        (sql, python) for (_, *sql), ties in zip(found, groups(), strict=True) if not agree(sql, python := prior(ties))
    ]
    assert not apart


def test_a_prior_has_the_same_bits_in_whatever_order_the_ties_come(ask: Ask, table: Table) -> None:
    rng = random.Random(6)
    ties = [TieSums(n * rng.random(), n, n / 2, n * rng.random(), n, 3 * n) for n in rng.choices(range(10, 99), k=500)]
    answers = {tuple(*ask(prior_sql(table(TieSums._fields, rng.sample(ties, 500)), []))) for _ in range(4)}
    assert len(answers) == 1


def test_a_prior_without_a_group_is_one_row(ask: Ask, table: Table) -> None:
    ties = group_of_ties(random.Random(5), 9)
    (found,) = ask(prior_sql(table(TieSums._fields, ties), []))
    assert agree(found, prior(ties))


def test_whole_number_columns_under_other_names_give_the_same(ask: Ask) -> None:
    source = "(SELECT 'ward' AS role, toUInt32(8) AS total, toUInt64(10) AS seen)"
    names = {"s": "total", "n": "seen", **dict.fromkeys(Prior._fields, "0")}
    (row,) = ask(estimate_sql(source, ["role", "total"], names))
    assert row[:2] == ["ward", 8]
    assert agree(row[2:], estimate(NO_PRIOR, 8, 10))


def test_the_sql_stays_small() -> None:
    assert len(estimate_sql("t", ["id"])) < 5000
    assert len(prior_sql("t", ["run", "process", "dimension"])) < 2500


def test_a_hundred_thousand_ties_are_one_query(ask: Ask) -> None:
    common = {"mu": "0.8", "tau2": "0.01", "phi": "1.2", "k": "50", "n_eff": "3000"}
    query = estimate_sql("numbers(100000)", ["number"], {"s": "number % 50", "n": "60", **common})
    ((rows, within),) = ask(f"SELECT count(), countIf(low <= estimate AND estimate <= high) FROM ({query})")
    assert int(rows) == int(within) == 100_000
