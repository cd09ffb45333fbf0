"""A survey beside its proxies: one point for each tie, with both intervals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from matplotlib.figure import Figure

from deploy.report.drawing.canvas import FAINT, INK, QUIET, grid_of, picture


class Beside(NamedTuple):
    """Survey's mean (1..5) and proxy (0..1) of one tie; (low, high) of each."""

    survey: float
    survey_range: tuple[float, float]
    proxy: float
    proxy_range: tuple[float, float]


def scatters(plots: Sequence[tuple[str, Sequence[Beside]]]) -> str:
    """An SVG: for each dimension its title and its points."""

    def draw(figure: Figure) -> None:
        for axes, (title, points) in zip(grid_of(figure, len(plots), sharex=True, sharey=True), plots, strict=True):
            axes.set_title(title)
            axes.set_xlim(1, 5)
            axes.set_ylim(0, 1)
            axes.grid(color=FAINT, linewidth=0.6)
            for point in points:
                axes.plot([point.survey] * 2, point.proxy_range, color=QUIET, linewidth=0.8)
                axes.plot(point.survey_range, [point.proxy] * 2, color=QUIET, linewidth=0.8)
                axes.plot([point.survey], [point.proxy], "o", color=INK, markersize=3.5)
        figure.supxlabel("survey: mean of the raters, 1 to 5", fontsize=8)
        figure.supylabel("proxy: share that went well", fontsize=8)

    return picture(draw, 0.5 + 2.3 * -(-len(plots) // 2))
