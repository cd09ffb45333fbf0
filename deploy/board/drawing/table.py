"""Rows as a table: for panels that are tables, and beneath every chart for those who do not see it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from deploy.board.drawing.drawing import Drawing, Rows, Scene
from deploy.board.figures import cell, is_missing
from deploy.board.markup import Html, joined, tag
from deploy.dashboards.panel import Column, Panel, shown

_MANY = 8
_MOST_BENEATH = 240
_NUMBERS = {"count", "number", "share", "seconds", "bytes"}
_STRONG = {"overdue"}
_QUIET = {"not observed", "not enough data", "hidden: too few people", "in time", "no target"}


def draw_table(panel: Panel, rows: Mapping[str, Rows], scene: Scene) -> Drawing:
    return Drawing(table(panel.query.columns, rows[panel.query.ref], panel.title, scene.most_rows))


def table(columns: Sequence[Column], rows: Rows, caption: str, most_rows: int = 0) -> Html:
    """A real table in a region that scrolls, reachable by keyboard; its first column heads the row."""
    seen = shown(columns)
    kept = rows[:most_rows] if most_rows else rows
    head = tag("tr", *(tag("th", column.label, scope="col", class_=_class(column)) for column in seen))
    body = joined(*(_row(seen, row) for row in kept))
    left_out = len(rows) - len(kept)
    return joined(
        tag(
            "div",
            tag(
                "table",
                tag("caption", caption, class_="unseen"),
                tag("thead", head),
                tag("tbody", body),
                class_="many-columns" if len(seen) > _MANY else None,
            ),
            class_="scroll",
            tabindex="0",
            role="region",
            aria_label=caption,
        ),
        tag("p", f"and {left_out} more", class_="note") if left_out else None,
    )


def as_table(columns: Sequence[Column], rows: Rows, caption: str) -> Html:
    """A chart's data, to be opened beneath it; of a long one the end, which is the newest."""
    kept = rows[-_MOST_BENEATH:]
    left_out = tag("p", f"the last {len(kept)} of {len(rows)} rows", class_="note") if len(kept) < len(rows) else None
    inside = joined(table(columns, kept, caption), left_out)
    return tag("details", tag("summary", "Show as table"), inside, class_="as-table")


def _row(columns: Sequence[Column], row: Mapping[str, object]) -> Html:
    first, *others = columns
    strong = any(row[column.name] in _STRONG for column in columns if column.kind == "text")
    return tag(
        "tr",
        tag("th", cell(first, row[first.name]), scope="row", class_=_class(first)),
        *(_cell(column, row[column.name]) for column in others),
        class_="strong" if strong else None,
    )


def _cell(column: Column, value: object) -> Html:
    quiet = is_missing(value) or (column.kind == "text" and value in _QUIET)
    names = " ".join(filter(None, [_class(column), "quiet" if quiet else ""]))
    return tag("td", cell(column, value), class_=names or None)


def _class(column: Column) -> str | None:
    return "figure" if column.kind in _NUMBERS else None
