"""Bars: over time with the interventions, or one for each name in alphabetical order."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from matplotlib.figure import Figure

from deploy.report.drawing.canvas import FAINT, FILL, INK, mark_interventions, number_of, over_time, picture
from deploy.report.findings import Rows
from deploy.report.words import shortened


class Bar(NamedTuple):
    """From `since` until `until`: what is at the bottom, and what stands on it."""

    since: datetime
    until: datetime
    value: float
    above: float = 0.0


def bars_over_time(
    bars: Sequence[Bar],
    start: datetime,
    end: datetime,
    interventions: Rows,
    axis: str,
    names: tuple[str, str] = ("", ""),
) -> str:
    """An SVG. `names`: of the bottom (plain) and of what stands on it (hatched); empty: there is one kind only."""

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        places = [number_of(bar.since) for bar in bars]
        widths = [0.92 * (number_of(bar.until) - number_of(bar.since)) for bar in bars]
        values = [bar.value for bar in bars]
        lower = axes.bar(places, values, widths, align="edge", color=FILL)
        if names[0]:
            above = [bar.above for bar in bars]
            upper = axes.bar(
                places, above, widths, values, align="edge", color="white", edgecolor=INK, hatch="///", linewidth=0.6
            )
            axes.legend([lower, upper], list(names), loc="lower left", bbox_to_anchor=(0, 1.0), ncols=2, frameon=False)
        axes.set_ylabel(axis)
        axes.set_ylim(bottom=0)
        axes.grid(axis="y", color=FAINT, linewidth=0.6)
        axes.set_axisbelow(True)
        over_time(axes, start, end)
        mark_interventions(axes, interventions, start, end)

    return picture(draw, 2.3)


def named_bars(bars: Sequence[tuple[str, float, str]], axis: str) -> str:
    """An SVG of (name, length, what to write beside it)."""

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        places = list(range(len(bars)))
        axes.barh(places, [length for _, length, _ in bars], color=FILL, height=0.62)
        axes.set_yticks(places, [shortened(name) for name, _, _ in bars])
        axes.tick_params(axis="y", length=0)
        axes.set_ylim(len(bars) - 0.4, -0.6)
        axes.set_xlim(0, 1.15 * max((length for _, length, _ in bars), default=1) or 1)
        axes.set_xlabel(axis)
        for place, (_, length, beside) in zip(places, bars, strict=True):
            axes.annotate(beside, (length, place), (3, 0), textcoords="offset points", va="center", fontsize=7)

    return picture(draw, 0.7 + 0.22 * len(bars))
