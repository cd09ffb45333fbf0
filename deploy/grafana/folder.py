"""The folders that hold our dashboards and alert rules."""

from __future__ import annotations

from deploy.grafana.api import Grafana
from deploy.grafana.change import Change


def plan_folder(grafana: Grafana, uid: str, title: str) -> Change:
    """A folder by its uid: people may move it, and what it is called is said here."""
    present = grafana.folder(uid)
    if present is None:
        return Change("create", "folder", title, apply=lambda: grafana.create_folder(uid, title))
    if present.get("title") == title:
        return Change("unchanged", "folder", title)
    return Change(
        "update",
        "folder",
        title,
        [f"title: {present.get('title')!r} → {title!r}"],
        apply=lambda: grafana.update_folder(uid, title, int(present.get("version") or 0)),
    )
