"""Untouched ties as comparison: what happened to them in the same periods is taken off the touched tie."""

from __future__ import annotations

from collections.abc import Sequence

from streams.inference.effect.window import Series, Window, mean, ordered

PRESENT = 0.8
"""The share of the touched tie's windows that a comparison tie has to be in: one that comes and goes adds steps."""


def usable(series: Series, others: Sequence[Series]) -> list[list[Window]]:
    """The comparison ties that are there often enough, before and after alike."""
    numbers = {window.number for window in series}
    kept = ([window for window in ordered(other) if window.number in numbers] for other in others)
    return [other for other in kept if len(other) >= PRESENT * len(numbers)]


def difference(series: Series, others: Sequence[Series]) -> list[Window]:
    """The touched tie minus the comparison ties, window by window.

    Each comparison tie counts as its distance from its own mean, weighted by n, so that one that is missing in a
    window moves nothing. n is what the difference of two shares is as uncertain as: 1/(1/n₁ + 1/n₂).
    """
    sums: dict[int, tuple[float, float]] = {}
    for other in others:
        center = mean(other)
        for window in other:
            s, n = sums.get(window.number, (0.0, 0.0))
            sums[window.number] = s + (window.value - center) * window.n, n + window.n
    return [
        Window(number, value - sums[number][0] / sums[number][1], 1 / (1 / n + 1 / sums[number][1]))
        for number, value, n in series
        if number in sums
    ]
