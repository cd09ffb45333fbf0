"""What all charts share: axes, colours of the page's theme, and words for those who do not see them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from deploy.board.drawing.drawing import ChartOption, Drawing, Mark, Rows, Scene
from deploy.board.drawing.table import as_table
from deploy.board.figures import day
from deploy.board.markup import Html, joined, tag
from deploy.dashboards.panel import Column, Panel

SERIES = tuple(f"var(--series-{number})" for number in range(1, 9))
SYMBOLS = ("circle", "rect", "triangle", "diamond", "emptyCircle", "emptyRect", "emptyTriangle", "emptyDiamond")
DASHES = ("solid", "dashed", "dotted", [8, 3, 2, 3])
INK, QUIET, GRID, NEUTRAL = "var(--ink)", "var(--quiet)", "var(--line)", "var(--neutral)"


def milliseconds(at: datetime) -> int:
    return round(at.timestamp() * 1000)


def framed(panel: Panel, option: ChartOption, rows: Rows, columns: Sequence[Column], description: str) -> Drawing:
    """The chart's place, its description and its table."""
    base: ChartOption = {
        "animation": False,
        "aria": {"enabled": True, "label": {"description": description}},
        "textStyle": {"fontFamily": "inherit", "color": INK},
        "color": list(SERIES),
    }
    return Drawing(joined(place(panel), as_table(columns, rows, panel.title)), {**base, **option})


def place(panel: Panel) -> Html:
    return tag("div", class_=f"chart h-{min(24, max(4, panel.height))}", data_chart=panel.key, role="img")


def legend(names: Sequence[str]) -> ChartOption:
    """Nothing for a single series: the title says it."""
    return {
        "show": len(names) > 1,
        "type": "scroll",
        "top": 0,
        "left": 0,
        "itemHeight": 10,
        "textStyle": {"color": INK, "overflow": "truncate", "width": 320},
        "pageTextStyle": {"color": INK},
        "pageIconColor": INK,
        "data": list(names),
    }


def grid(named: bool, bottom: int = 8, marks: Sequence[Mark] = ()) -> ChartOption:
    top = (40 if named else 16) + (14 if marks else 0)
    return {"left": 8, "right": 20, "top": top, "bottom": bottom, "containLabel": True}


def axis(kind: str, **more: Any) -> ChartOption:
    """An axis in the theme's colours."""
    return {
        "type": kind,
        "axisLine": {"lineStyle": {"color": QUIET}},
        "axisTick": {"lineStyle": {"color": QUIET}},
        "axisLabel": {"color": QUIET, "hideOverlap": True},
        "nameTextStyle": {"color": QUIET},
        "splitLine": {"show": kind != "category" and kind != "time", "lineStyle": {"color": GRID}},
        **more,
    }


def time_axis(scene: Scene, times: Iterable[datetime | None]) -> ChartOption:
    """The chosen period; a whole period that began before it is not cut off."""
    first = min([scene.start, *(time for time in times if time is not None)])
    days = (scene.end - scene.start).total_seconds() / 86_400
    words = "{HH}:{mm}" if days <= 2 else "{d} {MMM}" if days <= 400 else "{MMM} {yyyy}"
    labels = {"color": QUIET, "hideOverlap": True, "formatter": words}
    return axis("time", min=milliseconds(first), max=milliseconds(scene.end), axisLabel=labels)


def tooltip(trigger: str, formatter: str | None = None) -> ChartOption:
    """Drawn on the canvas: a tooltip of markup would need inline styles, which the page does not allow."""
    return {
        "trigger": trigger,
        "renderMode": "richText",
        "confine": True,
        "backgroundColor": "var(--raised)",
        "borderColor": QUIET,
        "textStyle": {"color": INK, "fontSize": 12},
        **({"formatter": formatter} if formatter else {}),
    }


def value_axis_of(column: Column) -> ChartOption:
    """A label per unit: shares from 0 to 1, durations in words."""
    labels = {"color": QUIET, "hideOverlap": True}
    if column.kind == "share":
        return axis("value", min=0, max=1, axisLabel={**labels, "formatter": "fn:share"})
    if column.kind in ("seconds", "bytes"):
        return axis("value", min=0, axisLabel={**labels, "formatter": f"fn:{column.kind}"})
    whole = {"minInterval": 1} if column.kind == "count" else {}
    return axis("value", axisLabel=labels, **whole)


def marked(series: list[ChartOption], scene: Scene) -> list[ChartOption]:
    """Interventions on the first series: a line where one starts, a quiet area while it lasts."""
    marks = scene.marks
    if not series or not marks:
        return series
    lines = [{"xAxis": milliseconds(mark.at), "label": _mark_label(mark, scene)} for mark in marks]
    areas = [[{"xAxis": milliseconds(mark.at)}, {"xAxis": milliseconds(mark.until or scene.end)}] for mark in marks]
    first = {
        **series[0],
        "markLine": {
            "silent": True,
            "symbol": "none",
            "lineStyle": {"color": INK, "type": "dashed", "width": 1},
            "data": [*series[0].get("markLine", {}).get("data", []), *lines],
        },
        "markArea": {"silent": True, "itemStyle": {"color": NEUTRAL, "opacity": 0.12}, "data": areas},
    }
    return [first, *series[1:]]


def _mark_label(mark: Mark, scene: Scene) -> ChartOption:
    """Above its line, and inside the chart."""
    along = (mark.at - scene.start) / (scene.end - scene.start)
    align = "left" if along < 0.2 else "right" if along > 0.8 else "center"
    return {"formatter": mark.title, "color": INK, "position": "end", "rotate": 0, "align": align, "distance": 4}


def told(marks: Sequence[Mark]) -> str:
    """The marks in words, for a description."""
    if not marks:
        return ""
    spans = [
        f"{mark.title} from {day(mark.at)}" + (f" to {day(mark.until)}" if mark.until else ", still going on")
        for mark in marks
    ]
    return f" Interventions: {'; '.join(spans)}."
