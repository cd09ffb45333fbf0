"""`python -m benchmarks.replay_plot FIGURES.json IMAGE.svg`: how replays grow with events and workers."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import matplotlib

from benchmarks.replay import Measured

_GREYS = {1: "#222222", 2: "#777777", 4: "#aaaaaa"}
_Panel = tuple[str, Callable[[Measured], float]]
_PANELS: tuple[_Panel, ...] = (
    ("events per CPU-second of a worker", lambda one: one.per_core),
    ("the same, with the store until all is written", lambda one: one.per_core_with_store),
    ("peak memory, MiB: worker (line), store (dots)", lambda one: one.worker_mib),
)


def main() -> None:
    """Draws the three panels; figures as `benchmarks.replay --json` writes them."""
    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "tieline"  # the same figures give the same bytes
    from matplotlib import pyplot

    source, image = map(Path, sys.argv[1:])
    found = [Measured(**one) for one in json.loads(source.read_text())]
    figure, axes = pyplot.subplots(1, len(_PANELS), figsize=(12, 3.4), layout="constrained")
    for axis, (title, value) in zip(axes, _PANELS, strict=True):
        for workers in sorted({one.workers for one in found}):
            mine = sorted((one for one in found if one.workers == workers), key=lambda one: one.events)
            label, colour = f"{workers} worker{'s' if workers > 1 else ''}", _GREYS.get(workers, "#444444")
            axis.plot([one.events for one in mine], [value(one) for one in mine], marker="o", label=label, color=colour)
            if value is _PANELS[-1][1]:
                axis.plot([one.events for one in mine], [one.store_mib for one in mine], ":", marker=".", color=colour)
        axis.set(xscale="log", xlabel="events", title=title)
        axis.set_ylim(bottom=0)
        axis.title.set_fontsize(9)
    axes[0].legend(frameon=False)
    figure.savefig(image, metadata={"Date": None})


if __name__ == "__main__":
    main()
