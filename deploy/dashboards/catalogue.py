"""All dashboards, in the order in which they are listed."""

from __future__ import annotations

from deploy.dashboards.audit import AUDIT
from deploy.dashboards.dashboard import Dashboard
from deploy.dashboards.improvement import IMPROVEMENT
from deploy.dashboards.live import LIVE
from deploy.dashboards.pipeline import PIPELINE
from deploy.dashboards.retrospective import RETROSPECTIVE
from deploy.dashboards.ties import TIES

DASHBOARDS: tuple[Dashboard, ...] = (LIVE, TIES, IMPROVEMENT, PIPELINE, RETROSPECTIVE, AUDIT)
BOARD: tuple[Dashboard, ...] = tuple(each for each in DASHBOARDS if each.data_source == "reader")
"""Those that the board shows: it reads as everyone does."""


def dashboard(key: str) -> Dashboard:
    """Raises: KeyError: there is none with that key."""
    for found in DASHBOARDS:
        if found.key == key:
            return found
    raise KeyError(key)
