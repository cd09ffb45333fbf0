"""Rows by columns: a real table, so that it is read with its headings, and shaded by how much was observed."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from deploy.board.drawing.drawing import Drawing, Rows, Scene
from deploy.board.drawing.labels import without_order
from deploy.board.figures import is_missing
from deploy.board.markup import Html, joined, tag
from deploy.dashboards.panel import Matrix, Panel

SHADES = 5
_FIGURE = re.compile(r"(?P<estimate>\d\.\d+) \((?P<interval>[^)]*)\) (?P<n>n \d+)(?P<rest>.*)", re.DOTALL)
_ROLES = ("communicator_role", "experiencer_role")


def draw_matrix(panel: Panel, rows: Mapping[str, Rows], scene: Scene) -> Drawing:
    visual = panel.visual
    assert isinstance(visual, Matrix)
    query, found = panel.query, rows[panel.query.ref]
    cells: dict[tuple[str, str], Mapping[str, Any]] = {
        (str(row[visual.row]), str(row[visual.column])): row for row in found
    }
    down, across = (sorted({pair[place] for pair in cells}) for place in (0, 1))
    most = max((_weight(visual, row) for row in found), default=0.0)
    corner = f"{query.column(visual.row).label} ↓ {query.column(visual.column).label} →"
    head = tag("tr", tag("td", corner, class_="corner"), *(tag("th", without_order(x), scope="col") for x in across))
    links = scene.tie_link if (visual.row, visual.column) == _ROLES else None
    lines = (
        tag(
            "tr",
            tag("th", without_order(y), scope="row"),
            *(_cell(visual, cells.get((y, x)), most, links(y, x) if links else None) for x in across),
        )
        for y in down
    )
    caption = tag("caption", f"{panel.title}: {corner}", class_="unseen")
    grid = tag(
        "table", caption, tag("thead", head), tag("tbody", *lines), class_="crowded" if len(across) > 8 else None
    )
    region = tag("div", grid, class_="scroll", tabindex="0", role="region", aria_label=panel.title)
    return Drawing(joined(region, _shades() if visual.shade else None))


def shade(weight: float, most: float) -> int:
    """0 (nothing observed) to SHADES; by the square root, so that few and very few can be told apart."""
    if weight <= 0 or most <= 0:
        return 0
    return max(1, math.ceil(SHADES * math.sqrt(min(1.0, weight / most)) - 1e-9))


def _cell(visual: Matrix, row: Mapping[str, Any] | None, most: float, link: str | None) -> Html:
    if row is None:
        return tag("td", tag("span", "no tie" if link else "none", class_="unseen"))
    level = shade(_weight(visual, row), most)
    parts = joined(*(_part(part) for part in str(row[visual.text]).split(" | ")))
    content = tag("a", parts, href=link, class_="tie") if link else parts
    return tag("td", content, class_=f"shade-{level}" if level else None)


def _part(written: str) -> Html:
    """A figure with its interval and number, or a status in words."""
    figure = _FIGURE.fullmatch(written)
    if figure is None:
        return tag("p", written, class_=None if written.replace(",", "").isdigit() else "words")
    beside = (tag("small", figure["interval"]), " ", tag("small", f"{figure['n']}{figure['rest']}"))
    return tag("p", tag("strong", figure["estimate"]), " ", *beside)


def _weight(visual: Matrix, row: Mapping[str, Any]) -> float:
    value: Any = row[visual.shade] if visual.shade else None
    return 0.0 if is_missing(value) else float(value)


def _shades() -> Html:
    boxes = (tag("span", class_=f"box shade-{level}") for level in range(1, SHADES + 1))
    return tag("p", "Shade: few ", *boxes, " many observations. It says nothing about good or bad.", class_="legend")
