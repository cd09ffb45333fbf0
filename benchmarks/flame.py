"""`python -m benchmarks.flame FOLDED IMAGE.svg`: where a process spends its time, from the top down.

FOLDED is what `py-spy record --format raw` writes: a stack from the outside in with `;` between, a space, a count. The
width of a box is its share of all samples; what is narrower than half a percent is left out. Neutral greys; no scripts.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import matplotlib

_LEAST = 0.005
_LEVELS = 26
_SKIPPED = re.compile(
    r"^thread|runpy|asyncio/|^<module>|concurrent/|^_run_|mode/|Runner|^run \(|^main \(|importlib"
    r"|typer/|^infer \(|^_run \(|_wrapped \(|^_guarded|^_execute_actor"
)
"""The event loop and what starts it: the same frames above everything."""
_FILL = ("#d9d9d9", "#c2c2c2")


@dataclass
class Box:
    """One function under its callers."""

    samples: int = 0
    inside: dict[str, Box] = field(default_factory=dict)


def read(folded: str) -> Box:
    """The tree of all stacks, without frames that say nothing."""
    top = Box()
    for line in folded.splitlines():
        stack, _, count = line.rpartition(" ")
        if "importlib" in stack:
            continue
        box = top
        box.samples += int(count)
        for frame in stack.split(";"):
            if not _SKIPPED.search(frame):
                box = box.inside.setdefault(_named(frame), Box())
                box.samples += int(count)
    return top


def _named(frame: str) -> str:
    """`Infer.handle` of `Infer.handle (streams/apps/infer/app.py:131)`."""
    return frame.split(" (")[0].replace(".<locals>", "")


def main() -> None:
    """Draws it."""
    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "tieline"  # the same samples give the same bytes
    from matplotlib import pyplot

    source, image = map(Path, sys.argv[1:])
    top = read(source.read_text())
    figure, axis = pyplot.subplots(figsize=(13, 6.5), layout="constrained")
    deepest = max(_draw(axis, top, top.samples, 0.0, 0), 1)
    axis.set(xlim=(0, 1), ylim=(deepest, 0))
    axis.axis("off")
    figure.savefig(image, metadata={"Date": None})


def _draw(axis: Any, box: Box, samples: int, left: float, level: int) -> int:
    """Everything inside a box; returns how deep it goes."""
    deepest = level
    for name, one in sorted(box.inside.items(), key=lambda item: -item[1].samples):
        width = one.samples / samples
        if width < _LEAST or level >= _LEVELS:
            continue
        axis.barh(level + 0.5, width, left=left, height=0.94, color=_FILL[level % 2], edgecolor="white", linewidth=0.5)
        shown = f"{name} {width:.0%}"[: int(width * 190)]
        if len(shown) > 2:
            axis.text(left + 0.002, level + 0.5, shown, va="center", fontsize=6, clip_on=True)
        deepest = max(deepest, _draw(axis, one, samples, left, level + 1))
        left += width
    return max(deepest, level)


if __name__ == "__main__":
    main()
