"""A dashboard: sections of panels, what can be chosen, and what is marked on every time axis."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from deploy.dashboards.panel import Panel

ALL = "$__all"
"""Grafana's word for "all values" of a variable, also in links."""


@dataclass(frozen=True, slots=True)
class Variable:
    """Something to choose.

    Attributes:
        name: in SQL, as `$name`.
        sql: its values: one column, or two (value, what people read). May use other variables and the time range.
        default: chosen at first; empty: the first value, or all.
        multi: several values at once. In SQL: `$__conditionalAll(column IN (${name:singlequote}), $name)`.
        all: "all" may be chosen.
        all_value: what stands in the SQL for "all"; put in as it is, without quotes added.
    """

    name: str
    label: str
    sql: str
    default: str = ""
    multi: bool = False
    all: bool = False
    all_value: str = ""


@dataclass(frozen=True, slots=True)
class Annotation:
    """Marks on time axes. SQL columns: time, timeEnd (null: still going on), title, text, tags."""

    name: str
    sql: str


@dataclass(frozen=True, slots=True)
class Section:
    """Panels that belong together, under a heading."""

    title: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True, slots=True)
class Dashboard:
    """One dashboard.

    Attributes:
        key: names it in links and files; its uid in Grafana is `tieline-<key>`.
        for_whom: the people it is made for.
        refresh_s: how often it looks again; 0: when somebody asks.
        time_from: Grafana's relative time, up to now.
        data_source: which account reads it: `reader`, or `auditor` for event ids.
    """

    key: str
    title: str
    for_whom: str
    about: str
    sections: tuple[Section, ...]
    variables: tuple[Variable, ...] = ()
    annotations: tuple[Annotation, ...] = ()
    refresh_s: int = 0
    time_from: str = "now-90d"
    data_source: str = "reader"

    @property
    def uid(self) -> str:
        return f"tieline-{self.key}"

    def panels(self) -> Iterator[Panel]:
        """All panels, in order."""
        for section in self.sections:
            yield from section.panels

    def panel(self, key: str) -> Panel:
        """Raises: KeyError: there is none with that key."""
        for panel in self.panels():
            if panel.key == key:
                return panel
        raise KeyError(key)
