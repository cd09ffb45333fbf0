"""Laws of the JSON that Grafana gets, for every dashboard and panel there is and will be."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from deploy.dashboards.catalogue import DASHBOARDS
from deploy.dashboards.dashboard import Dashboard
from deploy.dashboards.panel import Panel
from deploy.grafana.rendering.layout import panel_number
from deploy.grafana.rendering.render import dashboard_json

Json = dict[str, Any]
RENDERED = {dashboard.key: dashboard_json(dashboard) for dashboard in DASHBOARDS}
every_dashboard = pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda dashboard: dashboard.key)
PANELS = [(dashboard, panel) for dashboard in DASHBOARDS for panel in dashboard.panels()]
every_panel = pytest.mark.parametrize(("dashboard", "panel"), PANELS, ids=[f"{d.key}/{p.key}" for d, p in PANELS])
PLUGIN = {"reader": "tieline", "auditor": "tieline-auditor"}
JUDGING = re.compile(r"green|red\b|palette-classic|RdYl|GrYl|YlRd|continuous-reds", re.IGNORECASE)


def rendered(dashboard: Dashboard, panel: Panel) -> Json:
    (found,) = (each for each in RENDERED[dashboard.key]["panels"] if each["id"] == panel_number(dashboard, panel))
    return dict(found)


def properties(panel: Json, column: str) -> Json:
    """What a panel's overrides say of a column."""
    return {
        said["id"]: said.get("value")
        for override in panel["fieldConfig"]["overrides"]
        if override["matcher"] == {"id": "byName", "options": column}
        for said in override["properties"]
    }


def sources(value: object) -> Iterator[Json]:
    """Everything in some JSON that names a data source."""
    if isinstance(value, dict):
        if "datasource" in value:
            yield value["datasource"]
        for each in value.values():
            yield from sources(each)
    elif isinstance(value, list):
        for each in value:
            yield from sources(each)


