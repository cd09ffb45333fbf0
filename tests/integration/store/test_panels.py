"""Every panel, variable and annotation, run against the real schema as the account that dashboards use.

A renamed column breaks a test here, not a dashboard.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from clickhouse_connect.driver.client import Client

from deploy.dashboards.catalogue import DASHBOARDS
from deploy.dashboards.dashboard import ALL, Dashboard, Variable
from deploy.dashboards.macros import TimeRange, expand
from deploy.dashboards.panel import Kind, Panel, Query
from sinks.clickhouse.migrate import migrate
from sinks.clickhouse.settings import ClickHouseSettings, connect
from tests.integration.store.conftest import reading_as
from tests.integration.store.panel_rows import FULL, ONE, fill_full, fill_one

PANELS = [
    (dashboard, panel, query) for dashboard in DASHBOARDS for panel in dashboard.panels() for query in panel.queries
]
every_query = pytest.mark.parametrize(
    ("dashboard", "panel", "query"), PANELS, ids=[f"{d.key}/{p.key}/{q.ref}" for d, p, q in PANELS]
)
every_dashboard = pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda dashboard: dashboard.key)
EMPTY = TimeRange(datetime(2001, 1, 1, tzinfo=UTC), datetime(2001, 2, 1, tzinfo=UTC), 3600)

_TYPES: dict[Kind, str] = {
    "time": r"DateTime(64\(\d(, '[^']+')?\)|\('[^']+'\))?",
    "text": r"String|Enum.*",
    "count": r"U?Int\d+",
    "number": r"Float64|U?Int\d+",
    "share": r"Float64",
    "seconds": r"Float64|U?Int\d+",
    "bytes": r"U?Int\d+",
    "flag": r"Bool|UInt8",
    "list": r"Array\(.*String.*\)",
}
NOW_ONLY = {"open_handoffs", "open_signals", "freshness", "pipeline_tables", "pipeline_roles"}
"""Views of the present moment: their panels do not depend on the period."""


class Answer(NamedTuple):
    """What the store says: times as text."""

    column_names: list[str]
    column_types: list[str]
    result_rows: list[list[Any]]


@dataclass
class Store:
    """A database: who reads it, over which period, and what is chosen where the choice matters."""

    name: str
    readers: dict[str, Client]
    period: TimeRange
    wanted: dict[str, str]
    chosen: dict[str, dict[str, list[str]]] = field(default_factory=dict)

    def ask(self, dashboard: Dashboard, sql: str, period: TimeRange, chosen: dict[str, list[str]]) -> Answer:
        written = expand(sql, period, dashboard.variables, chosen)
        # This format tells names and types of an answer without rows too.
        answer = json.loads(self.readers[dashboard.data_source].raw_query(written, fmt="JSONCompact"))
        names, types = ([column[key] for column in answer["meta"]] for key in ("name", "type"))
        return Answer(names, types, answer["data"])

    def choices(self, dashboard: Dashboard) -> dict[str, list[str]]:
        """What somebody sees who opens the dashboard: each variable's default, `wanted`, all, or its first value."""
        if dashboard.key not in self.chosen:
            chosen = self.chosen[dashboard.key] = {}
            for variable in dashboard.variables:
                rows = self.ask(dashboard, variable.sql, self.period, chosen).result_rows
                chosen[variable.name] = [self._first(variable, [str(row[0]) for row in rows])]
        return self.chosen[dashboard.key]

    def _first(self, variable: Variable, found: list[str]) -> str:
        if variable.all:
            return ALL
        preferred = [name for name in (self.wanted.get(variable.name, ""), variable.default) if name in found]
        return (preferred + found + [""])[0]


FILLED: dict[str, tuple[Callable[[Client], dict[str, str]], TimeRange]] = {
    "full": (fill_full, FULL),
    "one": (fill_one, ONE),
    "empty": (lambda _: {}, FULL),
}


