"""The regression of an interrupted time series: its windows, their weights, and what is asked of its coefficients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from streams.inference.effect.window import Series

Numbers = npt.NDArray[np.float64]

Shape = Literal["trend", "step"]
"""`trend`: level and slope before, change of both. `step`: one mean before, another after."""

QUESTIONS: dict[Shape, tuple[str, ...]] = {
    "trend": ("trend_before", "level", "slope", "average", "at_end"),
    "step": ("step",),
}
"""What each shape is asked, in the order of the rows of `Design.questions`."""


@dataclass(frozen=True)
class Design:
    """A regression without its data. T windows, p coefficients, k questions.

    Attributes:
        columns: T × p.
        weights: T, of mean 1: the variance of a window is σ²/weight.
        gaps: T−1, periods from each window to the next.
        questions: k × p; each row times the coefficients is one answer.
    """

    columns: Numbers
    weights: Numbers
    gaps: Numbers
    questions: Numbers

    @property
    def spare(self) -> int:
        """Windows minus coefficients: residual degrees of freedom."""
        return int(self.columns.shape[0] - self.columns.shape[1])


def interrupted(series: Series, start: int, shape: Shape) -> Design:
    """Of windows before and from `start` on. Windows that are missing are gaps.

    `trend_before` is the slope before, per period; `level` the step at `start`; `slope` the change of the slope per
    period; `average` and `at_end` what both together make on average over the windows from `start` on, and in the last.
    """
    at = np.array([window.number - start for window in series], dtype=np.float64)
    weights = np.array([window.n for window in series], dtype=np.float64)
    after = (at >= 0).astype(np.float64)
    since, one = at[at >= 0], np.ones_like(at)
    if shape == "step":
        columns, questions = np.column_stack([one, after]), np.array([[0.0, 1.0]])
    else:
        columns = np.column_stack([one, at, after, after * at])
        questions = np.array(
            [[0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1], [0, 0, 1, since.mean()], [0, 0, 1, since.max()]],
            dtype=np.float64,
        )
    return Design(columns, weights / weights.mean(), np.diff(at), questions)


def last_windows(series: Series, count: int) -> Design:
    """Asks by how much the last `count` windows lie off those before them."""
    last = (np.arange(len(series)) >= len(series) - count).astype(np.float64)
    weights = np.array([window.n for window in series], dtype=np.float64)
    gaps = np.diff(np.array([window.number for window in series], dtype=np.float64))
    return Design(np.column_stack([np.ones_like(last), last]), weights / weights.mean(), gaps, np.array([[0.0, 1.0]]))
