"""Dashboards as Grafana's JSON (classic model, schema version 42): the same definitions that the board draws.

The same definition always gives the same JSON: no clock, no counters, panel numbers from panel keys.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import dashboard as sdk

from deploy.dashboards.dashboard import Dashboard
from deploy.dashboards.panel import Panel
from deploy.grafana.marks import DATA_SOURCES, TAG
from deploy.grafana.rendering.charts import draw_bars, draw_control_chart, draw_time_series
from deploy.grafana.rendering.curve import draw_curve
from deploy.grafana.rendering.drawing import WRITTEN_FOR, Drawing
from deploy.grafana.rendering.graph import draw_graph
from deploy.grafana.rendering.layout import Heading, Placed, layout, number, panel_number
from deploy.grafana.rendering.stat import draw_stat
from deploy.grafana.rendering.tables import draw_matrix, draw_table
from deploy.grafana.rendering.targets import panel_target, source_ref
from deploy.grafana.rendering.variables import annotation, variable

_DRAW: Mapping[str, Callable[[Panel, Any], Drawing]] = {
    "table": draw_table,
    "stat": draw_stat,
    "time_series": draw_time_series,
    "control_chart": draw_control_chart,
    "bars": draw_bars,
    "curve": draw_curve,
    "matrix": draw_matrix,
    "graph": draw_graph,
}


def dashboard_json(dashboard: Dashboard, datasource_uid: str = "") -> dict[str, Any]:
    """A dashboard as Grafana stores it, without the numbers that Grafana gives it (id, version).

    `datasource_uid`: if not that of the account that the dashboard is read as.
    """
    model = _model(dashboard, datasource_uid or DATA_SOURCES[dashboard.data_source])
    plain: dict[str, Any] = json.loads(JSONEncoder().encode(model))
    # The SDK always says "in the menu of controls": links and switches would be two clicks away.
    for placed in (*plain["links"], *plain["annotations"]["list"]):
        placed.pop("placement", None)
    return plain


def _model(dashboard: Dashboard, uid: str) -> sdk.Dashboard:
    return sdk.Dashboard(
        uid=dashboard.uid,
        title=dashboard.title,
        description=f"{dashboard.about} For {dashboard.for_whom}.",
        tags=[TAG],
        timezone="browser",
        editable=False,  # the next push would undo what is edited here; a copy can be edited
        graph_tooltip=sdk.DashboardCursorSync.CROSSHAIR,
        time=sdk.DashboardDashboardTime(from_val=dashboard.time_from, to="now"),
        refresh=f"{dashboard.refresh_s}s" if dashboard.refresh_s else "",
        templating=sdk.DashboardDashboardTemplating(list_val=[variable(each, uid) for each in dashboard.variables]),
        annotations=sdk.AnnotationContainer(list_val=[annotation(each, uid) for each in dashboard.annotations]),
        links=[_link_to_the_others()],
        panels=[_placed(each, dashboard, uid) for each in layout(dashboard)],
    )


def _placed(placed: Heading | Placed, dashboard: Dashboard, uid: str) -> sdk.Panel | sdk.RowPanel:
    if isinstance(placed, Heading):
        title = placed.section.title
        return sdk.RowPanel(title=title, grid_pos=placed.at, id_val=number(dashboard.key, "section", title), panels=[])
    panel = placed.panel
    drawing = _DRAW[panel.visual.kind](panel, panel.visual)
    return sdk.Panel(
        type_val=drawing.plugin,
        plugin_version=WRITTEN_FOR,
        id_val=panel_number(dashboard, panel),
        title=panel.title,
        description=panel.question,
        datasource=source_ref(uid),
        grid_pos=placed.at,
        targets=[panel_target(query, uid) for query in panel.queries],
        options=drawing.options,
        field_config=drawing.field_config(panel.no_data),
        transformations=drawing.transformations,
    )


def _link_to_the_others() -> sdk.DashboardLink:
    return sdk.DashboardLink(
        title="Tieline",
        type_val=sdk.DashboardLinkType.DASHBOARDS,
        icon="external link",
        tooltip="The other dashboards, with the same choice and period",
        tags=[TAG],
        as_dropdown=True,
        include_vars=True,
        keep_time=True,
    )
