"""Control charts, small ones side by side: points, centre, limits, and points that a rule picks out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from deploy.report.drawing.canvas import (
    FAINT,
    INK,
    QUIET,
    grid_of,
    mark_interventions,
    number_of,
    over_time,
    picture,
)
from deploy.report.findings import Rows
from deploy.report.words import shortened


class Point(NamedTuple):
    """One period; centre and limits are None without a baseline."""

    at: datetime
    value: float
    center: float | None
    lower: float | None
    upper: float | None
    special: bool


def control_charts(
    charts: Sequence[tuple[str, Sequence[Point]]], start: datetime, end: datetime, interventions: Rows
) -> str:
    """An SVG: for each series its title and its chart. Picked points are larger and square."""

    def draw(figure: Figure) -> None:
        every = grid_of(figure, len(charts), sharex=True, sharey=True)
        for axes, (title, points) in zip(every, charts, strict=True):
            axes.set_title(shortened(title, 64))
            _draw(axes, points)
            over_time(axes, start, end)
            mark_interventions(axes, interventions, start, end, at_the_foot=True)
        figure.supylabel("share that went well", fontsize=8)

    return picture(draw, 0.4 + 1.5 * -(-len(charts) // 2))


def _draw(axes: Axes, points: Sequence[Point]) -> None:
    axes.set_ylim(-0.03, 1.03)
    axes.grid(axis="y", color=FAINT, linewidth=0.6)
    at = [number_of(point.at) for point in points]
    axes.plot(at, [point.value for point in points], "-o", color=INK, linewidth=0.8, markersize=2.2)
    picked = [(place, point.value) for place, point in zip(at, points, strict=True) if point.special]
    axes.plot(
        [place for place, _ in picked], [value for _, value in picked], "s", color="white", markeredgecolor=INK,
        markersize=5,
    )  # fmt: skip
    for name, style in (("center", "-"), ("lower", ":"), ("upper", ":")):
        line = [(place, getattr(point, name)) for place, point in zip(at, points, strict=True)]
        known = [(place, value) for place, value in line if value is not None]
        axes.plot([one for one, _ in known], [other for _, other in known], style, color=QUIET, linewidth=0.9)
