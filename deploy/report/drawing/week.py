"""The hours of a week, with the number in each; shades repeat what the numbers say."""

from __future__ import annotations

from collections.abc import Mapping

from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from deploy.report.drawing.canvas import INK, picture

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
# The darkest is light enough for dark numbers: 6 to 1.
_SHADES = LinearSegmentedColormap.from_list("neutral", ["#ffffff", "#9fb0bf"])


def week(counts: Mapping[tuple[int, int], int]) -> str:
    """An SVG. `counts`: (day from 1, hour) to how many; a cell without any stays empty."""
    rows = [[counts.get((day, hour), 0) for hour in range(24)] for day in range(1, 8)]

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        most = max(map(max, rows)) or 1
        edges = [place - 0.5 for place in range(25)]
        axes.pcolormesh(edges, edges[:8], rows, cmap=_SHADES, vmin=0, vmax=most)
        axes.invert_yaxis()
        axes.set_yticks(list(range(7)), list(DAYS))
        axes.set_xticks(list(range(24)), [f"{hour:02}" for hour in range(24)])
        axes.tick_params(length=0)
        axes.set_xlabel("hour of the day, in the receiving role's local time")
        for place, row in enumerate(rows):
            for hour, number in enumerate(row):
                if number:
                    axes.text(hour, place, _short(number), ha="center", va="center", fontsize=6, color=INK)

    return picture(draw, 2.2)


def _short(number: int) -> str:
    return f"{number}" if number < 1000 else f"{number / 1000:.0f}k"
