"""Big figures: the value, what stands beside it, and in words whether a threshold is passed."""

from __future__ import annotations

from grafana_foundation_sdk.models import dashboard as sdk
from grafana_foundation_sdk.models import stat
from grafana_foundation_sdk.models.common import (
    BigValueColorMode,
    BigValueGraphMode,
    BigValueJustifyMode,
    BigValueTextMode,
    ReduceDataOptions,
    VizOrientation,
)

from deploy.dashboards.panel import Panel, Stat, Threshold, shown
from deploy.grafana.rendering.colours import NOTICE, PLAIN
from deploy.grafana.rendering.columns import Override, Property, figure, has, override
from deploy.grafana.rendering.drawing import Drawing, calculated, without

_VERDICT = "verdict"
_FINE = "in order"
_NOTHING = "–"


def draw_stat(panel: Panel, visual: Stat) -> Drawing:
    """The only row: the value first, then the other columns."""
    columns = panel.query.columns
    first = [column for column in shown(columns) if column.name == visual.value]
    others = [column for column in shown(columns) if column.name != visual.value]
    return Drawing(
        plugin="stat",
        options=_options(colored=bool(panel.thresholds), several=bool(others or panel.thresholds)),
        overrides=[
            *(override(column.name, [*figure(column), *_noticed(panel.thresholds)]) for column in first),
            *(override(column.name, [*figure(column), has("noValue", _NOTHING)]) for column in others),
            *_verdict_override(panel.thresholds),
        ],
        transformations=[
            *without({column.name: True for column in columns if column.hidden}),
            *([calculated(_VERDICT, visual.value, "+", 0)] if panel.thresholds else []),
        ],
    )


def _options(colored: bool, several: bool) -> stat.Options:
    """`several`: below each other, where words have room."""
    return stat.Options(
        graph_mode=BigValueGraphMode.NONE,
        color_mode=BigValueColorMode.VALUE if colored else BigValueColorMode.NONE,
        justify_mode=BigValueJustifyMode.AUTO,
        text_mode=BigValueTextMode.VALUE_AND_NAME,
        orientation=VizOrientation.HORIZONTAL if several else VizOrientation.AUTO,
        reduce_options=ReduceDataOptions(calcs=["lastNotNull"], fields="/.*/", values=False),
    )


def _verdict_override(thresholds: tuple[Threshold, ...]) -> list[Override]:
    """A copy of the value that shows words only: a mapping of the value itself would take the figure away."""
    if not thresholds:
        return []
    falling = sorted(thresholds, key=lambda threshold: -threshold.value)
    said = [_range(place, each.value, each.label) for place, each in enumerate(falling)]
    mappings = [*said, _range(len(said), None, _FINE)]
    return [
        override(
            _VERDICT,
            [has("displayName", "state"), has("mappings", mappings), has("noValue", _NOTHING), *_noticed(thresholds)],
        )
    ]


def _range(index: int, start: float | None, text: str) -> sdk.RangeMap:
    result = sdk.ValueMappingResult(text=text, index=index)
    return sdk.RangeMap(options=sdk.DashboardRangeMapOptions(from_val=start, to=None, result=result))


def _noticed(thresholds: tuple[Threshold, ...]) -> list[Property]:
    if not thresholds:
        return []
    steps = [sdk.Threshold(value=None, color=PLAIN), *(sdk.Threshold(value=t.value, color=NOTICE) for t in thresholds)]
    return [
        has("color", sdk.FieldColor(mode=sdk.FieldColorModeId.THRESHOLDS)),
        has("thresholds", sdk.ThresholdsConfig(mode=sdk.ThresholdsMode.ABSOLUTE, steps=steps)),
    ]
