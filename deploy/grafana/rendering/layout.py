"""Where panels stand, and their numbers."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from grafana_foundation_sdk.models.dashboard import GridPos

from deploy.dashboards.dashboard import Dashboard, Section
from deploy.dashboards.panel import Panel

COLUMNS = 24


@dataclass(frozen=True, slots=True)
class Heading:
    """A section's heading, at its place."""

    section: Section
    at: GridPos


@dataclass(frozen=True, slots=True)
class Placed:
    """A panel at its place."""

    panel: Panel
    at: GridPos


def layout(dashboard: Dashboard) -> Iterator[Heading | Placed]:
    """From top to bottom: each heading on a line of its own, panels beside each other while there is room."""
    y = 0
    for section in dashboard.sections:
        yield Heading(section, GridPos(h=1, w=COLUMNS, x=0, y=y))
        y += 1
        for line in _lines(section):
            x = 0
            for panel in line:
                yield Placed(panel, GridPos(h=panel.height, w=panel.width, x=x, y=y))
                x += panel.width
            y += max(panel.height for panel in line)


def number(*words: str) -> int:
    """A panel's id in Grafana, from its key: it stays when other panels come and go, as links and alerts need."""
    return zlib.crc32("/".join(words).encode()) % 900_000 + 1


def panel_number(dashboard: Dashboard, panel: Panel) -> int:
    """The id of a panel of a dashboard, as in `viewPanel=panel-<id>`."""
    return number(dashboard.key, panel.key)


def _lines(section: Section) -> Iterator[list[Panel]]:
    line: list[Panel] = []
    for panel in section.panels:
        if sum(each.width for each in line) + panel.width > COLUMNS:
            yield line
            line = []
        line.append(panel)
    if line:
        yield line
