"""How a panel is drawn by one of Grafana's panel plug-ins: everything but its place, title and question."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from grafana_foundation_sdk.models import dashboard as sdk
from grafana_foundation_sdk.models.common import (
    HideSeriesConfig,
    LegendDisplayMode,
    LegendPlacement,
    SortOrder,
    TooltipDisplayMode,
    VizLegendOptions,
    VizTooltipOptions,
)

from deploy.grafana.rendering.colours import PLAIN, fixed
from deploy.grafana.rendering.columns import Override

WRITTEN_FOR = "11.6.0"
"""The Grafana whose panel options are written here, the oldest that the plug-in works with. A later one migrates them;
without a version it would take an XY chart for one of before 11.1."""
OUT_OF_SIGHT = HideSeriesConfig(tooltip=False, legend=True, viz=True)
"""Not drawn, and not in the legend; in the tooltip where the panel can do that."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """What a panel plug-in needs.

    Attributes:
        plugin: the panel plug-in's id.
        custom: the plug-in's own settings, for every field.
        bounds: of every number of the panel: lowest and highest value of the axis; None: as the values are.
    """

    plugin: str
    options: object
    custom: object = None
    color: sdk.FieldColor = field(default_factory=lambda: fixed(PLAIN))
    overrides: list[Override] = field(default_factory=list)
    transformations: list[sdk.DataTransformerConfig] = field(default_factory=list)
    mappings: list[sdk.ValueMapping] | None = None
    bounds: tuple[float, float] | None = None

    def field_config(self, no_data: str) -> sdk.FieldConfigSource:
        """`no_data`: what the panel says where there is nothing."""
        low, high = self.bounds or (None, None)
        defaults = sdk.FieldConfig(
            color=self.color,
            custom=self.custom,
            mappings=self.mappings,
            min_val=low,
            max_val=high,
            no_value=no_data,
        )
        return sdk.FieldConfigSource(defaults=defaults, overrides=self.overrides)


def transformation(name: str, **options: object) -> sdk.DataTransformerConfig:
    """A step between answer and drawing."""
    return sdk.DataTransformerConfig(id_val=name, options=options)


def without(hidden: Mapping[str, bool]) -> list[sdk.DataTransformerConfig]:
    """Leaves columns out, if there are any to leave out."""
    if not hidden:
        return []
    return [transformation("organize", excludeByName=dict(hidden), indexByName={}, renameByName={})]


def calculated(alias: str, left: str, operator: str, right: str | float) -> sdk.DataTransformerConfig:
    """A further column `alias`: `left operator right`, where `right` is a column's name or a number."""
    other = {"matcher": {"id": "byName", "options": right}} if isinstance(right, str) else {"fixed": f"{right:g}"}
    binary = {"left": {"matcher": {"id": "byName", "options": left}}, "operator": operator, "right": other}
    return transformation("calculateField", mode="binary", alias=alias, binary=binary, replaceFields=False)


def legend(show: bool = True) -> VizLegendOptions:
    """Below the drawing, without figures that would invite a ranking."""
    return VizLegendOptions(
        display_mode=LegendDisplayMode.LIST, placement=LegendPlacement.BOTTOM, show_legend=show, calcs=[]
    )


def tooltip(mode: TooltipDisplayMode = TooltipDisplayMode.MULTI) -> VizTooltipOptions:
    """All series at a point, in the order in which they are defined."""
    return VizTooltipOptions(mode=mode, sort=SortOrder.NONE)
