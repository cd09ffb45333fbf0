"""The map of roles: Grafana's node graph, which knows fields by their names (id, title, source, target, mainstat …)."""

from __future__ import annotations

from collections.abc import Iterator

from grafana_foundation_sdk.models import nodegraph

from deploy.dashboards.panel import Panel, shown
from deploy.grafana.rendering.columns import Override, has, override
from deploy.grafana.rendering.drawing import Drawing


def draw_graph(panel: Panel, _visual: object) -> Drawing:
    """Nodes in grey, arrows as wide as their `thickness`; no arcs, since arcs are coloured."""
    return Drawing(
        plugin="nodeGraph",
        options=nodegraph.Options(
            nodes=nodegraph.NodeOptions(arcs=[]),
            edges=nodegraph.EdgeOptions(),
            zoom_mode=nodegraph.ZoomMode.COOPERATIVE,
        ),
        overrides=list(_titles(panel)),
    )


def _titles(panel: Panel) -> Iterator[Override]:
    """Titles for what a click shows; none where nodes and arrows use one name for different things."""
    titles: dict[str, set[str]] = {}
    for query in panel.queries:
        for column in shown(query.columns):
            titles.setdefault(column.name, set()).add(column.label)
    for name, said in titles.items():
        if len(said) == 1:
            yield override(name, [has("displayName", *said)])
