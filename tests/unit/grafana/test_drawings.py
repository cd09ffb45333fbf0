"""How each kind of panel is drawn, on a small panel of its own."""

from __future__ import annotations

import json
from typing import Any

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from deploy.dashboards.panel import (
    Bars,
    Column,
    ControlChart,
    Curve,
    Graph,
    Matrix,
    Panel,
    Query,
    Stat,
    Table,
    Threshold,
    TimeSeries,
    Visual,
    text,
)
from deploy.grafana.rendering.charts import draw_bars, draw_control_chart, draw_time_series
from deploy.grafana.rendering.curve import MOST_CURVES, draw_curve
from deploy.grafana.rendering.drawing import Drawing
from deploy.grafana.rendering.graph import draw_graph
from deploy.grafana.rendering.stat import draw_stat
from deploy.grafana.rendering.tables import draw_matrix, draw_table
from deploy.grafana.rendering.targets import as_series

Json = dict[str, Any]
TIME = Column("time", "time")
N = Column("n", "count")


def panel_of(visual: Visual, *columns: Column, **more: Any) -> Panel:
    query = Query("SELECT 1", columns, time_series=more.pop("time_series", False))
    return Panel("key", "Title", "Why?", (query,), visual, "Nothing.", **more)


def plain(drawing: Drawing) -> Json:
    """As Grafana reads it, overrides by column."""
    config = json.loads(JSONEncoder().encode(drawing.field_config("Nothing.")))
    steps = json.loads(JSONEncoder().encode(drawing.transformations))
    return {
        "plugin": drawing.plugin,
        "options": json.loads(JSONEncoder().encode(drawing.options)),
        "defaults": config["defaults"],
        "columns": {
            override["matcher"]["options"]: {said["id"]: said.get("value") for said in override["properties"]}
            for override in config["overrides"]
        },
        "steps": [(step["id"], step["options"]) for step in steps],
    }


def test_share_is_shown_in_percents_with_the_places_of_the_share() -> None:
    drawn = plain(
        draw_table(panel_of(Table(), Column("a", "share", decimals=2), Column("b", "share", decimals=3)), None)
    )
    assert [(c["unit"], c["decimals"]) for c in drawn["columns"].values()] == [("percentunit", 0), ("percentunit", 1)]


def test_duration_is_a_clock_in_a_table_and_seconds_on_an_axis() -> None:
    waited = Column("waited_s", "seconds")
    assert plain(draw_table(panel_of(Table(), waited), None))["columns"]["waited_s"]["unit"] == "dtdhms"
    chart = TimeSeries(("waited_s",))
    assert plain(draw_time_series(panel_of(chart, TIME, waited), chart))["columns"]["waited_s"]["unit"] == "s"


def test_flag_is_yes_or_no() -> None:
    (mapping,) = plain(draw_table(panel_of(Table(), Column("ripe", "flag")), None))["columns"]["ripe"]["mappings"]
    words = {raw: result["text"] for raw, result in mapping["options"].items()}
    assert words == {"0": "no", "1": "yes", "false": "no", "true": "yes"}


def test_series_is_named_by_its_text() -> None:
    chart = TimeSeries(("value",))
    drawn = plain(draw_time_series(panel_of(chart, TIME, text("series"), Column("value", "share"), N), chart))
    assert drawn["columns"]["value"]["displayName"] == "${__field.labels.series}"
    assert drawn["columns"]["n"]["displayName"] == "${__field.labels.series}, n"


def test_several_values_of_a_text_are_told_apart() -> None:
    chart = TimeSeries(("mean", "most"))
    drawn = plain(
        draw_time_series(panel_of(chart, TIME, text("app"), Column("mean", "number"), Column("most", "number")), chart)
    )
    assert drawn["columns"]["most"]["displayName"] == "${__field.labels.app}, most"


def test_values_without_texts_differ_in_shade_and_in_form() -> None:
    chart = TimeSeries(("a", "b", "c", "d"))
    columns = plain(draw_time_series(panel_of(chart, TIME, *(Column(n, "count") for n in "abcd")), chart))["columns"]
    for said in ("custom.lineStyle", "color"):
        assert len({json.dumps(column[said]) for column in columns.values()}) == 4


