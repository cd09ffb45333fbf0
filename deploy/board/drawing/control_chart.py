"""Points over time with centre and limits, and the points that a rule picked out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deploy.board.drawing import chart
from deploy.board.drawing.drawing import ChartOption, Drawing, Rows, Scene
from deploy.board.drawing.time_chart import note, point
from deploy.board.figures import day
from deploy.board.markup import Html, joined, tag
from deploy.dashboards.panel import ControlChart, Panel

_VERDICT = "verdict"


def draw_control_chart(panel: Panel, rows: Mapping[str, Rows], scene: Scene) -> Drawing:
    """A picked-out point has another shape and size, is named in the description, and is a column of the table."""
    visual = panel.visual
    assert isinstance(visual, ControlChart)
    found, query = rows[panel.query.ref], panel.query
    time = query.columns[0].name
    value = query.column(visual.value)
    points: list[ChartOption] = [
        {
            "value": point(row[time], row[visual.value]),
            "note": note(query.columns, row),
            **({"symbol": "diamond", "symbolSize": 17} if row[visual.flag] else {}),
        }
        for row in found
    ]
    main: ChartOption = {
        "name": value.label,
        "type": "line",
        "symbol": "circle",
        "symbolSize": 8,
        "itemStyle": {"color": chart.SERIES[0]},
        "lineStyle": {"color": chart.SERIES[0], "width": 1.5},
        "data": points,
        "z": 5,
    }
    lines = [
        _limit(query.column(name).label, dash, [point(row[time], row[name]) for row in found])
        for name, dash in ((visual.center, "solid"), (visual.lower, "dashed"), (visual.upper, "dashed"))
    ]
    series = chart.marked([main, *lines], scene)
    picked = [day(row[time]) for row in found if row[visual.flag]]
    option: ChartOption = {
        "useUTC": True,
        "legend": chart.legend([str(one["name"]) for one in series]),
        "grid": chart.grid(True, marks=scene.marks),
        "tooltip": chart.tooltip("axis", "fn:notes"),
        "xAxis": chart.time_axis(scene, (row[time] for row in found)),
        "yAxis": chart.value_axis_of(value),
        "series": series,
    }
    said = f"Picked out by a rule (diamonds): {', '.join(picked)}." if picked else "No point is picked out by a rule."
    about = f"{panel.title}. {len(found)} periods. {said}{chart.told(scene.marks)}"
    drawing = chart.framed(panel, option, found, query.columns, about)
    return Drawing(joined(_words(found, said), drawing.html), drawing.chart)


def _words(found: Rows, said: str) -> Html:
    verdict = next((str(row[_VERDICT]) for row in reversed(found) if row.get(_VERDICT)), "").replace("_", " ")
    return tag("p", f"{verdict[:1].upper()}{verdict[1:]}. {said}" if verdict else said, class_="covers")


def _limit(name: str, dash: str, data: list[list[Any]]) -> ChartOption:
    return {
        "name": name,
        "type": "line",
        "step": "middle",
        "symbol": "none",
        "silent": True,
        "itemStyle": {"color": chart.QUIET},
        "lineStyle": {"color": chart.QUIET, "type": dash, "width": 1.25},
        "tooltip": {"show": False},
        "data": data,
    }