@pytest.fixture(scope="module", params=list(FILLED))
def filled(request: pytest.FixtureRequest, store: ClickHouseSettings, store_folder: Path) -> Iterator[Store]:
    """The whole scenario; one row of everything; a new store."""
    fill, period = FILLED[request.param]
    client = connect(store.model_copy(update={"database": f"test_{uuid.uuid4().hex[:12]}"}))
    migrate(client)
    wanted = fill(client)
    with (
        reading_as("reader", client, store, store_folder) as reader,
        reading_as("auditor", client, store, store_folder) as auditor,
    ):
        yield Store(request.param, {"reader": reader, "auditor": auditor}, period, wanted)
    client.command(f"DROP DATABASE `{client.database}`", use_database=False)
    client.close()


def assert_right(query: Query, answer: Answer) -> None:
    assert answer.column_names == [column.name for column in query.columns]
    for column, kind in zip(query.columns, answer.column_types, strict=True):
        wrappers = kind.count("LowCardinality(") + kind.count("Nullable(")
        plain = kind.replace("LowCardinality(", "").replace("Nullable(", "").removesuffix(")" * wrappers)
        assert re.fullmatch(_TYPES[column.kind], plain), f"{column.name} is {kind}, not a {column.kind}"
    for row in answer.result_rows:
        for column, value in zip(query.columns, row, strict=True):
            assert value is not None or column.nullable, f"{column.name} is null"
            if column.kind == "share" and value is not None:
                assert -1e-9 <= value <= 1 + 1e-9, f"{column.name} is {value}"
    if query.time_series:
        times = [row[0] for row in answer.result_rows]
        assert query.columns[0].kind == "time"
        assert times == sorted(times)


@every_query
def test_a_panel_over_its_whole_range(filled: Store, dashboard: Dashboard, panel: Panel, query: Query) -> None:
    answer = filled.ask(dashboard, query.sql, filled.period, filled.choices(dashboard))
    assert_right(query, answer)
    assert answer.result_rows or filled.name != "full", f"nothing to see: {panel.no_data}"


@every_query
def test_a_panel_over_an_empty_range(filled: Store, dashboard: Dashboard, panel: Panel, query: Query) -> None:
    answer = filled.ask(dashboard, query.sql, EMPTY, filled.choices(dashboard))
    assert_right(query, answer)
    always = any(view in query.sql for view in NOW_ONLY)
    assert always or not answer.result_rows, "rows of a time when nothing had happened"


@every_dashboard
def test_a_choice_narrows_what_is_shown(filled: Store, dashboard: Dashboard) -> None:
    """Every variable with its first value chosen, instead of all."""
    chosen: dict[str, list[str]] = {}
    for variable in dashboard.variables:
        rows = filled.ask(dashboard, variable.sql, filled.period, chosen).result_rows
        chosen[variable.name] = [str(row[0]) for row in rows[:1]] or [""]
    for panel in dashboard.panels():
        for query in panel.queries:
            assert_right(query, filled.ask(dashboard, query.sql, filled.period, chosen))


@every_dashboard
def test_variables_have_one_or_two_columns_and_no_empty_value(filled: Store, dashboard: Dashboard) -> None:
    chosen = filled.choices(dashboard)
    for variable in dashboard.variables:
        answer = filled.ask(dashboard, variable.sql, filled.period, chosen)
        assert len(answer.column_names) in (1, 2)
        assert all(row[0] for row in answer.result_rows)


@every_dashboard
def test_annotations_have_what_grafana_reads(filled: Store, dashboard: Dashboard) -> None:
    for annotation in dashboard.annotations:
        answer = filled.ask(dashboard, annotation.sql, filled.period, filled.choices(dashboard))
        assert list(answer.column_names) == ["time", "timeEnd", "title", "text", "tags"]
        assert answer.result_rows or filled.name != "full"


def test_one_row_is_one_row(filled: Store) -> None:
    """The range with one row: one open handoff, one tie with one dimension that may be shown."""
    if filled.name != "one":
        return
    live, ties = DASHBOARDS[0], DASHBOARDS[1]
    rows = filled.ask(live, live.panel("open-handoffs").query.sql, ONE, filled.choices(live)).result_rows
    assert len(rows) == 1
    chosen = filled.choices(ties)
    trend = filled.ask(ties, ties.panel("trend-there").query.sql, ONE, chosen).result_rows
    assert len(trend) == 1