def test_gap_is_not_bridged() -> None:
    for chart in (TimeSeries(("n",)), TimeSeries(("n",), style="points"), TimeSeries(("n",), style="bars")):
        drawn = plain(draw_time_series(panel_of(chart, TIME, N), chart))
        assert drawn["defaults"]["custom"]["spanNulls"] is False


def test_stacked_values_leave_out_what_is_not_drawn() -> None:
    chart = TimeSeries(("a",), style="bars", stacked=True)
    drawn = plain(draw_time_series(panel_of(chart, TIME, Column("a", "count"), N), chart))
    assert drawn["defaults"]["custom"]["stacking"] == {"mode": "normal", "group": "A"}
    assert drawn["columns"]["n"]["custom.stacking"]["mode"] == "none"


def control_chart() -> Json:
    chart = ControlChart()
    shares = [Column(name, "share") for name in ("value", "center", "lower", "upper")]
    return plain(draw_control_chart(panel_of(chart, TIME, *shares, N, Column("special", "flag")), chart))


def test_picked_out_point_differs_in_form_and_size() -> None:
    drawn = control_chart()
    ((step, options),) = drawn["steps"]
    assert (step, options["alias"]) == ("calculateField", "picked_out")
    assert options["binary"]["operator"] == "/"
    assert drawn["columns"]["picked_out"]["custom.drawStyle"] == "points"
    assert drawn["columns"]["picked_out"]["custom.pointSize"] > 2 * drawn["columns"]["value"]["custom.pointSize"]
    assert drawn["columns"]["special"]["custom.hideFrom"] == {"legend": True, "tooltip": True, "viz": True}


def test_limits_are_quiet_and_dashed() -> None:
    drawn = control_chart()
    assert drawn["columns"]["lower"]["custom.lineStyle"]["fill"] == "dash"
    assert "color" not in drawn["columns"]["upper"]


def test_answer_with_a_text_for_readers_is_asked_for_as_a_table() -> None:
    columns = (TIME, N, text("verdict", hidden=True))
    assert not as_series(Query("", columns, time_series=True))
    assert as_series(Query("", (TIME, N, text("series")), time_series=True))


def test_bars_lie_and_draw_one_value() -> None:
    bars = Bars("reason", "times")
    drawn = plain(draw_bars(panel_of(bars, text("reason"), Column("times", "count"), Column("of", "count")), bars))
    assert (drawn["plugin"], drawn["options"]["xField"], drawn["options"]["orientation"]) == (
        "barchart",
        "reason",
        "horizontal",
    )
    assert drawn["options"]["xTickLabelMaxLength"] > 40
    assert drawn["columns"]["of"]["custom.hideFrom"]["viz"]
    assert "custom.hideFrom" not in drawn["columns"]["times"]


def test_running_share_has_an_axis_of_its_own() -> None:
    bars = Bars("reason", "times", "cumulative")
    columns = (text("reason"), Column("times", "count"), Column("cumulative", "share"))
    drawn = plain(draw_bars(panel_of(bars, *columns), bars))
    assert drawn["columns"]["cumulative"]["custom.axisPlacement"] == "right"
    assert (drawn["columns"]["cumulative"]["unit"], drawn["columns"]["cumulative"]["max"]) == ("percentunit", 1)


def curve() -> Json:
    shape = Curve("minutes", "answered", "who", "low", "high", logarithmic=True)
    shares = [Column(name, "share") for name in ("answered", "low", "high")]
    return plain(draw_curve(panel_of(shape, Column("minutes", "number"), *shares, text("who")), shape))


def test_curve_is_split_by_its_text_and_each_part_drawn_from_copies_of_its_own() -> None:
    drawn = curve()
    assert drawn["steps"][-1][0] == "partitionByValues"
    assert drawn["steps"][-1][1]["fields"] == ["who"]
    copies = [options["alias"] for step, options in drawn["steps"][:-1]]
    taken = [
        (each["frame"]["matcher"]["options"], each["y"]["matcher"]["options"]) for each in drawn["options"]["series"]
    ]
    assert sorted(copies) == sorted(name for _, name in taken)
    assert {int(name.split()[-1]) - 1 for _, name in taken} == set(range(MOST_CURVES))
    assert all(place == int(name.split()[-1]) - 1 for place, name in taken)


