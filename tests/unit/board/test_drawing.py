"""Panels drawn: markup, and options for the chart library."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from deploy.board.drawing.draw import draw, refused
from deploy.board.drawing.drawing import Drawing, Mark
from deploy.board.drawing.labels import without_order
from deploy.board.drawing.matrix import shade
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
    text,
)
from tests.unit.board.panels import END, SCENE, START, panel

TIME, N = Column("time", "time"), Column("n", "count")
VALUE = Column("value", "share", "went well")
ROLES = (text("communicator_role", "communication of"), text("experiencer_role", "as experienced by"), text("figure"))


def _drawn(of: Panel, *rows: dict[str, Any], **scene: Any) -> Drawing:
    return draw(of, {of.query.ref: rows}, replace(SCENE, **scene))


def _chart(of: Panel, *rows: dict[str, Any], **scene: Any) -> dict[str, Any]:
    drawn = _drawn(of, *rows, **scene)
    assert drawn.chart is not None
    json.dumps(drawn.chart, allow_nan=False)
    return drawn.chart


def _week(number: int) -> datetime:
    return START + timedelta(weeks=number)


def test_empty_answer_says_what_that_means() -> None:
    assert "Nothing came." in _drawn(panel(Table(), text("role"))).html


def test_refused_panel_says_why_in_its_own_frame() -> None:
    assert "run <code>tieline migrate</code>" in refused("no view; run `tieline migrate`").html


def test_table_has_a_caption_and_headings_for_rows_and_columns() -> None:
    html = _drawn(panel(Table(), text("role"), N), {"role": "nurse", "n": 3}).html
    assert '<caption class="unseen">Title</caption>' in html
    assert '<th scope="col">role</th>' in html
    assert '<th scope="row">nurse</th>' in html
    assert '<td class="figure">3</td>' in html


def test_overdue_row_is_marked_by_weight_and_word() -> None:
    html = _drawn(panel(Table(), text("role"), text("state")), {"role": "nurse", "state": "overdue"}).html
    assert '<tr class="strong">' in html
    assert "overdue" in html


def test_hidden_columns_are_for_the_drawing_only() -> None:
    html = _drawn(panel(Table(), text("role"), text("key", hidden=True)), {"role": "nurse", "key": "k-17"}).html
    assert "k-17" not in html


def test_long_table_says_how_many_rows_are_left_out() -> None:
    rows = [{"role": f"r{number}"} for number in range(30)]
    assert "and 12 more" in _drawn(panel(Table(), text("role")), *rows, most_rows=18).html


def test_figure_says_in_words_that_a_threshold_has_passed() -> None:
    of = panel(Stat("n"), N, Column("rest", "count"), thresholds=(Threshold(1, "some"), Threshold(10, "many")))
    assert "▲ many" in _drawn(of, {"n": 12, "rest": 4}).html
    assert "▲" not in _drawn(of, {"n": 0, "rest": 4}).html


def test_missing_figure_passes_no_threshold() -> None:
    of = panel(
        Stat("n"), Column("n", "count", nullable=True, when_null="not observed"), thresholds=(Threshold(0, "x"),)
    )
    html = _drawn(of, {"n": None}).html
    assert "not observed" in html
    assert "▲" not in html


def test_each_value_and_each_text_is_a_series() -> None:
    of = panel(TimeSeries(("a", "b")), TIME, text("app"), Column("a", "number"), Column("b", "number"))
    rows = [{"time": _week(0), "app": app, "a": 1.0, "b": 2.0} for app in ("infer", "sink")]
    names = [series["name"] for series in _chart(of, *rows)["series"]]
    assert names == ["infer, a", "infer, b", "sink, a", "sink, b"]


def test_point_carries_its_number_of_observations() -> None:
    of = panel(TimeSeries(("value",), style="points", share=True), TIME, text("series"), VALUE, N)
    chart = _chart(of, {"time": _week(1), "series": "accuracy", "value": 0.5, "n": 12})
    assert chart["series"][0]["data"][0]["note"] == "went well 0.50, n 12"
    assert (chart["yAxis"]["min"], chart["yAxis"]["max"]) == (0, 1)


def test_gap_stays_a_gap() -> None:
    of = panel(TimeSeries(("value",)), TIME, VALUE)
    chart = _chart(of, {"time": _week(0), "value": None}, {"time": _week(1), "value": float("nan")})
    assert [point["value"][1] for point in chart["series"][0]["data"]] == [None, None]
    assert chart["series"][0]["connectNulls"] is False


def test_time_axis_is_the_chosen_period() -> None:
    axis = _chart(panel(TimeSeries(("n",)), TIME, N), {"time": _week(1), "n": 1})["xAxis"]
    assert (axis["min"], axis["max"]) == (START.timestamp() * 1000, END.timestamp() * 1000)


@pytest.mark.parametrize("weeks", [8, 2_000])
def test_a_value_with_no_line_to_it_is_a_dot(weeks: int) -> None:
    """The first minute of a new installation would be an empty chart otherwise."""
    values = [0.5, None, 0.6, 0.7, None, None, 0.8, *[None] * (weeks - 7)]
    rows = [{"time": _week(0) + timedelta(minutes=at), "value": value} for at, value in enumerate(values)]
    (series,) = _chart(panel(TimeSeries(("value",)), TIME, VALUE), *rows)["series"]
    dots = [at for at, datum in enumerate(series["data"]) if isinstance(datum, dict) and "symbol" in datum]
    assert dots == [0, 6]
    assert series["data"][6]["value"][1] == 0.8


def test_stacked_series_have_a_point_at_every_time() -> None:
    of = panel(TimeSeries(("n",), style="bars", stacked=True), TIME, text("source"), N)
    rows = ({"time": _week(0), "source": "a", "n": 1}, {"time": _week(1), "source": "b", "n": 2})
    data = [[point["value"][1] for point in series["data"]] for series in _chart(of, *rows)["series"]]
    assert data == [[1, 0], [0, 2]]


def test_interventions_are_marked_and_told() -> None:
    of = panel(TimeSeries(("n",)), TIME, N)
    marks = [Mark(_week(1), _week(2), "Huddle"), Mark(_week(3), None, "Board")]
    chart = _chart(of, {"time": _week(1), "n": 1}, marks=marks)
    first = chart["series"][0]
    assert [line["label"]["formatter"] for line in first["markLine"]["data"]] == ["Huddle", "Board"]
    assert first["markArea"]["data"][1][1]["xAxis"] == END.timestamp() * 1000
    assert "Huddle from 8 Jan 2026 to 15 Jan 2026" in chart["aria"]["label"]["description"]
    assert "still going on" in chart["aria"]["label"]["description"]


def test_picked_out_point_has_another_shape_and_is_told() -> None:
    columns = (TIME, VALUE, *(Column(name, "share", nullable=True) for name in ("center", "lower", "upper")))
    of = panel(ControlChart(), *columns, Column("special", "flag"), text("verdict", hidden=True))
    rows = [
        {"time": _week(week), "value": 0.5, "center": 0.6, "lower": 0.4, "upper": None, "special": week == 2}
        | {"verdict": "special cause"}
        for week in range(4)
    ]
    drawn = _drawn(of, *rows)
    assert drawn.chart is not None
    assert [point.get("symbol") for point in drawn.chart["series"][0]["data"]] == [None, None, "diamond", None]
    assert "Special cause. Picked out by a rule (diamonds): 15 Jan 2026." in drawn.html
    assert drawn.chart["series"][3]["data"][0][1] is None


def test_bars_keep_the_order_of_the_rows() -> None:
    of = panel(Bars("reason", "n"), text("reason"), N)
    chart = _chart(of, {"reason": "2 later", "n": 9}, {"reason": "1 first", "n": 3})
    assert chart["yAxis"]["data"] == ["later", "first"]
    assert chart["yAxis"]["inverse"] is True


def test_pareto_has_the_running_share_on_an_axis_of_its_own() -> None:
    of = panel(Bars("reason", "n", "cumulative"), text("reason"), N, Column("cumulative", "share"))
    chart = _chart(of, {"reason": "missing", "n": 9, "cumulative": 0.9}, {"reason": "wrong", "n": 1, "cumulative": 1.0})
    assert [series["type"] for series in chart["series"]] == ["bar", "line"]
    assert chart["yAxis"][1]["max"] == 1


def _curve(logarithmic: bool) -> Panel:
    columns = (
        Column("x", "number"),
        Column("y", "share"),
        text("who"),
        Column("low", "share"),
        Column("high", "share"),
    )
    return panel(Curve("x", "y", "who", "low", "high", logarithmic), *columns)


def test_curve_steps_and_has_its_interval_as_a_band() -> None:
    band_low, band, line = _chart(_curve(False), {"x": 5.0, "y": 0.5, "who": "a", "low": 0.4, "high": 0.7})["series"]
    assert line["step"] == "end"
    assert band_low["data"] == [[5.0, 0.4]]
    assert band["data"] == [[5.0, pytest.approx(0.3)]]
    assert band_low["stack"] == band["stack"]


def test_what_was_answered_at_once_has_a_place_on_a_logarithmic_axis() -> None:
    chart = _chart(_curve(True), {"x": 0.0, "y": 0.5, "who": "a", "low": None, "high": None})
    assert chart["xAxis"]["type"] == "log"
    assert chart["series"][2]["data"][0]["value"][0] > 0


def test_matrix_is_a_table_in_alphabetical_order_with_statuses_in_words() -> None:
    of = panel(Matrix("communicator_role", "experiencer_role", "figure"), *ROLES)
    html = _drawn(
        of,
        {"communicator_role": "ward", "experiencer_role": "ed", "figure": "0.84 (0.79–0.88) n 120 (inferred)"},
        {"communicator_role": "ed", "experiencer_role": "ward", "figure": "hidden: too few people"},
    ).html
    assert html.index('<th scope="row">ed</th>') < html.index('<th scope="row">ward</th>')
    assert "<strong>0.84</strong> <small>0.79–0.88</small> <small>n 120 (inferred)</small>" in html
    assert '<p class="words">hidden: too few people</p>' in html
    assert "no tie" not in html.replace('<span class="unseen">none</span>', "")


def test_cell_of_a_tie_leads_to_it() -> None:
    of = panel(Matrix("communicator_role", "experiencer_role", "figure"), *ROLES)
    row = {"communicator_role": "ward", "experiencer_role": "ed", "figure": "not observed"}
    html = _drawn(of, row, tie_link=lambda one, other: f"/d/ties?one={one}&other={other}").html
    assert 'href="/d/ties?one=ward&amp;other=ed"' in html


@pytest.mark.parametrize(("weight", "level"), [(0, 0), (1, 1), (100, 5), (36, 3)])
def test_shade_says_how_much_was_observed(weight: float, level: int) -> None:
    assert shade(weight, 100) == level


def test_number_before_a_label_is_for_sorting_only() -> None:
    assert without_order("1 Mon") == "Mon"
    assert without_order("24") == "24"


def _graph(*edges: dict[str, Any]) -> dict[str, Any]:
    nodes = Query("", (text("id"), text("title"), text("mainstat")), "nodes")
    columns = (text("id"), text("source"), text("target"), text("mainstat"), text("secondarystat"))
    arrows = Query("", (*columns, Column("thickness", "number"), Column("observations", "count")), "edges")
    of = Panel("map", "Map", "Who?", (nodes, arrows), Graph(), "None.")
    rows = [{"id": role, "title": role, "mainstat": "2"} for role in ("ward", "ed")]
    drawn = draw(of, {"nodes": rows, "edges": edges}, SCENE)
    assert drawn.chart is not None
    assert "<table" in drawn.html
    return drawn.chart["series"][0]  # type: ignore[no-any-return]


def _edge(source: str, target: str, observations: int, thickness: float) -> dict[str, Any]:
    told = {"mainstat": f"n {observations}", "secondarystat": "4 of 4 dimensions shown"}
    ends = {"id": f"{source} {target}", "source": source, "target": target}
    return ends | told | {"thickness": thickness, "observations": observations}


def test_both_directions_of_a_pair_are_seen_with_their_own_width() -> None:
    series = _graph(_edge("ed", "ward", 100, 10.0), _edge("ward", "ed", 0, 1.0))
    assert [link["lineStyle"]["width"] for link in series["links"]] == [10.0, 1.0]
    assert [link["lineStyle"]["type"] for link in series["links"]] == ["solid", "dashed"]
    assert series["lineStyle"]["curveness"] > 0


def test_roles_stand_in_alphabetical_order_and_have_one_colour() -> None:
    series = _graph(_edge("ed", "ward", 1, 1.0))
    assert [node["name"] for node in series["data"]] == ["ed", "ward"]
    assert len({node["itemStyle"]["color"] for node in series["data"]}) == 1


def test_tie_of_a_role_with_itself_is_told_at_its_name() -> None:
    series = _graph(_edge("ed", "ed", 7, 1.0))
    assert series["links"] == []
    assert "n 7 among themselves" in series["data"][0]["label"]["formatter"]


def test_text_of_a_chart_cannot_end_its_script() -> None:
    from deploy.board.page import _json

    assert "</script>" not in _json({"name": "</script><script>"})
