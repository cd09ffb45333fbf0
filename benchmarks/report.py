"""What benchmarks found: figures over repetitions, their targets, the table."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

import psutil
from rich.console import Console
from rich.table import Table

from streams.inference import facts


@dataclass(frozen=True)
class Figure:
    """One measure with its value in each repetition.

    Attributes:
        at_least, at_most: the target, if there is one; the median has to meet it.
    """

    benchmark: str
    measure: str
    unit: str
    values: tuple[float, ...]
    at_least: float | None = None
    at_most: float | None = None

    @property
    def median(self) -> float:
        return median(self.values)

    @property
    def target(self) -> str:
        if self.at_least is not None:
            return f"≥ {self.at_least:g}"
        return f"≤ {self.at_most:g}" if self.at_most is not None else ""

    @property
    def met(self) -> bool:
        low = self.at_least is None or self.median >= self.at_least
        return low and (self.at_most is None or self.median <= self.at_most)


def figure(benchmark: str, measure: str, unit: str, values: Sequence[float], **target: float) -> Figure:
    """A figure; `target` is `at_least` or `at_most`."""
    return Figure(benchmark, measure, unit, tuple(values), **target)


def machine() -> dict[str, str | float]:
    """The class of machine, nothing that names it; and whether decode and fold are compiled (deploy.compiled_wheel)."""
    return {
        "cores": os.cpu_count() or 0,
        "memory_gib": round(psutil.virtual_memory().total / 2**30),
        "architecture": platform.machine(),
        "system": platform.system(),
        "python": platform.python_version(),
        "load_before": round(os.getloadavg()[0], 1),
        "core": "interpreted" if (facts.__file__ or "").endswith(".py") else "compiled",
    }


def as_json(figures: Sequence[Figure], about: dict[str, Any]) -> dict[str, Any]:
    """Everything, for a file."""
    listed = [asdict(one) | {"median": one.median, "met": one.met if one.target else None} for one in figures]
    return {**about, "figures": listed}


def show(console: Console, figures: Sequence[Figure]) -> None:
    """The table. Bold red: a target that is missed."""
    table = Table("benchmark", "measure", "median", "lowest", "highest", "runs", "unit", "target")
    for column in table.columns[2:6]:
        column.justify = "right"
    previous = ""
    for one in figures:
        if previous and one.benchmark != previous:
            table.add_section()
        style = "" if one.met else "bold red"
        name = one.benchmark if one.benchmark != previous else ""
        cells = [_number(value) for value in (one.median, min(one.values), max(one.values))]
        target = f"{one.target} {'met' if one.met else 'MISSED'}" if one.target else ""
        table.add_row(name, one.measure, *cells, str(len(one.values)), one.unit, target, style=style)
        previous = one.benchmark
    console.print(table)


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
