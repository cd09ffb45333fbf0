"""Charts over time and bars."""

from __future__ import annotations

from collections.abc import Sequence

from grafana_foundation_sdk.models import barchart, timeseries
from grafana_foundation_sdk.models.common import (
    AxisPlacement,
    GraphDrawStyle,
    HideSeriesConfig,
    LineStyle,
    StackingConfig,
    StackingMode,
    VisibilityMode,
    VizOrientation,
)

from deploy.dashboards.panel import Bars, Column, ControlChart, Panel, TimeSeries
from deploy.grafana.rendering.colours import HUE, NOTICE, QUIET, SHADES, fixed, shades
from deploy.grafana.rendering.columns import Override, Property, drawn, has, override
from deploy.grafana.rendering.drawing import OUT_OF_SIGHT, Drawing, calculated, legend, tooltip

_PICKED_OUT = "picked_out"
_LINES = (LineStyle(fill="solid"), LineStyle(fill="dash", dash=[10, 6]), LineStyle(fill="dot", dash=[2, 6]))
_FORMS = (*_LINES, LineStyle(fill="dash", dash=[16, 4, 3, 4]))
_NUMBERS = ("count", "number", "share", "seconds", "bytes", "flag")


def draw_time_series(panel: Panel, visual: TimeSeries) -> Drawing:
    """One series for each value and each combination of texts; the texts are labels that Grafana names series by."""
    columns = panel.query.columns
    labels = [column for column in columns if column.kind == "text" and not column.hidden]
    drawn_columns = [panel.query.column(name) for name in visual.values]
    return Drawing(
        plugin="timeseries",
        options=timeseries.Options(legend=legend(), tooltip=tooltip()),
        custom=_style(visual),
        color=shades(),
        overrides=[
            *(
                override(column.name, [*drawn(column, _name(column, drawn_columns, labels)), *_form(place, labels)])
                for place, column in enumerate(drawn_columns)
            ),
            *_beside(columns, visual.values, labels),
        ],
        bounds=(0, 1) if visual.share else None,
    )


def draw_control_chart(panel: Panel, visual: ControlChart) -> Drawing:
    """Points joined by a thin line, quiet lines for centre and limits, large rings around what a rule picked out.

    The rings are `value / flag`: where the flag is 0 that is no finite number, and no point is drawn.
    """
    query = panel.query
    value = query.column(visual.value)
    limits = [query.column(name) for name in (visual.lower, visual.upper)]
    picked = Column(_PICKED_OUT, value.kind, query.column(visual.flag).label, decimals=value.decimals)
    known = (visual.value, visual.center, visual.lower, visual.upper, visual.flag)
    return Drawing(
        plugin="timeseries",
        options=timeseries.Options(legend=legend(), tooltip=tooltip()),
        custom=timeseries.FieldConfig(
            draw_style=GraphDrawStyle.LINE, line_width=1, show_points=VisibilityMode.NEVER, span_nulls=False
        ),
        color=fixed(QUIET),
        overrides=[
            override(visual.value, [*drawn(value), has("color", fixed(HUE)), *_dots(7)]),
            override(visual.center, drawn(query.column(visual.center))),
            *(override(limit.name, [*drawn(limit), has("custom.lineStyle", _LINES[1])]) for limit in limits),
            override(_PICKED_OUT, [*drawn(picked), has("color", fixed(NOTICE)), *_points_only(16)]),
            override(visual.flag, [has("custom.hideFrom", HideSeriesConfig(tooltip=True, legend=True, viz=True))]),
            *_beside(query.columns, known, []),
        ],
        transformations=[calculated(_PICKED_OUT, visual.value, "/", visual.flag)],
        bounds=(0, 1) if value.kind == "share" else None,
    )


