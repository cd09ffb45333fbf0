"""`python -m benchmarks.frameworks.plot FIGURES.json… IMAGE.svg`: events per CPU-second of every contender.

Figures are those that `python -m benchmarks frameworks pairs --json FILE` wrote.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import matplotlib

from benchmarks.frameworks.contenders import CONTENDERS
from benchmarks.frameworks.measure import SECOND_HALF

_TITLES = {
    "decode and fold": "Decode and fold, as infer does it",
    "pairs": "Pairs of offers and acceptances",
}
_OURS, _STATEFUL, _LOOP = "#222222", "#777777", "#c4c4c4"


def main() -> None:
    """A panel for each job. Dark: Tieline; grey: keeps state; light: does not. Lines: lowest to highest."""
    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "tieline"  # the same figures give the same bytes
    from matplotlib import pyplot

    *sources, image = map(Path, sys.argv[1:])
    found = [one for source in sources for one in json.loads(source.read_text())["figures"] if one["unit"] == "1/s"]
    jobs = [job for job in _TITLES if any(one["benchmark"].startswith(f"{job}: ") for one in found)]
    figure, axes = pyplot.subplots(1, len(jobs), figsize=(11, 3.8), layout="constrained", squeeze=False)
    for axis, job in zip(axes[0], jobs, strict=True):
        _panel(axis, [one for one in found if one["benchmark"].startswith(f"{job}: ")])
        axis.set_title(_TITLES[job], fontsize=10)
        axis.set_xlabel("events per CPU-second")
    figure.savefig(image, metadata={"Date": None})


def _panel(axis: Any, figures: list[dict[str, Any]]) -> None:
    stateful = {one.name: one.stateful for one in CONTENDERS}
    names = [one["benchmark"].split(": ", 1)[1] for one in figures]
    for place, (name, one) in enumerate(zip(names, figures, strict=True)):
        keeps = stateful[name.removesuffix(SECOND_HALF)]
        colour = _OURS if name.startswith("tieline") else _STATEFUL if keeps else _LOOP
        axis.barh(place, one["median"], color=colour)
        axis.plot([min(one["values"]), max(one["values"])], [place, place], color="#000000", linewidth=1)
        axis.text(max(one["values"]) * 1.02, place, f"{one['median']:,.0f}", va="center", fontsize=7)
    axis.set_yticks(range(len(names)), names, fontsize=8)
    axis.locator_params(axis="x", nbins=5)
    axis.xaxis.set_major_formatter("{x:,.0f}")
    axis.set_xlim(right=1.15 * max(max(one["values"]) for one in figures))
    axis.invert_yaxis()


if __name__ == "__main__":
    main()
