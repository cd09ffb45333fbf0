"""Dots with their intervals, one line for each name, in the order given: alphabetical, never by value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from matplotlib.figure import Figure

from deploy.report.drawing.canvas import FAINT, INK, QUIET, picture
from deploy.report.words import shortened


class Dot(NamedTuple):
    """A figure with its interval, or what there is to say instead of one (`instead`)."""

    name: str
    value: float | None
    low: float | None
    high: float | None
    beside: str = ""
    instead: str = ""


def dots(rows: Sequence[Dot], axis: str, low: float = 0.0, high: float = 1.0, zero: bool = False) -> str:
    """An SVG. `zero`: a line at 0, where nothing has changed."""

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        places = range(len(rows))
        axes.set_xlim(low, high)
        axes.set_ylim(len(rows) - 0.4, -0.6)
        axes.set_xlabel(axis)
        axes.set_yticks(list(places), [shortened(row.name, 60) for row in rows])
        axes.tick_params(axis="y", length=0)
        axes.grid(axis="x", color=FAINT, linewidth=0.6)
        axes.set_axisbelow(True)
        if zero:
            axes.axvline(0, color=QUIET, linewidth=0.9)
        for place, row in zip(places, rows, strict=True):
            if row.value is None or row.low is None or row.high is None:
                middle = low + 0.01 * (high - low)
                axes.text(middle, place, row.instead, color=QUIET, style="italic", va="center", fontsize=7)
                continue
            axes.plot([row.low, row.high], [place, place], color=QUIET, linewidth=1.6, solid_capstyle="butt")
            axes.plot([row.value], [place], "o", color=INK, markersize=4, clip_on=False)
            axes.text(1.01, place, row.beside, transform=axes.get_yaxis_transform(), va="center", fontsize=7)

    return picture(draw, 0.75 + 0.21 * len(rows))
