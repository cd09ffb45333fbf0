"""Panels and answers to draw in tests."""

from __future__ import annotations

from datetime import UTC, datetime

from deploy.board.drawing.drawing import Scene
from deploy.dashboards.dashboard import Dashboard, Section, Variable
from deploy.dashboards.panel import Column, Panel, Query, Stat, Table, Visual, text

START, END = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)
SCENE = Scene(START, END)


def panel(visual: Visual, *columns: Column, **more: object) -> Panel:
    """A panel with one query of these columns."""
    query = Query("SELECT 1", columns)
    fields = {"key": "panel", "title": "Title", "question": "Why?", "no_data": "Nothing came.", **more}
    return Panel(queries=(query,), visual=visual, **fields)  # type: ignore[arg-type]


def dashboard(*variables: Variable, refresh_s: int = 0, panels: tuple[Panel, ...] = ()) -> Dashboard:
    """A dashboard of these variables."""
    shown = panels or (panel(Stat("n"), Column("n", "count")), panel(Table(), text("role"), key="other"))
    return Dashboard("live", "Live", "us", "About.", (Section("One", shown),), variables, refresh_s=refresh_s)
