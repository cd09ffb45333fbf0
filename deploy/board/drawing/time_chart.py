"""Values over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from deploy.board.drawing import chart
from deploy.board.drawing.drawing import ChartOption, Drawing, Rows, Scene
from deploy.board.figures import is_missing, written
from deploy.dashboards.panel import Column, Panel, TimeSeries, shown

_MOST_NOTED = 400


def draw_time_series(panel: Panel, rows: Mapping[str, Rows], scene: Scene) -> Drawing:
    """One series for each value, and for each combination of the text columns."""
    visual = panel.visual
    assert isinstance(visual, TimeSeries)
    found, columns = rows[panel.query.ref], panel.query.columns
    values = [panel.query.column(name) for name in visual.values]
    series: list[ChartOption] = []
    parts = split(columns, found)
    if visual.stacked:
        parts = _aligned(columns, visual.values, parts)
    for who, of_one in parts.items():
        for value in values:
            name = ", ".join(filter(None, [who, value.label if len(values) > 1 or not who else ""]))
            series.append(_series(visual, name, value, columns, of_one, len(series)))
    names = [str(one["name"]) for one in series]
    fixed = {"min": 0, "max": 1} if visual.share else {}
    option: ChartOption = {
        "useUTC": panel.audience == "quality",
        "legend": chart.legend(names),
        "grid": chart.grid(len(names) > 1, marks=scene.marks),
        "tooltip": chart.tooltip("axis", "fn:notes"),
        "xAxis": chart.time_axis(scene, (row[columns[0].name] for row in found)),
        "yAxis": {**chart.value_axis_of(values[0]), **fixed},
        "series": chart.marked(series, scene),
    }
    about = f"{panel.title}. {panel.question} {len(names)} series: {'; '.join(names)}.{chart.told(scene.marks)}"
    return chart.framed(panel, option, found, columns, about)


def split(columns: Sequence[Column], rows: Rows) -> dict[str, list[Mapping[str, Any]]]:
    """Rows of each combination of the text columns, in the order in which they come up."""
    texts = [column for column in shown(columns) if column.kind == "text"]
    parts: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        name = ", ".join(written(column, row[column.name]) for column in texts)
        parts.setdefault(name, []).append(row)
    return parts


def _aligned(
    columns: Sequence[Column], values: Sequence[str], parts: dict[str, list[Mapping[str, Any]]]
) -> dict[str, list[Mapping[str, Any]]]:
    """Every series at every time: what is stacked lies on what has the same place in its list."""
    time = columns[0].name
    nothing = {column.name: None for column in columns} | dict.fromkeys(values, 0)
    times = sorted({row[time] for rows in parts.values() for row in rows if row[time] is not None})
    at = {name: {row[time]: row for row in rows} for name, rows in parts.items()}
    return {name: [at[name].get(moment, {**nothing, time: moment}) for moment in times] for name in parts}


def note(columns: Sequence[Column], row: Mapping[str, Any], besides: Sequence[str] = ()) -> str:
    """All figures of a row, for a tooltip: a value is never without its number."""
    kept = [column for column in shown(columns) if column.kind not in ("text", "time") and column.name not in besides]
    return ", ".join(f"{column.label} {written(column, row[column.name])}" for column in kept)


def point(at: datetime, value: Any) -> list[Any]:
    return [chart.milliseconds(at), None if is_missing(value) else value]


def _alone(values: Sequence[Any]) -> set[int]:
    """Where no line comes from or goes to: a value that would not be seen."""
    known = [False, *(value is not None for value in values), False]
    return {index for index in range(len(values)) if known[index : index + 3] == [False, True, False]}


def _series(
    visual: TimeSeries, name: str, value: Column, columns: Sequence[Column], rows: Rows, place: int
) -> ChartOption:
    time = columns[0].name
    others = [other for other in visual.values if other != value.name]
    noted = len(rows) <= _MOST_NOTED
    timed = [row for row in rows if row[time] is not None]
    data: list[Any] = [point(row[time], row[value.name]) for row in timed]
    alone = _alone([y for _, y in data]) if visual.style == "line" else set()
    if noted:
        data = [{"value": xy, "note": note(columns, row, others)} for xy, row in zip(data, timed, strict=True)]
    for index in alone:
        data[index] = {**(data[index] if noted else {"value": data[index]}), "symbol": "circle", "symbolSize": 5}
    common: ChartOption = {"name": name, "data": data, "stack": "all" if visual.stacked else None}
    if visual.style == "bars":
        return {**common, "type": "bar", "barMaxWidth": 24}
    dotted = visual.style == "points"
    return {
        **common,
        "type": "line",
        "symbol": chart.SYMBOLS[place % len(chart.SYMBOLS)] if dotted else "none",
        "symbolSize": 9,
        # Dashes of a line that turns at every pixel are no pattern any more.
        "lineStyle": {"width": 1.5, "type": chart.DASHES[place % len(chart.DASHES)] if noted else "solid"},
        "areaStyle": {"opacity": 0.2} if visual.stacked else None,
        "connectNulls": False,
    }
