"""Step curves with their intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from deploy.board.drawing import chart
from deploy.board.drawing.drawing import ChartOption, Drawing, Rows, Scene
from deploy.board.drawing.time_chart import note
from deploy.board.figures import is_missing
from deploy.dashboards.panel import Curve, Panel

_LEAST_ON_LOG = 0.1


def draw_curve(panel: Panel, rows: Mapping[str, Rows], _scene: Scene) -> Drawing:
    visual = panel.visual
    assert isinstance(visual, Curve)
    query, found = panel.query, rows[panel.query.ref]
    x = query.column(visual.x)
    parts: dict[str, list[Mapping[str, Any]]] = {}
    for row in found:
        if not is_missing(row[visual.y]):
            parts.setdefault(str(row[visual.series]), []).append(row)
    series: list[ChartOption] = []
    for place, (name, points) in enumerate(parts.items()):
        if visual.low and visual.high:
            series += _band(visual, name, points, place)
        series.append(
            {
                "name": name,
                "type": "line",
                "step": "end",
                "symbol": "none",
                "itemStyle": {"color": chart.SERIES[place % len(chart.SERIES)]},
                "lineStyle": {
                    "color": chart.SERIES[place % len(chart.SERIES)],
                    "width": 2,
                    "type": chart.DASHES[place % len(chart.DASHES)],
                },
                "data": [
                    {"value": [_x(visual, row), row[visual.y]], "note": note(query.columns, row)} for row in points
                ],
            }
        )
    option: ChartOption = {
        "legend": {**chart.legend(list(parts)), "orient": "vertical", "show": True},
        "grid": {**chart.grid(True, bottom=28), "top": 24 + 22 * len(parts)},
        "tooltip": chart.tooltip("axis", "fn:notes"),
        "xAxis": chart.axis(
            "log" if visual.logarithmic else "value", name=x.label, nameLocation="middle", nameGap=26, min="dataMin"
        ),
        "yAxis": chart.value_axis_of(query.column(visual.y)),
        "series": series,
    }
    about = f"{panel.title}. {panel.question} {len(parts)} curves: {'; '.join(parts)}."
    return chart.framed(panel, option, found, query.columns, about)


def _band(visual: Curve, name: str, points: Sequence[Mapping[str, Any]], place: int) -> list[ChartOption]:
    """The interval, as an unseen line at its lower end and an area stacked on it."""
    whole = [row for row in points if not is_missing(row[visual.low]) and not is_missing(row[visual.high])]
    common: ChartOption = {
        "type": "line",
        "step": "end",
        "symbol": "none",
        "stack": f"interval of {name}",
        "lineStyle": {"opacity": 0},
        "silent": True,
        "tooltip": {"show": False},
    }
    area = {"color": chart.SERIES[place % len(chart.SERIES)], "opacity": 0.14}
    return [
        {**common, "data": [[_x(visual, row), row[visual.low]] for row in whole]},
        {**common, "areaStyle": area, "data": [[_x(visual, row), row[visual.high] - row[visual.low]] for row in whole]},
    ]


def _x(visual: Curve, row: Mapping[str, Any]) -> float:
    """A logarithmic axis has no zero: what was answered at once stands at its beginning."""
    x = float(row[visual.x])
    return max(_LEAST_ON_LOG, x) if visual.logarithmic else x
