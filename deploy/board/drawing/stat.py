"""One big figure."""

from __future__ import annotations

from collections.abc import Mapping

from deploy.board.drawing.drawing import Drawing, Rows, Scene
from deploy.board.figures import cell, is_missing
from deploy.board.markup import Html, joined, tag, text
from deploy.dashboards.panel import Column, Panel, Stat, Threshold, shown


def draw_stat(panel: Panel, rows: Mapping[str, Rows], _scene: Scene) -> Drawing:
    """The figure, what a passed threshold says, and the other columns in small."""
    assert isinstance(panel.visual, Stat)
    row = rows[panel.query.ref][0]
    main = panel.query.column(panel.visual.value)
    others = [column for column in shown(panel.query.columns) if column.name != main.name]
    passed = _passed(panel.thresholds, row[main.name])
    return Drawing(
        tag(
            "dl",
            tag("dt", main.label, class_="unseen"),
            tag("dd", cell(main, row[main.name]), class_="big strong" if passed else "big"),
            joined(tag("dt", "attention", class_="unseen"), tag("dd", f"▲ {passed.label}", class_="strong"))
            if passed
            else None,
            *(_small(column, row[column.name]) for column in others),
            class_="readout",
        )
    )


def _small(column: Column, value: object) -> Html:
    """`4 without a target`, but `of 20` and `sigma level 2.4`."""
    term, figure = tag("dt", column.label), tag("dd", cell(column, value))
    figure_first = column.kind == "count" and column.label.partition(" ")[0] != "of"
    return tag("div", *((figure, text(" "), term) if figure_first else (term, text(" "), figure)))


def _passed(thresholds: tuple[Threshold, ...], value: object) -> Threshold | None:
    if is_missing(value) or not isinstance(value, (int, float)):
        return None
    reached = [threshold for threshold in thresholds if value >= threshold.value]
    return max(reached, key=lambda threshold: threshold.value, default=None)