def draw_bars(panel: Panel, visual: Bars) -> Drawing:
    """Lying bars, since categories are words, in the order of the rows; the running share on an axis of its own."""
    query = panel.query
    shown = [name for name in (visual.value, visual.cumulative) if name]
    running = [visual.cumulative] if visual.cumulative else []
    return Drawing(
        plugin="barchart",
        options=barchart.Options(
            x_field=visual.category,
            orientation=VizOrientation.HORIZONTAL,
            show_value=VisibilityMode.ALWAYS,
            stacking=StackingMode.NONE,
            x_tick_label_max_length=60,  # 0, the default of the SDK, would leave nothing of a label
            bar_width=0.7,
            group_width=0.8,
            legend=legend(show=bool(visual.cumulative)),
            tooltip=tooltip(),
        ),
        custom=barchart.FieldConfig(line_width=0, fill_opacity=80),
        color=fixed(HUE),
        overrides=[
            override(visual.category, drawn(query.column(visual.category))),
            override(visual.value, drawn(query.column(visual.value))),
            *(override(name, [*drawn(query.column(name)), *_running_share()]) for name in running),
            *(
                override(column.name, [*drawn(column), has("custom.hideFrom", OUT_OF_SIGHT)])
                for column in query.columns
                if column.name not in (visual.category, *shown)
            ),
        ],
    )


def _style(visual: TimeSeries) -> timeseries.FieldConfig:
    bars, points = visual.style == "bars", visual.style == "points"
    return timeseries.FieldConfig(
        draw_style=GraphDrawStyle.BARS if bars else GraphDrawStyle.LINE,
        line_width=1,
        fill_opacity=70 if bars else 0,
        show_points=VisibilityMode.ALWAYS if points else VisibilityMode.AUTO,
        point_size=7 if points else 4,
        span_nulls=False,  # what was not observed, or may not be shown, stays a gap
        stacking=StackingConfig(mode=StackingMode.NORMAL, group="A") if visual.stacked else None,
    )


def _name(column: Column, drawn_columns: Sequence[Column], labels: Sequence[Column]) -> str:
    words = [f"${{__field.labels.{label.name}}}" for label in labels]
    return ", ".join([*words, column.label] if len(drawn_columns) > 1 or not words else words)


def _form(place: int, labels: Sequence[Column]) -> list[Property]:
    """A line style for each value; a shade too, unless shades tell the texts apart."""
    style = has("custom.lineStyle", _FORMS[place % len(_FORMS)])
    return [style] if labels else [style, has("color", fixed(SHADES[place % len(SHADES)]))]


def _beside(columns: Sequence[Column], known: Sequence[str], labels: Sequence[Column]) -> list[Override]:
    """Numbers that are not drawn, n above all: lines without width, on a hidden axis, so that tooltips have them."""
    return [
        override(
            column.name,
            [
                *drawn(column, ", ".join([*(f"${{__field.labels.{label.name}}}" for label in labels), column.label])),
                has("custom.drawStyle", GraphDrawStyle.LINE),
                has("custom.lineWidth", 0),
                has("custom.fillOpacity", 0),
                has("custom.showPoints", VisibilityMode.NEVER),
                has("custom.axisPlacement", AxisPlacement.HIDDEN),
                has("custom.stacking", StackingConfig(mode=StackingMode.NONE, group="A")),
                has("custom.hideFrom", {"legend": True, "tooltip": False, "viz": False}),
            ],
        )
        for column in columns
        if column.kind in _NUMBERS and column.name not in known and not column.hidden
    ]


def _dots(size: int) -> list[Property]:
    return [has("custom.showPoints", VisibilityMode.ALWAYS), has("custom.pointSize", size)]


def _points_only(size: int) -> list[Property]:
    return [has("custom.drawStyle", GraphDrawStyle.POINTS), has("custom.lineWidth", 3), has("custom.pointSize", size)]


def _running_share() -> list[Property]:
    return [
        has("color", fixed(QUIET)),
        has("custom.axisPlacement", AxisPlacement.RIGHT),
        has("custom.fillOpacity", 25),
        has("min", 0),
        has("max", 1),
    ]
