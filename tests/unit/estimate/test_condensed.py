"""Shorter formulas for the query planner are the same formulas."""

from __future__ import annotations

import pytest

from schemas.method.expression import Name, sqrt
from schemas.method.formula import Draft, Formula
from schemas.method.tie import estimate_formula
from sinks.clickhouse.condensed import condensed, only
from sinks.clickhouse.estimate_sql import estimate_sql


def small() -> Formula:
    draft = Draft("x")
    (x,) = draft.given()
    twice = draft.let("twice", x + x)
    long = draft.let("long", sqrt(twice * twice + x * x + x) / (x + 1.0))
    return draft.finished(sum=draft.let("sum", long * long), twice=twice, other=draft.let("other", Name("x") * 3.0))


def test_a_result_that_is_not_wanted_takes_its_steps_along() -> None:
    assert list(only(small(), ["twice"]).steps) == ["twice"]
    assert list(only(small(), ["sum"]).steps) == ["twice", "long", "sum"]


def test_an_unknown_result_is_refused() -> None:
    with pytest.raises(ValueError, match="median"):
        only(small(), ["median"])


def test_results_and_long_steps_that_are_used_twice_stay_steps() -> None:
    assert list(condensed(small()).steps) == ["twice", "long", "sum", "other"]


def test_what_is_used_once_is_written_where_it_is_used() -> None:
    assert list(condensed(only(small(), ["sum"])).steps) == ["long", "sum"]


def test_an_estimate_without_interval_computes_no_polygamma() -> None:
    text = estimate_sql("t", ["id"], results=("estimate", "variance"))
    assert "psi" not in text
    assert len(text) < len(estimate_sql("t", ["id"])) / 2
    assert set(only(estimate_formula(), ("estimate", "variance")).outputs) == {"estimate", "variance"}