def test_curves_are_told_apart_without_colours() -> None:
    columns = curve()["columns"]
    forms = {
        (columns[f"answered {i}"]["custom.pointShape"], columns[f"answered {i}"]["custom.lineStyle"]["fill"])
        for i in range(1, MOST_CURVES + 1)
    }
    assert len(forms) == MOST_CURVES


def test_logarithmic_axis_has_room_for_nothing_and_no_end() -> None:
    drawn = curve()
    assert drawn["columns"]["minutes"]["custom.scaleDistribution"]["type"] == "symlog"
    assert "max" not in drawn["columns"]["minutes"]
    assert not {"min", "max"} & drawn["defaults"].keys()


def test_matrix_is_sorted_both_ways_and_its_corner_is_titled() -> None:
    matrix = Matrix("row", "column", "figure", "n")
    columns = (text("row", "of"), text("column", "as experienced by"), text("figure"), N)
    drawn = plain(draw_matrix(panel_of(matrix, *columns), matrix))
    first, turned, last = drawn["steps"]
    assert first == ("sortBy", {"fields": {}, "sort": [{"field": "column", "desc": False}]})
    assert turned[1] == {"columnField": "column", "rowField": "row", "valueField": "figure", "emptyValue": "empty"}
    assert last[1]["sort"] == [{"field": "row\\column", "desc": False}]
    assert drawn["columns"]["row\\column"]["displayName"] == "of ↓   as experienced by →"


def test_stat_shows_the_value_first_and_what_stands_beside_it() -> None:
    stat = Stat("open")
    drawn = plain(draw_stat(panel_of(stat, Column("open", "count"), N), stat))
    assert list(drawn["columns"]) == ["open", "n"]
    assert "noValue" not in drawn["columns"]["open"]
    assert drawn["options"]["reduceOptions"]["fields"] == "/.*/"
    assert drawn["options"]["colorMode"] == "none"


def test_threshold_takes_the_first_label_that_fits_and_leaves_the_figure() -> None:
    stat = Stat("age_s")
    thresholds = (Threshold(60, "late"), Threshold(600, "very late"))
    drawn = plain(draw_stat(panel_of(stat, Column("age_s", "seconds"), thresholds=thresholds), stat))
    said = [(m["options"]["from"], m["options"]["result"]["text"]) for m in drawn["columns"]["verdict"]["mappings"]]
    assert said == [(600, "very late"), (60, "late"), (None, "in order")]
    assert "mappings" not in drawn["columns"]["age_s"]


def test_figure_that_is_null_says_nothing_since_there_may_be_no_row_at_all() -> None:
    stat = Stat("per_million")
    sigma = Column("sigma_level", "number", nullable=True, when_null="no defect seen")
    drawn = plain(draw_stat(panel_of(stat, Column("per_million", "count"), sigma), stat))
    assert "no defect seen" not in json.dumps(drawn)
    assert drawn["columns"]["sigma_level"]["noValue"] == "–"


def test_hidden_column_is_left_out() -> None:
    drawn = plain(draw_table(panel_of(Table(), text("shown"), text("id", hidden=True)), None))
    assert drawn["steps"] == [("organize", {"excludeByName": {"id": True}, "indexByName": {}, "renameByName": {}})]


def test_graph_titles_a_name_only_if_it_means_one_thing() -> None:
    nodes = Query("", (text("id"), text("title", "role"), text("mainstat", "ties")), ref="nodes")
    edges = Query("", (text("id"), text("source"), text("target"), text("mainstat", "observations")), ref="edges")
    drawn = plain(draw_graph(Panel("map", "Map", "Who?", (nodes, edges), Graph(), "Nothing."), None))
    assert drawn["columns"]["title"] == {"displayName": "role"}
    assert "mainstat" not in drawn["columns"]
    assert drawn["options"]["nodes"] == {"arcs": []}
