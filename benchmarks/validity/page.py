"""docs/validity.md and its pictures, from the figures that the studies left in docs/validity/."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import matplotlib
from cycler import cycler
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from benchmarks.validity.study import Found, Study, Verdict, prose, table

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "validity.md"
FIGURES = ROOT / "docs" / "validity"
PICTURES = ROOT / "docs" / "images"
COLOURS = ("#3b6ea5", "#c77f2b", "#5f8f6b", "#8a6fa8", "#7a7a7a")
_STYLE: Any = {
    "svg.hashsalt": "tieline",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 9.0,
    "axes.prop_cycle": cycler(color=COLOURS),
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "legend.fontsize": 8.0,
    "lines.markersize": 4.0,
}
_HEIGHTS = {"validity-robustness.svg": 6.0}


def read(study: Study, folder: Path = FIGURES) -> Found:
    """The figures that a study left. Raises: FileNotFoundError: it was never run."""
    found: Found = json.loads((folder / f"{study.name}.json").read_text(encoding="utf-8"))
    return found


def write_figures(study: Study, found: Found, folder: Path = FIGURES) -> None:
    """As JSON, a line for each row, so that a difference can be read."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = [f" {json.dumps(key)}: {_indented(value)}" for key, value in found.items()]
    (folder / f"{study.name}.json").write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


def _indented(value: object) -> str:
    if not isinstance(value, list):
        return json.dumps(_rounded(value), allow_nan=False)
    return "[\n" + ",\n".join(f"  {json.dumps(_rounded(row), allow_nan=False)}" for row in value) + "\n ]"


def _rounded(value: object) -> object:
    """Six digits say more than any study can; exact zeros stay."""
    if isinstance(value, float):
        return float(f"{value:.6g}")
    if isinstance(value, dict):
        return {key: _rounded(inner) for key, inner in value.items()}
    return [_rounded(inner) for inner in value] if isinstance(value, list | tuple) else value


def draw(study: Study, found: Found, folder: Path = PICTURES) -> None:
    """The study's pictures as SVG: the same figures give the same bytes under one matplotlib."""
    for name, drawing in study.drawings.items():
        with matplotlib.rc_context(_STYLE):
            figure = Figure(figsize=(8.4, _HEIGHTS.get(name, 3.6)), layout="constrained")
            FigureCanvasSVG(figure)
            drawing(found, figure)
            figure.savefig(folder / name, format="svg", metadata={"Date": None, "Creator": None})


def page(studies: tuple[Study, ...], found: dict[str, Found], tail: str) -> str:
    """The whole document."""
    verdicts = [(study, verdict) for study in studies for verdict in study.verdicts(found[study.name])]
    rows = [[_link(study), verdict.promise, verdict.found, _kept(verdict)] for study, verdict in verdicts]
    sections = [f"## {study.title}\n\n{study.section(found[study.name])}" for study in studies]
    return "\n\n".join([prose("head"), table(["study", "promise", "found", ""], rows, 4), *sections, tail]) + "\n"


def _link(study: Study) -> str:
    """To the study's section, as GitHub names it."""
    slug = "".join(letter for letter in study.title.lower() if letter.isalnum() or letter in " -").replace(" ", "-")
    return f"[{study.name}](#{slug})"


def _kept(verdict: Verdict) -> str:
    return "kept" if verdict.kept else "**missed**"
