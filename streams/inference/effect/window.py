"""One period of one tie as the effect of an intervention is judged by: as counted, never drawn towards a prior."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple


class Window(NamedTuple):
    """One ripe, publishable period.

    Attributes:
        number: of the period, counted in periods from anywhere; a gap in the numbers is a gap in time.
        value: s/n, the share that went well; of a difference to other ties it may be negative.
        n: observations, the weight of the window.
    """

    number: int
    value: float
    n: float


Series = Sequence[Window]
"""Windows of one tie and dimension by number, each number once."""


def ordered(series: Series) -> list[Window]:
    """The windows that can be used, by number.

    Raises: ValueError: two windows have one number.
    """
    windows = sorted(window for window in series if window.n > 0)
    if len({window.number for window in windows}) < len(windows):
        raise ValueError("two windows of one series have the same number")
    return windows


def mean(series: Collection[Window]) -> float:
    """Σs/Σn. Raises: ZeroDivisionError: no window."""
    return sum(window.value * window.n for window in series) / sum(window.n for window in series)
