"""`python -m benchmarks.growth_plot FIGURES.json IMAGE.svg`: what an event costs as things grow."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import matplotlib

from benchmarks.growth import Point


def main() -> None:
    """Draws a panel for each axis; figures as `benchmarks.growth --json` writes them."""
    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "tieline"  # the same figures give the same bytes
    from matplotlib import pyplot

    source, image = map(Path, sys.argv[1:])
    points = [Point(**one) for one in json.loads(source.read_text())["points"]]
    axes = list(dict.fromkeys(point.axis for point in points))
    figure, panels = pyplot.subplots(1, len(axes), figsize=(2.9 * len(axes), 2.9), layout="constrained")
    for panel, axis in zip(panels, axes, strict=True):
        mine = [point for point in points if point.axis == axis]
        panel.plot([point.at for point in mine], [point.microseconds for point in mine], marker="o", color="#444444")
        panel.set(
            xscale="log", xlabel=axis, title="µs of CPU for a row" if axis == "ties" else "µs of CPU for an event"
        )
        panel.set_ylim(0, 1.1 * max(point.microseconds for point in mine))
        panel.title.set_fontsize(9)
    figure.savefig(image, metadata={"Date": None})


if __name__ == "__main__":
    main()
