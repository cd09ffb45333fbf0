"""All studies, in the order of the page."""

from __future__ import annotations

from benchmarks.validity.charts import CHARTS
from benchmarks.validity.coverage import COVERAGE
from benchmarks.validity.effects import EFFECTS
from benchmarks.validity.page import page, read
from benchmarks.validity.recovery import RECOVERY
from benchmarks.validity.robustness import ROBUSTNESS
from benchmarks.validity.study import Study, prose

STUDIES: tuple[Study, ...] = (RECOVERY, COVERAGE, CHARTS, EFFECTS, ROBUSTNESS)


def written() -> str:
    """docs/validity.md from the committed figures of all studies."""
    return page(STUDIES, {study.name: read(study) for study in STUDIES}, prose("invariance"))
