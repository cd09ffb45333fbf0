"""Curves against a number that is not a time: an XY chart, since Grafana's other charts know no logarithmic x axis."""

from __future__ import annotations

from collections.abc import Iterator

from grafana_foundation_sdk.models import common, xychart
from grafana_foundation_sdk.models.dashboard import DataTransformerConfig

from deploy.dashboards.panel import Column, Curve, Panel
from deploy.grafana.rendering.colours import SHADES, fixed
from deploy.grafana.rendering.columns import Override, Property, drawn, has, override
from deploy.grafana.rendering.drawing import Drawing, calculated, legend, tooltip, transformation

MOST_CURVES = 4
"""Two directions, each explicit and inferred. Further ones are not drawn."""
_SHAPES = (xychart.PointShape.CIRCLE, xychart.PointShape.SQUARE)
_DASHES = (common.LineStyle(fill="solid"), common.LineStyle(fill="dash", dash=[10, 6]))


def draw_curve(panel: Panel, visual: Curve) -> Drawing:
    """One curve for each text of the series, with its interval as thin lines.

    Grafana gives fields their form by name, and all curves have the same fields. So each curve draws copies of its
    own: the rows are copied under numbered names, split by series, and curve 2 takes copy 2 of the second part.
    """
    lines = [panel.query.column(name) for name in (visual.y, visual.low, visual.high) if name]
    return Drawing(
        plugin="xychart",
        options=xychart.Options(
            mapping=xychart.SeriesMapping.MANUAL,
            legend=legend(),
            tooltip=tooltip(common.TooltipDisplayMode.SINGLE),
            series=[_series(visual.x, line, place) for place in range(MOST_CURVES) for line in lines],
        ),
        custom=xychart.FieldConfig(
            show=xychart.XYShowMode.POINTS_AND_LINES,
            point_size=xychart.XychartFieldConfigPointSize(fixed=5),
            line_width=1,
            fill_opacity=60,
        ),
        color=fixed(SHADES[0]),
        overrides=[_x_axis(panel.query.column(visual.x), visual.logarithmic), *_forms(visual, lines)],
        transformations=[
            *_copies(lines),
            transformation("partitionByValues", fields=[visual.series], keepFields=False, naming={"asLabels": True}),
        ],
    )


def _copy(name: str, place: int) -> str:
    return f"{name} {place + 1}"


def _copies(lines: list[Column]) -> Iterator[DataTransformerConfig]:
    for place in range(MOST_CURVES):
        for line in lines:
            yield calculated(_copy(line.name, place), line.name, "+", 0)


def _series(x: str, line: Column, place: int) -> xychart.XYSeriesConfig:
    return xychart.XYSeriesConfig(
        frame=xychart.XychartXYSeriesConfigFrame(matcher=xychart.MatcherConfig(id_val="byIndex", options=place)),
        x=xychart.XychartXYSeriesConfigX(matcher=xychart.MatcherConfig(id_val="byName", options=x)),
        y=xychart.XychartXYSeriesConfigY(
            matcher=xychart.MatcherConfig(id_val="byName", options=_copy(line.name, place))
        ),
    )


def _forms(visual: Curve, lines: list[Column]) -> Iterator[Override]:
    name = f"${{__field.labels.{visual.series}}}"
    for place in range(MOST_CURVES):
        for line in lines:
            title = name if line.name == visual.y else f"{name}, {line.label}"
            form = _curve_form(place) if line.name == visual.y else _interval_form()
            properties = [*drawn(line, title), has("color", fixed(SHADES[place % len(SHADES)])), *form]
            yield override(_copy(line.name, place), [*properties, *_whole_axis(line)])


def _curve_form(place: int) -> list[Property]:
    return [
        has("custom.lineWidth", 2),
        has("custom.pointShape", _SHAPES[place % len(_SHAPES)]),
        has("custom.lineStyle", _DASHES[place // len(_SHAPES) % len(_DASHES)]),
    ]


def _interval_form() -> list[Property]:
    return [
        has("custom.show", xychart.XYShowMode.LINES),
        has("custom.lineStyle", common.LineStyle(fill="dot", dash=[2, 5])),
        has("custom.hideFrom", {"legend": True, "tooltip": False, "viz": False}),
    ]


def _whole_axis(line: Column) -> list[Property]:
    """From none to all. Not as a default of the panel, which would hold for the x axis as well."""
    return [has("min", 0), has("max", 1)] if line.kind == "share" else []


def _x_axis(column: Column, logarithmic: bool) -> Override:
    if not logarithmic:
        return override(column.name, drawn(column))
    # Symlog, because a wait of nothing has no logarithm.
    scale = common.ScaleDistributionConfig(type_val=common.ScaleDistribution.SYMLOG, log=10, linear_threshold=1)
    return override(column.name, [*drawn(column), has("min", 0), has("custom.scaleDistribution", scale)])
