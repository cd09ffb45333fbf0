"""Tables: rows as they come, and the matrix of roles, which Grafana turns out of rows itself."""

from __future__ import annotations

from grafana_foundation_sdk.models import table
from grafana_foundation_sdk.models.common import TableAutoCellOptions, TableCellHeight
from grafana_foundation_sdk.models.dashboard import DataTransformerConfig

from deploy.dashboards.panel import Matrix, Panel, shown
from deploy.grafana.rendering.columns import has, override, says_when, titled
from deploy.grafana.rendering.drawing import Drawing, transformation, without


def draw_table(panel: Panel, _visual: object) -> Drawing:
    """One row of the answer, one row of the table."""
    columns = panel.query.columns
    return Drawing(
        plugin="table",
        options=_options(),
        custom=_cells(filterable=True),
        overrides=[override(column.name, titled(column)) for column in shown(columns)],
        transformations=without({column.name: True for column in columns if column.hidden}),
    )


def draw_matrix(panel: Panel, visual: Matrix) -> Drawing:
    """Rows × columns, both in alphabetical order: sorted by column, turned, sorted by row.

    Turning keeps one value per cell, so Grafana shows no shade; and it names the first column `row\\column`.
    """
    row, column = panel.query.column(visual.row), panel.query.column(visual.column)
    corner = f"{visual.row}\\{visual.column}"
    return Drawing(
        plugin="table",
        options=_options(),
        custom=_cells(min_width=50),
        overrides=[override(corner, [has("displayName", f"{row.label} ↓   {column.label} →")])],
        transformations=[
            _sorted_by(visual.column),
            transformation(
                "groupingToMatrix",
                columnField=visual.column,
                rowField=visual.row,
                valueField=visual.text,
                emptyValue="empty",
            ),
            _sorted_by(corner),
        ],
        mappings=[says_when("empty", ""), says_when("null", "")],
    )


def _sorted_by(name: str) -> DataTransformerConfig:
    return transformation("sortBy", fields={}, sort=[{"field": name, "desc": False}])


def _cells(min_width: int = 80, filterable: bool = False) -> table.FieldConfig:
    """Cells that break lines. `min_width`: of a column, in pixels; at least 50."""
    wrapped = TableAutoCellOptions(wrap_text=True)
    return table.FieldConfig(cell_options=wrapped, min_width=min_width, filterable=filterable, inspect=False)


def _options() -> table.Options:
    options = table.Options(cell_height=TableCellHeight.SM)
    options.footer = None  # later versions have footers elsewhere; there is none
    return options
