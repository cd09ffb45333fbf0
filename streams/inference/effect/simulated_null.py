"""How far an answer goes off zero when nothing happened: series like the observed one, without a change, simulated.

The correlation is drawn from the restricted likelihood of the observed series: the null at the fitted one alone is too
narrow, because that of a short series is mostly too small. The seed is fixed: equal input, equal interval.
"""

from __future__ import annotations

import numpy as np

from streams.inference.effect.autoregression import CORRELATIONS, factor, fit
from streams.inference.effect.design import Design, Numbers

SEED = 20261123
SERIES = 1000


def half_widths(design: Design, likely: Numbers, level: float, series: int = SERIES) -> Numbers:
    """k values: the quantile of |answer ÷ standard error| that simulated series without a change stay below.

    Args:
        likely: G, the weight of each of `CORRELATIONS`.
        level: such as 0.95.
    """
    random = np.random.Generator(np.random.PCG64(SEED))
    drawn = np.searchsorted(np.cumsum(likely[:-1]), random.random(series), side="right")
    errors = random.standard_normal((len(design.weights), series))
    for place in np.unique(drawn):
        errors[:, drawn == place] = factor(design, CORRELATIONS[place]) @ errors[:, drawn == place]
    fitted = fit(design, errors)
    quantiles: Numbers = np.quantile(np.abs(fitted.answers / fitted.errors), level, axis=1)
    return quantiles
