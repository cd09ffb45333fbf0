"""Macros and variables are written out as Grafana and its ClickHouse plug-in do it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from deploy.dashboards.dashboard import ALL, Variable
from deploy.dashboards.macros import MacroError, TimeRange, expand, expand_macros, interpolate

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ASKED = TimeRange(
    EPOCH + timedelta(seconds=1767225600, milliseconds=123),
    EPOCH + timedelta(seconds=1767247200, milliseconds=456),
    interval_s=20.5,
)
# Run with the plug-in's own handlers.
VECTORS = {
    "$__timeFilter(c)": "c >= toDateTime(1767225600) AND c <= toDateTime(1767247200)",
    "$__timeFilter_ms(c)": (
        "c >= fromUnixTimestamp64Milli(1767225600123) AND c <= fromUnixTimestamp64Milli(1767247200456)"
    ),
    "$__dateFilter(d)": "d >= toDate('2026-01-01') AND d <= toDate('2026-01-01')",
    "$__fromTime": "toDateTime(1767225600)",
    "$__toTime": "toDateTime(1767247200)",
    "$__timeInterval(c)": "toStartOfInterval(toDateTime(c), INTERVAL 20 second)",
    "$__timeGroup(c,'5m')": "toStartOfInterval(toDateTime(c), INTERVAL 300 second)",
    "$__interval_s": "20",
}
ROLE = Variable("role", "Role", "SELECT 1", multi=True, all=True)
SITE = Variable("site", "Site", "SELECT 1", all=True, all_value="''")


@pytest.mark.parametrize("macro", VECTORS)
def test_a_macro_expands_as_in_the_plug_in(macro: str) -> None:
    assert expand_macros(f"SELECT {macro}, 1", ASKED) == f"SELECT {VECTORS[macro]}, 1"


def test_a_point_is_never_less_than_a_second_wide() -> None:
    narrow = TimeRange(ASKED.start, ASKED.end, interval_s=0.2)
    assert expand_macros("$__interval_s", narrow) == "1"


def test_arguments_may_hold_parentheses() -> None:
    assert expand_macros("$__timeFilter(f(a))", ASKED).startswith("f(a) >= ")


def test_a_condition_on_all_is_no_condition() -> None:
    sql = "WHERE $__conditionalAll(role IN (${role:singlequote}), $role)"
    assert interpolate(sql, [ROLE], {"role": [ALL]}) == "WHERE 1=1"
    assert interpolate(sql, [ROLE], {"role": [""]}) == "WHERE 1=1"
    assert interpolate(sql, [ROLE], {"role": ["a", "b"]}) == "WHERE role IN ('a','b')"


def test_several_conditions_are_independent() -> None:
    role = "$__conditionalAll(role IN (${role:singlequote}), $role)"
    sql = role + " AND $__conditionalAll(site IN (${site:singlequote}), $site)"
    assert interpolate(sql, [ROLE, SITE], {"role": [ALL], "site": ["s"]}) == "1=1 AND site IN ('s')"


def test_the_value_for_all_is_put_in_as_it_is() -> None:
    assert interpolate("site = ${site:singlequote}", [SITE], {"site": [ALL]}) == "site = ''"


@pytest.mark.parametrize("value", ["'", "\\", "\\'", "a' OR 1=1 --", "$__fromTime", "${role}"])
def test_a_value_stays_a_value(value: str) -> None:
    written = interpolate("x = ${role:singlequote}", [ROLE], {"role": [value]})
    inside = written.removeprefix("x = '").removesuffix("'")
    assert inside.replace("\\\\", "").replace("\\'", "").count("'") == 0
    assert inside.replace("\\\\", "\\").replace("\\'", "'") == value


@pytest.mark.parametrize(
    "sql",
    [
        "$__nothing",
        "$nobody",
        "${nobody:singlequote}",
        "${role}",
        "$role",
        "${role:csv}",
        "$__timeFilter(a, b)",
        "$__timeFilter(a",
    ],
)
def test_what_the_plug_in_would_not_understand_is_an_error(sql: str) -> None:
    with pytest.raises(MacroError):
        expand(sql, ASKED, [ROLE], {"role": ["a"]})


def test_a_value_that_looks_like_a_macro_is_none() -> None:
    assert expand("x = ${role:singlequote}", ASKED, [ROLE], {"role": ["$__dateFilter(1)"]}) == "x = '$__dateFilter(1)'"


def test_all_needs_a_condition_or_a_value() -> None:
    with pytest.raises(MacroError):
        interpolate("role = ${role:singlequote}", [ROLE], {"role": [ALL]})
