"""What holds for every panel of every dashboard."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from deploy.dashboards.catalogue import BOARD, DASHBOARDS
from deploy.dashboards.dashboard import Dashboard
from deploy.dashboards.panel import Panel
from sinks.clickhouse.audiences import VIEWS, views_of

PANELS = [(dashboard, panel) for dashboard in DASHBOARDS for panel in dashboard.panels()]
IDS = [f"{dashboard.key}/{panel.key}" for dashboard, panel in PANELS]
every_panel = pytest.mark.parametrize(("dashboard", "panel"), PANELS, ids=IDS)


def statements(dashboard: Dashboard) -> Iterator[str]:
    for panel in dashboard.panels():
        yield from (query.sql for query in panel.queries)
    yield from (variable.sql for variable in dashboard.variables)
    yield from (annotation.sql for annotation in dashboard.annotations)


def views_in(sql: str) -> set[str]:
    words = set(re.findall(r"[a-z_]+", re.sub(r"'[^']*'", "''", sql)))
    return {view for view in VIEWS if view in words and re.search(rf"(FROM|JOIN)\s+{view}\b", sql)}


@every_panel
def test_a_panel_says_what_it_answers_and_what_an_empty_answer_means(dashboard: Dashboard, panel: Panel) -> None:
    assert panel.question.rstrip().endswith((".", "?", ")"))
    assert panel.no_data.endswith(".")
    assert panel.title


@every_panel
def test_a_panel_reads_views_of_its_audience_only(dashboard: Dashboard, panel: Panel) -> None:
    for query in panel.queries:
        found = {VIEWS[view].audience for view in views_in(query.sql)}
        assert found, "reads no view"
        assert found <= {panel.audience, "pipeline" if panel.key == "sources" else panel.audience}


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda dashboard: dashboard.key)
def test_a_dashboard_reads_what_its_account_may_read(dashboard: Dashboard) -> None:
    readable = set(views_of(dashboard.data_source))
    for sql in statements(dashboard):
        assert views_in(sql) <= readable


@every_panel
def test_every_column_that_is_drawn_is_a_column_of_the_answer(dashboard: Dashboard, panel: Panel) -> None:
    names = {column.name for query in panel.queries for column in query.columns}
    drawn = {
        value
        for field in (
            "row",
            "column",
            "text",
            "shade",
            "category",
            "value",
            "cumulative",
            "x",
            "y",
            "series",
            "low",
            "high",
            "center",
            "lower",
            "upper",
            "flag",
        )
        if (value := getattr(panel.visual, field, ""))
    }
    drawn |= set(getattr(panel.visual, "values", ()))
    assert drawn <= names


@every_panel
def test_a_quality_panel_states_its_n(dashboard: Dashboard, panel: Panel) -> None:
    counts = {column.name for query in panel.queries for column in query.columns if column.kind == "count"}
    assert panel.audience != "quality" or counts


def test_keys_are_unique() -> None:
    assert len({dashboard.key for dashboard in DASHBOARDS}) == len(DASHBOARDS)
    for dashboard in DASHBOARDS:
        keys = [panel.key for panel in dashboard.panels()]
        assert len(set(keys)) == len(keys)


def test_event_ids_are_for_auditors() -> None:
    for dashboard in DASHBOARDS:
        for sql in statements(dashboard):
            assert dashboard.data_source == "auditor" or not re.search(r"event_ids|episode_id|actor", sql)


def test_the_board_reads_as_everyone_does() -> None:
    assert {dashboard.data_source for dashboard in BOARD} == {"reader"}


def test_nothing_is_ordered_by_how_well_a_tie_does() -> None:
    """No league tables: rows of roles stand in alphabetical order, or the most urgent first."""
    for dashboard, panel in PANELS:
        for query in panel.queries:
            _, _, order = query.sql.rpartition("ORDER BY") if "ORDER BY" in query.sql else ("", "", "")
            assert not re.search(r"\b(estimate|value|low|high|change|share)\b", order), (dashboard.key, panel.key)
