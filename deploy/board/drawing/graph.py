"""Roles and the ties between them: two arrows for each pair, so that both directions can be compared."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from deploy.board.drawing import chart
from deploy.board.drawing.drawing import ChartOption, Drawing, Rows, Scene
from deploy.dashboards.panel import Panel

_NODES, _EDGES = "nodes", "edges"
_WIDE, _HIGH = 1000.0, 420.0


def draw_graph(panel: Panel, rows: Mapping[str, Rows], _scene: Scene) -> Drawing:
    """A ring in alphabetical order: no place on it means anything."""
    nodes = sorted(rows[_NODES], key=lambda node: str(node["id"]))
    edges = [edge for edge in rows[_EDGES] if edge["source"] != edge["target"]]
    own = {str(edge["source"]): str(edge["mainstat"]) for edge in rows[_EDGES] if edge["source"] == edge["target"]}
    series: ChartOption = {
        "type": "graph",
        "layout": "none",
        "roam": False,
        "preserveAspect": "contain",
        "left": 150,
        "right": 150,
        "top": 40,
        "bottom": 40,
        "edgeSymbol": ["none", "arrow"],
        "data": [_node(node, place, len(nodes), own) for place, node in enumerate(nodes)],
        "links": [_edge(edge) for edge in edges],
        "lineStyle": {"color": chart.NEUTRAL, "curveness": 0.16, "opacity": 0.7},
        "emphasis": {"focus": "adjacency", "lineStyle": {"color": chart.NEUTRAL, "opacity": 1}},
        "tooltip": {"formatter": "fn:note"},
    }
    option: ChartOption = {"tooltip": chart.tooltip("item", "fn:note"), "series": [series]}
    query = next(query for query in panel.queries if query.ref == _EDGES)
    said = "; ".join(f"{edge['source']} to {edge['target']}: {edge['mainstat']}" for edge in rows[_EDGES][:40])
    return chart.framed(panel, option, rows[_EDGES], query.columns, f"{panel.title}. {panel.question} {said}.")


def _node(node: Mapping[str, Any], place: int, of: int, own: Mapping[str, str]) -> ChartOption:
    angle = 2 * math.pi * place / max(1, of) - math.pi / 2
    x, y = math.cos(angle), math.sin(angle)
    name = str(node["title"])
    within = f"\n{own[str(node['id'])]} among themselves" if str(node["id"]) in own else ""
    side = "right" if x > 0.2 else "left" if x < -0.2 else "top" if y < 0 else "bottom"
    return {
        "id": str(node["id"]),
        "name": name,
        "x": round(_WIDE / 2 * x, 1),
        "y": round(_HIGH / 2 * y, 1),
        "symbolSize": 22,
        "itemStyle": {"color": chart.INK},
        "label": {
            "show": True,
            "position": side,
            "distance": 8,
            "color": chart.INK,
            "fontSize": 13,
            "formatter": f"{name}{within}",
        },
        "note": f"{name}: {node['mainstat']} ties",
    }


def _edge(edge: Mapping[str, Any]) -> ChartOption:
    width = max(1.0, min(10.0, float(edge["thickness"])))
    observed = float(edge.get("observations") or 0) > 0
    return {
        "source": str(edge["source"]),
        "target": str(edge["target"]),
        "symbolSize": [0, round(8 + 1.6 * width)],
        "lineStyle": {"width": width, "type": "solid" if observed else "dashed"},
        "note": f"{edge['source']} → {edge['target']}: {edge['mainstat']}, {edge['secondarystat']}",
    }
