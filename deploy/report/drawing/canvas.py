"""What all pictures share: look, size, and how a figure becomes markup."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Sequence
from datetime import datetime
from io import StringIO
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num
from matplotlib.figure import Figure

from deploy.report.findings import Rows
from deploy.report.words import day

INK, QUIET, FILL, FAINT = "#1b1f24", "#4d5761", "#5b6b7b", "#d5dade"
"""On white: 16, 7, 5 and 1.4 to 1; the last one only for lines that nothing depends on."""
WIDTH_IN = 7.2
_LOOK: dict[Any, Any] = {
    "svg.hashsalt": "tieline",
    "svg.fonttype": "none",
    "font.family": ["DejaVu Sans"],
    "font.size": 8.0,
    "text.parse_math": False,
    "text.color": INK,
    "axes.edgecolor": QUIET,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 8.0,
    "axes.titlelocation": "left",
    "axes.unicode_minus": True,
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "hatch.linewidth": 0.5,
    "timezone": "UTC",
    "path.simplify": False,
}
_BEFORE_SVG = re.compile(r"\A.*?(?=<svg)", re.DOTALL)
_METADATA = re.compile(r"<metadata>.*?</metadata>", re.DOTALL)
_NAMESPACES = re.compile(r'\s+xmlns(?::xlink)?="[^"]*"')
_STYLE = re.compile(r"<defs>\s*<style.*?</style>\s*</defs>", re.DOTALL)


def picture(draw: Callable[[Figure], None], height_in: float, width_in: float = WIDTH_IN) -> str:
    """The drawn figure as an SVG element for a page: no declaration, no address, no time."""
    with matplotlib.rc_context(_LOOK), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a letter that the font lacks: the reader's browser has another font
        figure = Figure(figsize=(width_in, height_in), layout="constrained")
        FigureCanvasSVG(figure)
        draw(figure)
        written = StringIO()
        figure.savefig(written, format="svg", metadata={"Date": None, "Creator": None, "Type": None, "Format": None})
    return _for_a_page(written.getvalue())


def _for_a_page(svg: str) -> str:
    bare = _STYLE.sub("", _METADATA.sub("", _BEFORE_SVG.sub("", svg)), count=1)
    return _NAMESPACES.sub("", bare).replace("xlink:href=", "href=").strip()


def over_time(axes: Axes, start: datetime, end: datetime) -> None:
    """A time axis over the whole asked time."""
    axes.set_xlim(date2num(start), date2num(end))  # type: ignore[no-untyped-call]
    locator = AutoDateLocator(minticks=3, maxticks=7)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator, show_offset=False))  # type: ignore[no-untyped-call]


def number_of(at: datetime) -> float:
    """Where an instant lies on a time axis."""
    return float(date2num(at))  # type: ignore[no-untyped-call]


def mark_interventions(
    axes: Axes, interventions: Rows, start: datetime, end: datetime, at_the_foot: bool = False
) -> None:
    """A dashed line and a number where each starts within the asked time; `told_interventions` says the numbers.

    Args:
        at_the_foot: where the number stands; else at the head.
    """
    for number, row in enumerate(interventions, 1):
        if start <= row["time"] < end:
            place = number_of(row["time"])
            axes.axvline(place, color=INK, linewidth=0.8, linestyle=(0, (4, 3)))
            axes.annotate(
                str(number), (place, 0.0 if at_the_foot else 1.0), (2, 2 if at_the_foot else -1),
                xycoords=("data", "axes fraction"), textcoords="offset points",
                va="bottom" if at_the_foot else "top", ha="left", fontsize=7, fontweight="bold",
                bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8},
            )  # fmt: skip


def told_interventions(interventions: Rows, start: datetime, end: datetime) -> str:
    """The numbers of `mark_interventions` in words; empty: there are none in this time."""
    told = [
        f"{number}: {row['title']} (from {day(row['time'])})"
        for number, row in enumerate(interventions, 1)
        if start <= row["time"] < end
    ]
    return f" Dashed lines are interventions. {'; '.join(told)}." if told else ""


def grid_of(figure: Figure, places: int, columns: int = 2, **shared: bool) -> Sequence[Axes]:
    """So many small axes, row by row; those that are left over are taken away."""
    rows = -(-places // columns)
    axes = figure.subplots(rows, columns, squeeze=False, **shared)  # type: ignore[call-overload]
    flat = [each for row in axes for each in row]
    for each in flat[places:]:
        each.remove()
    return flat[:places]
