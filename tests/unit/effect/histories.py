"""Builders of series around an intervention."""

from __future__ import annotations

import numpy as np

from streams.inference.effect.window import Window


def steady(seed: int, length: int, rho: float = 0.0, value: float = 0.8, sd: float = 0.05) -> list[Window]:
    """A tie whose windows vary about one value, neighbours alike by `rho`; 50 observations in each."""
    noise = np.random.Generator(np.random.PCG64(seed)).standard_normal(length)
    errors = noise.copy()
    for place in range(1, length):
        errors[place] = rho * errors[place - 1] + np.sqrt(1 - rho**2) * noise[place]
    return [Window(number, float(value + sd * error), 50) for number, error in enumerate(errors)]


def stepped(series: list[Window], start: int, by: float) -> list[Window]:
    """The same with a step."""
    return [Window(number, value + by * (number >= start), n) for number, value, n in series]


def sloped(series: list[Window], by: float) -> list[Window]:
    """The same with a trend from its first window on."""
    return [Window(number, value + by * number, n) for number, value, n in series]
