"""Answer curves of both directions of a pair of roles, with their intervals, small ones side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from deploy.report.drawing.canvas import FAINT, FILL, INK, QUIET, grid_of, picture
from deploy.report.words import shortened

_TICKS_S = {60: "1 min", 900: "15 min", 3600: "1 h", 14_400: "4 h", 86_400: "1 d", 604_800: "1 w"}
_FIRST_S = 15.0
_STYLES = (("-", INK), ((0, (5, 2)), QUIET))


class AnswerCurve(NamedTuple):
    """Steps (seconds waited, share answered by then, low, high)."""

    name: str
    steps: Sequence[tuple[float, float, float, float]]


def answer_curves(pairs: Sequence[tuple[str, Sequence[AnswerCurve]]]) -> str:
    """An SVG: for each pair its title and at most two curves, the first in a full line, the second dashed."""

    def draw(figure: Figure) -> None:
        every = grid_of(figure, len(pairs), sharex=True, sharey=True)
        longest = max((step[0] for _, curves in pairs for curve in curves for step in curve.steps), default=3600.0)
        for axes, (title, curves) in zip(every, pairs, strict=True):
            axes.set_title(shortened(title, 64))
            _draw(axes, curves, longest)
        figure.supxlabel("time since the offer", fontsize=8)
        figure.supylabel("share answered", fontsize=8)

    return picture(draw, 0.5 + 2.0 * -(-len(pairs) // 2))


def _draw(axes: Axes, curves: Sequence[AnswerCurve], longest: float) -> None:
    axes.set_xscale("log")
    axes.set_ylim(0, 1.02)
    axes.set_xlim(_FIRST_S, max(7200.0, longest))
    ticks = {at: name for at, name in _TICKS_S.items() if at <= max(7200.0, longest)}
    axes.set_xticks(list(ticks), list(ticks.values()))
    axes.minorticks_off()
    axes.grid(color=FAINT, linewidth=0.6)
    lines = []
    for curve, (style, color) in zip(curves, _STYLES, strict=False):
        at = [max(_FIRST_S, step[0]) for step in curve.steps]
        lows, highs = [step[2] for step in curve.steps], [step[3] for step in curve.steps]
        axes.fill_between(at, lows, highs, step="post", color=FILL, alpha=0.15, linewidth=0)
        lines += axes.step(
            at, [step[1] for step in curve.steps], where="post", color=color, linestyle=style, linewidth=1.3
        )
    names = [shortened(curve.name, 48) for curve in curves][: len(lines)]
    axes.legend(lines, names, loc="upper left", fontsize=6.5, frameon=False)
