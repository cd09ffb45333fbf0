"""What somebody chose to look at: all of it is in the link."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import quote, urlencode

from deploy.dashboards.catalogue import DASHBOARDS
from deploy.dashboards.dashboard import ALL, Dashboard

_MOST_VALUES = 100
_LONGEST_VALUE = 300
_OWN = ("from", "to", "wall")


@dataclass(frozen=True, slots=True)
class Choice:
    """The words of a link, not yet held against what there is.

    Attributes:
        values: variable name to chosen values; also of variables that only other dashboards have, so that a link to
            them keeps the choice.
        first, last: the period's words; empty: what the dashboard usually shows.
        wall: for a screen on the wall: large, nothing to press.
    """

    dashboard: Dashboard
    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    first: str = ""
    last: str = ""
    wall: bool = False

    def with_values(self, **values: str) -> Choice:
        """One value each for some variables."""
        return replace(self, values={**self.values, **{name: (value,) for name, value in values.items()}})

    def at(self, dashboard: Dashboard) -> Choice:
        """The same choice on another dashboard; a period goes along only between dashboards that look equally often."""
        alike = bool(dashboard.refresh_s) == bool(self.dashboard.refresh_s)
        return replace(self, dashboard=dashboard, first=self.first if alike else "", last=self.last if alike else "")

    @property
    def path(self) -> str:
        return f"/d/{quote(self.dashboard.key)}"

    @property
    def query(self) -> str:
        pairs = [(name, value) for name in sorted(self.values) for value in self.values[name]]
        pairs += [(word, value) for word, value in (("from", self.first), ("to", self.last)) if value]
        return urlencode([*pairs, *([("wall", "1")] if self.wall else [])])

    @property
    def link(self) -> str:
        return f"{self.path}?{self.query}" if self.query else self.path


def choice_of(dashboard: Dashboard, pairs: Iterable[tuple[str, str]]) -> Choice:
    """From the query of a link. What is no variable, and more than a form could send, is left out."""
    known = _names(DASHBOARDS) | _names([dashboard])
    values: dict[str, tuple[str, ...]] = {}
    words = dict.fromkeys(_OWN, "")
    for name, value in pairs:
        if name in words:
            words[name] = value[:_LONGEST_VALUE]
        elif name in known and value and len(value) <= _LONGEST_VALUE and len(values.get(name, ())) < _MOST_VALUES:
            values[name] = tuple(dict.fromkeys([*values.get(name, ()), value]))
    return Choice(dashboard, values, words["from"], words["to"], words["wall"] == "1")


def _names(dashboards: Sequence[Dashboard]) -> set[str]:
    return {variable.name for dashboard in dashboards for variable in dashboard.variables}


def is_all(values: Sequence[str]) -> bool:
    """Nothing chosen means all, and so does Grafana's word for it."""
    return not values or ALL in values
