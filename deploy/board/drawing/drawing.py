"""What a panel looks like, for pages and for live updates."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from deploy.board.markup import Html
from deploy.dashboards.panel import Panel

Rows = Sequence[Mapping[str, Any]]
"""Rows of one query by column name, typed as its columns say."""
ChartOption = dict[str, Any]
"""An ECharts option; texts `var(--name)` stand for colours of the page's theme, `fn:name` for functions of board.js."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened, marked on time axes. `until` None: still going on."""

    at: datetime
    until: datetime | None
    title: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Drawing:
    """A drawn panel.

    Attributes:
        chart: what the page draws into the element with `data-chart`.
        covers: start and end of the whole periods that the figures are of; None: the answer does not say.
    """

    html: Html
    chart: ChartOption | None = None
    covers: tuple[datetime, datetime] | None = None


@dataclass(frozen=True, slots=True)
class Scene:
    """What a drawing needs beside the rows.

    Attributes:
        start, end: the chosen period.
        marks: for time axes.
        tie_link: the page of one tie (communicator, experiencer), where the dashboard has one.
        most_rows: of a table; 0: all.
    """

    start: datetime
    end: datetime
    marks: Sequence[Mark] = ()
    tie_link: Callable[[str, str], str] | None = None
    most_rows: int = 0


Draw = Callable[[Panel, Mapping[str, Rows], Scene], Drawing]
"""Draws a panel from the rows of its queries, by their refs; there is at least one row."""
