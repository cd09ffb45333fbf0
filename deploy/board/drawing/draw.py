"""From a panel and its answers to what people see."""

from __future__ import annotations

from collections.abc import Mapping

from deploy.board.drawing.bars import draw_bars
from deploy.board.drawing.control_chart import draw_control_chart
from deploy.board.drawing.curve import draw_curve
from deploy.board.drawing.drawing import Draw, Drawing, Rows, Scene
from deploy.board.drawing.graph import draw_graph
from deploy.board.drawing.matrix import draw_matrix
from deploy.board.drawing.stat import draw_stat
from deploy.board.drawing.table import draw_table
from deploy.board.drawing.time_chart import draw_time_series
from deploy.board.markup import prose, tag
from deploy.dashboards.panel import Panel

_DRAWS: Mapping[str, Draw] = {
    "table": draw_table,
    "stat": draw_stat,
    "time_series": draw_time_series,
    "control_chart": draw_control_chart,
    "bars": draw_bars,
    "curve": draw_curve,
    "matrix": draw_matrix,
    "graph": draw_graph,
}


def draw(panel: Panel, rows: Mapping[str, Rows], scene: Scene) -> Drawing:
    """The panel, or in words why there is nothing to see."""
    if not any(rows[query.ref] for query in panel.queries):
        return Drawing(tag("p", prose(panel.no_data), class_="no-data"))
    return _DRAWS[panel.visual.kind](panel, rows, scene)


def refused(reason: str) -> Drawing:
    """A panel that the store cannot answer says so in its own frame."""
    return Drawing(
        tag("p", tag("strong", "This panel cannot be shown: "), prose(reason), class_="refused", role="note")
    )
