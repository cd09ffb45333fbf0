"""One bar for each row, and the running share of a Pareto chart."""

from __future__ import annotations

from collections.abc import Mapping

from deploy.board.drawing import chart
from deploy.board.drawing.drawing import ChartOption, Drawing, Rows, Scene
from deploy.board.drawing.labels import without_order
from deploy.board.drawing.time_chart import note
from deploy.board.figures import written
from deploy.dashboards.panel import Bars, Panel


def draw_bars(panel: Panel, rows: Mapping[str, Rows], _scene: Scene) -> Drawing:
    visual = panel.visual
    assert isinstance(visual, Bars)
    found, query = rows[panel.query.ref], panel.query
    category, value = query.column(visual.category), query.column(visual.value)
    names = [without_order(written(category, row[visual.category])) for row in found]
    figures = [{"value": row[visual.value], "note": note(query.columns, row), "label": {"show": True}} for row in found]
    series: list[ChartOption] = [
        {
            "type": "bar",
            "name": value.label,
            "data": figures,
            "barMaxWidth": 28,
            "itemStyle": {"color": chart.NEUTRAL},
            "label": {"position": "right" if not visual.cumulative else "top", "color": chart.INK},
        }
    ]
    along = chart.axis("category", data=names, axisLabel=_labels(bool(visual.cumulative)))
    up = [{**chart.value_axis_of(value), "min": 0}]
    option: ChartOption = {"tooltip": chart.tooltip("axis", "fn:notes"), "series": series}
    if visual.cumulative:
        running = query.column(visual.cumulative)
        series.append(
            {
                "type": "line",
                "name": running.label,
                "yAxisIndex": 1,
                "symbol": "circle",
                "symbolSize": 7,
                "lineStyle": {"color": chart.INK, "width": 1.5},
                "itemStyle": {"color": chart.INK},
                "data": [
                    {"value": row[running.name], "note": f"{running.label} {written(running, row[running.name])}"}
                    for row in found
                ],
            }
        )
        up.append({**chart.value_axis_of(running), "splitLine": {"show": False}})
        option |= {"grid": chart.grid(True), "legend": chart.legend([value.label, running.label])}
        option |= {"xAxis": along, "yAxis": up}
    else:
        option |= {"grid": {**chart.grid(False), "right": 48}, "xAxis": up[0], "yAxis": {**along, "inverse": True}}
    told = "; ".join(
        f"{name} {written(value, row[visual.value])}" for name, row in zip(names[:30], found[:30], strict=True)
    )
    return chart.framed(panel, option, found, query.columns, f"{panel.title}. {panel.question} {told}.")


def _labels(upright: bool) -> ChartOption:
    return {
        "color": chart.INK,
        "interval": 0,
        "width": 140 if upright else 260,
        "overflow": "break",
        "lineHeight": 15,
        **({"rotate": 0} if upright else {}),
    }