def colours(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        yield from (str(each) for key, each in value.items() if key in ("fixedColor", "mode", "color", "iconColor"))
        for each in value.values():
            yield from colours(each)
    elif isinstance(value, list):
        for each in value:
            yield from colours(each)


@every_dashboard
def test_everything_is_asked_of_the_data_source_of_the_account(dashboard: Dashboard) -> None:
    wanted = {"type": "grafana-clickhouse-datasource", "uid": PLUGIN[dashboard.data_source]}
    found = list(sources(RENDERED[dashboard.key]))
    assert found
    assert all(source == wanted for source in found)
    assert "__inputs" not in RENDERED[dashboard.key]


@every_panel
def test_targets_are_the_panels_queries_in_the_plugins_words(dashboard: Dashboard, panel: Panel) -> None:
    targets = rendered(dashboard, panel)["targets"]
    assert [(target["refId"], target["rawSql"]) for target in targets] == [(q.ref, q.sql) for q in panel.queries]
    for target in targets:
        assert target["editorType"] == "sql"
        assert target["pluginVersion"] == "4.20.0"
        assert (target["format"], target["queryType"]) in ((0, "timeseries"), (1, "table"))
        assert target["meta"] == {}


@every_panel
def test_only_time_series_are_asked_for_as_time_series(dashboard: Dashboard, panel: Panel) -> None:
    for target, query in zip(rendered(dashboard, panel)["targets"], panel.queries, strict=True):
        texts = [column for column in query.columns if column.kind == "text"]
        torn = any(column.hidden for column in texts)
        assert (target["format"] == 0) == (query.time_series and not torn)
        if query.time_series:
            assert query.columns[0].kind == "time"
            assert re.search(r"ORDER BY time\b(?! DESC)", query.sql), "time is not ascending"


@every_panel
def test_panel_says_its_question_and_what_nothing_means(dashboard: Dashboard, panel: Panel) -> None:
    found = rendered(dashboard, panel)
    assert found["title"] == panel.title
    assert found["description"] == panel.question
    assert found["fieldConfig"]["defaults"]["noValue"] == panel.no_data


@every_panel
def test_panel_says_which_grafana_it_is_written_for(dashboard: Dashboard, panel: Panel) -> None:
    assert rendered(dashboard, panel)["pluginVersion"] == "11.6.0"


@every_panel
def test_empty_cell_does_not_say_what_an_empty_panel_says(dashboard: Dashboard, panel: Panel) -> None:
    found = rendered(dashboard, panel)
    if panel.visual.kind == "matrix":
        matches = {mapping["options"]["match"] for mapping in found["fieldConfig"]["defaults"]["mappings"]}
        assert matches == {"empty", "null"}
    elif panel.visual.kind == "table":
        for column in panel.query.columns:
            assert column.hidden or properties(found, column.name)["noValue"] == column.when_null


@every_panel
def test_null_in_a_table_is_said_in_words(dashboard: Dashboard, panel: Panel) -> None:
    if panel.visual.kind != "table":
        return
    for column in panel.query.columns:
        if column.nullable and not column.hidden:
            (mapping,) = properties(rendered(dashboard, panel), column.name)["mappings"]
            assert mapping["options"]["match"] == "null"
            assert mapping["options"]["result"]["text"] == column.when_null


@every_panel
def test_column_of_a_table_has_its_title_and_unit(dashboard: Dashboard, panel: Panel) -> None:
    if panel.visual.kind != "table":
        return
    units = {"count": "locale", "number": "none", "share": "percentunit", "seconds": "dtdhms", "bytes": "bytes"}
    found = rendered(dashboard, panel)
    hidden = [name for step in found["transformations"] for name in step["options"].get("excludeByName", {})]
    assert hidden == [column.name for column in panel.query.columns if column.hidden]
    for column in panel.query.columns:
        if not column.hidden:
            said = properties(found, column.name)
            assert said["displayName"] == column.label
            assert said.get("unit") == units.get(column.kind)


@every_panel
def test_no_colour_judges_or_tells_roles_apart(dashboard: Dashboard, panel: Panel) -> None:
    found = rendered(dashboard, panel)
    assert not [colour for colour in colours(found) if JUDGING.search(colour)]
    if panel.audience == "quality":
        assert "thresholds" not in json.dumps(found["fieldConfig"])


@every_panel
def test_passed_threshold_is_said_in_words_too(dashboard: Dashboard, panel: Panel) -> None:
    said = json.dumps(rendered(dashboard, panel)["fieldConfig"], ensure_ascii=False)
    for threshold in panel.thresholds:
        assert threshold.label in said


@every_panel
def test_number_that_is_not_drawn_stays_out_of_the_legend(dashboard: Dashboard, panel: Panel) -> None:
    if panel.visual.kind != "time_series":
        return
    for column in panel.query.columns[1:]:
        if column.kind != "text" and column.name not in panel.visual.values:
            said = properties(rendered(dashboard, panel), column.name)
            assert said["custom.hideFrom"] == {"legend": True, "tooltip": False, "viz": False}
            assert (said["custom.lineWidth"], said["custom.axisPlacement"]) == (0, "hidden")


@every_dashboard
def test_variable_that_is_used_is_defined_before(dashboard: Dashboard) -> None:
    found = RENDERED[dashboard.key]
    defined: set[str] = set()
    for variable in found["templating"]["list"]:
        assert used_in(variable["query"]["rawSql"]) <= defined, variable["name"]
        defined.add(variable["name"])
    texts = [json.dumps(found["panels"]), json.dumps(found["annotations"])]
    assert used_in(" ".join(texts)) <= defined


def used_in(text: str) -> set[str]:
    """Names of variables, without Grafana's own and the macros, which begin with two underscores."""
    return {
        name for pair in re.findall(r"\$\{(\w+)[^}]*\}|\$(\w+)", text) for name in pair if name[:2] not in ("", "__")
    }


@every_dashboard
def test_variable_is_asked_in_both_models_of_the_plugin(dashboard: Dashboard) -> None:
    for variable, defined in zip(RENDERED[dashboard.key]["templating"]["list"], dashboard.variables, strict=True):
        query = {"refId": "variable", "editorType": "sql", "queryType": "sql", "rawSql": defined.sql}
        assert variable["query"] == query
        assert (variable["type"], variable["refresh"], variable["sort"], variable["hide"]) == ("query", 2, 0, 0)
        assert (variable["multi"], variable["includeAll"]) == (defined.multi, defined.all)
        assert variable.get("allValue", "") == defined.all_value
        assert variable.get("current", {}).get("value", "") in (
            defined.default or ("$__all" if defined.all else ""),
            ["$__all"],
        )


@every_dashboard
def test_annotation_is_a_table_of_what_grafana_knows_by_name(dashboard: Dashboard) -> None:
    for annotation in RENDERED[dashboard.key]["annotations"]["list"]:
        target = annotation["target"]
        assert (target["format"], target["editorType"], annotation["enable"]) == (1, "sql", True)
        for column in ("time", "timeEnd", "title", "text", "tags"):
            assert re.search(rf"\bAS {column}\b", target["rawSql"])


@every_dashboard
def test_panels_have_numbers_of_their_own_that_do_not_depend_on_each_other(dashboard: Dashboard) -> None:
    ids = [panel["id"] for panel in RENDERED[dashboard.key]["panels"]]
    assert len(set(ids)) == len(ids)
    assert all(0 < number < 2**31 for number in ids)


@every_dashboard
def test_panels_stand_beside_each_other_and_inside_the_grid(dashboard: Dashboard) -> None:
    taken: set[tuple[int, int]] = set()
    for panel in RENDERED[dashboard.key]["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken, panel["title"]
        assert at["x"] + at["w"] <= 24
        taken |= cells


@every_dashboard
def test_section_is_a_row_above_its_panels(dashboard: Dashboard) -> None:
    wanted = [title for section in dashboard.sections for title in (section.title, *(p.title for p in section.panels))]
    found = RENDERED[dashboard.key]["panels"]
    assert [panel["title"] for panel in found] == wanted
    assert [panel["title"] for panel in found if panel["type"] == "row"] == [s.title for s in dashboard.sections]
    heights = [panel["gridPos"]["y"] for panel in found]
    assert heights == sorted(heights)


@every_dashboard
def test_dashboard_leads_to_the_others_and_keeps_choice_and_period(dashboard: Dashboard) -> None:
    found = RENDERED[dashboard.key]
    assert "tieline" in found["tags"]
    (link,) = found["links"]
    assert (link["type"], link["tags"]) == ("dashboards", ["tieline"])
    assert link["keepTime"]
    assert link["includeVars"]


@every_dashboard
def test_dashboard_has_its_uid_range_and_refresh(dashboard: Dashboard) -> None:
    found = RENDERED[dashboard.key]
    assert (found["uid"], found["schemaVersion"], found["editable"]) == (dashboard.uid, 42, False)
    assert found["time"] == {"from": dashboard.time_from, "to": "now"}
    assert found["refresh"] == (f"{dashboard.refresh_s}s" if dashboard.refresh_s else "")
    assert found["timezone"] == "browser"
    assert not {"id", "version", "iteration"} & found.keys()
