"""All dashboards, in the order in which they are listed."""

from __future__ import annotations

from deploy.dashboards.dashboard import Dashboard
from deploy.dashboards.live import LIVE
from deploy.dashboards.ties import TIES

DASHBOARDS: tuple[Dashboard, ...] = (LIVE, TIES)


def dashboard(key: str) -> Dashboard:
    """Raises: KeyError: there is none with that key."""
    for found in DASHBOARDS:
        if found.key == key:
            return found
    raise KeyError(key)
