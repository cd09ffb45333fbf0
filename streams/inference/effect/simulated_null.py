"""How far an answer goes off zero when nothing happened: series like the observed one, without a change, simulated.

ρ is drawn from the restricted likelihood of the observed series: the null at the fitted ρ alone is too narrow, because
ρ of a short series is mostly underestimated. The seed is fixed: equal input, equal interval.
"""

from __future__ import annotations

import numpy as np

from streams.inference.effect.autoregression import RHOS, fit
from streams.inference.effect.design import Design, Numbers

SEED = 20261123
SERIES = 1000


def half_widths(design: Design, likely: Numbers, level: float, series: int = SERIES) -> Numbers:
    """k values: the quantile of |answer ÷ standard error| that simulated series without a change stay below.

    Args:
        likely: G, the weight of each of `RHOS`.
        level: such as 0.95.
    """
    random = np.random.Generator(np.random.PCG64(SEED))
    rho = RHOS[np.searchsorted(np.cumsum(likely[:-1]), random.random(series), side="right")]
    fitted = fit(design, simulated(design, rho, random.standard_normal((len(design.weights), series))))
    quantiles: Numbers = np.quantile(np.abs(fitted.answers / fitted.errors), level, axis=1)
    return quantiles


def simulated(design: Design, rho: Numbers, noise: Numbers) -> Numbers:
    """T × B series about zero: AR(1) with a ρ for each, over the design's gaps, of variance 1/weight."""
    errors = noise.copy()
    for place, gap in enumerate(design.gaps, start=1):
        carried = rho**gap
        errors[place] = carried * errors[place - 1] + np.sqrt(1 - carried**2) * noise[place]
    scaled: Numbers = errors / np.sqrt(design.weights)[:, None]
    return scaled
