"""A panel: a question, the SQL that answers it, and how the answer is drawn. Says nothing about who draws it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["time", "text", "count", "number", "share", "seconds", "bytes", "flag", "list"]
"""What a column holds. `share`: in [0, 1]; `seconds`, `bytes`: drawn with a fitting unit; `list`: of texts."""

Audience = Literal["quality", "operations", "pipeline", "auditor"]
"""Whose views a panel reads, as in `sinks.clickhouse.audiences`."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of an answer.

    Attributes:
        name: as the SQL names it.
        title: what people read.
        nullable: null is an answer (*not observed*, *no target*), shown as `when_null`.
        hidden: for the drawing only (a sort key, an id of the graph); tables leave it out.
        decimals: of numbers; None: what fits.
    """

    name: str
    kind: Kind
    title: str = ""
    nullable: bool = False
    when_null: str = "–"
    hidden: bool = False
    decimals: int | None = None

    @property
    def label(self) -> str:
        """`title`, or the name in words."""
        return self.title or self.name.replace("_", " ")


@dataclass(frozen=True, slots=True)
class Query:
    """One statement of a panel, with the macros and variables of Grafana's ClickHouse plug-in.

    Attributes:
        columns: all columns of the answer, in order; a test holds the statement to it.
        ref: names it within the panel; `nodes` and `edges` are what a graph needs.
        time_series: the first column is a time, ascending; texts name the series.
    """

    sql: str
    columns: tuple[Column, ...]
    ref: str = "A"
    time_series: bool = False

    def column(self, name: str) -> Column:
        """Raises: KeyError: there is none of that name."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)


@dataclass(frozen=True, slots=True)
class Table:
    """Rows as they come."""

    kind: Literal["table"] = "table"


@dataclass(frozen=True, slots=True)
class Stat:
    """One big figure: the column `value` of the only row, the other columns beside it in small."""

    value: str
    kind: Literal["stat"] = "stat"


@dataclass(frozen=True, slots=True)
class TimeSeries:
    """`values` over time, one series for each of them and for each combination of the text columns.

    Attributes:
        style: lines; points joined by lines; or bars.
        stacked: bars or lines on top of each other.
        share: the axis runs from 0 to 1.
    """

    values: tuple[str, ...]
    style: Literal["line", "points", "bars"] = "line"
    stacked: bool = False
    share: bool = False
    kind: Literal["time_series"] = "time_series"


@dataclass(frozen=True, slots=True)
class ControlChart:
    """Points over time with their centre and limits; `flag` tells the points that a rule picked out."""

    value: str = "value"
    center: str = "center"
    lower: str = "lower"
    upper: str = "upper"
    flag: str = "special"
    kind: Literal["control_chart"] = "control_chart"


@dataclass(frozen=True, slots=True)
class Bars:
    """One bar for each row, in the order of the rows. With `cumulative`, also the running share: a Pareto chart."""

    category: str
    value: str
    cumulative: str = ""
    kind: Literal["bars"] = "bars"


@dataclass(frozen=True, slots=True)
class Curve:
    """`y` against the number `x`, one line for each text in `series`, with an interval if there are columns for it."""

    x: str
    y: str
    series: str
    low: str = ""
    high: str = ""
    logarithmic: bool = False
    kind: Literal["curve"] = "curve"


@dataclass(frozen=True, slots=True)
class Matrix:
    """A cell of text for each `row` × `column`; rows and columns in alphabetical order, an empty cell where no row is.

    Attributes:
        shade: a count or share that a neutral shade may stand for; empty: no shade.
    """

    row: str
    column: str
    text: str
    shade: str = ""
    kind: Literal["matrix"] = "matrix"


@dataclass(frozen=True, slots=True)
class Graph:
    """Roles as nodes, ties as arrows. Needs the queries `nodes` (id, title) and `edges` (id, source, target, mainstat,
    secondarystat, thickness): the width of an arrow is its number of observations; colours mean nothing."""

    kind: Literal["graph"] = "graph"


Visual = Table | Stat | TimeSeries | ControlChart | Bars | Curve | Matrix | Graph


@dataclass(frozen=True, slots=True)
class Threshold:
    """From `value` on, something is said in words and marked: never by colour alone, and never for a tie."""

    value: float
    label: str


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel of a dashboard.

    Attributes:
        key: names the panel in links and tests; never changes.
        question: what it answers, as somebody on the ward would ask.
        no_data: what to say where the answer has no row, and why that can be.
        audience: whose views it reads.
        width: of 24 columns.
        height: in rows of Grafana's grid (about 30 pixels).
        thresholds: for a stat.
    """

    key: str
    title: str
    question: str
    queries: tuple[Query, ...]
    visual: Visual
    no_data: str
    audience: Audience = "quality"
    width: int = 12
    height: int = 9
    thresholds: tuple[Threshold, ...] = field(default=())

    @property
    def query(self) -> Query:
        """The only, or first, query."""
        return self.queries[0]


def text(name: str, title: str = "", **more: object) -> Column:
    """A column of text."""
    return Column(name, "text", title, **more)  # type: ignore[arg-type]


def shown(columns: Sequence[Column]) -> list[Column]:
    """The columns that tables show."""
    return [column for column in columns if not column.hidden]
