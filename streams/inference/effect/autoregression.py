"""Generalised least squares with AR(1) errors by restricted maximum likelihood, for many series of one design at once.

A window's error is σ/√weight times √(1−h)·u + √h·e: u an AR(1) of variance 1 with correlation ρ^gap between
windows, e independent noise of the window's own, such as counting few observations adds. Without that part a tie whose
quality wanders slowly looks as if it did not wander. ρ and h are looked for on a grid: the profile of the restricted
likelihood over it also says how uncertain they are.
Source: Harville, JASA 72 (1977) 320; Cheang and Reinsel, JASA 95 (2000) 1173 for REML of AR errors in short series.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.linalg import solve_triangular

from streams.inference.effect.design import Design, Numbers


class Correlation(NamedTuple):
    """ρ of neighbouring periods, and h, the share of the variance that is a window's own."""

    rho: float
    own: float


CORRELATIONS = (
    Correlation(0.0, 0.0),
    *(Correlation(rho / 100, own) for rho in (*range(10, 100, 10), 95) for own in (0.0, 0.4)),
)
"""Those that are tried. Negative ones are not: they would only make intervals shorter."""
LEAN = 0.3
_RHO = np.array([each.rho for each in CORRELATIONS])
_LEANING = (-LEAN * np.log(1 - _RHO) - np.log(np.where(_RHO > 0, 2, 1)))[:, None]
"""The restricted likelihood is multiplied by (1−ρ)^−LEAN, as short series show less correlation than they have, and for
each ρ shared among the values of h. Chosen by simulation: docs/method/effects.md has what comes of it."""


@dataclass(frozen=True)
class Fit:
    """B series fitted by a design with k questions, over the G `CORRELATIONS`.

    Attributes:
        best: B, the place of the most likely correlation.
        likely: G × B, the leaning restricted likelihood as weights that add up to 1.
        answers: k × B.
        errors: k × B, standard errors as if the correlation were known.
        spread: G × k, variance of the answers in units of σ².
        residual: G × B, weighted residual sum of squares.
    """

    best: npt.NDArray[np.intp]
    likely: Numbers
    answers: Numbers
    errors: Numbers
    spread: Numbers
    residual: Numbers


def factor(design: Design, correlation: Correlation) -> Numbers:
    """T × T, lower triangular: times independent noise of variance 1 it is the error of each window, σ being 1."""
    at = np.concatenate([[0.0], np.cumsum(design.gaps)])
    apart = np.abs(at[:, None] - at)
    carried = correlation.rho**apart if correlation.rho else np.eye(len(at))
    both = (1 - correlation.own) * carried + correlation.own * np.eye(len(at))
    lower: Numbers = np.linalg.cholesky(both) / np.sqrt(design.weights)[:, None]
    return lower


def fit(design: Design, values: Numbers) -> Fit:
    """REML of T × B values. Cost: T²·B·G; 5 ms for 24 windows and 1,000 series."""
    likelihood, residual, answers, spread = [], [], [], []
    for correlation in CORRELATIONS:
        lower = factor(design, correlation)
        columns = solve_triangular(lower, design.columns, lower=True, check_finite=False)
        white = solve_triangular(lower, values, lower=True, check_finite=False)
        basis, triangle = np.linalg.qr(columns)
        asked, along = design.questions @ np.linalg.inv(triangle), basis.T @ white
        left = np.maximum((white**2).sum(0) - (along**2).sum(0), 1e-30)
        volume = np.log(np.diag(lower)).sum() + np.log(np.abs(np.diag(triangle))).sum()
        likelihood.append(-volume - 0.5 * design.spare * np.log(left))
        residual.append(left)
        answers.append(asked @ along)
        spread.append((asked**2).sum(1))
    return _best(design, np.array(likelihood) + _LEANING, np.array(residual), np.array(answers), np.array(spread))


def _best(design: Design, likelihood: Numbers, residual: Numbers, answers: Numbers, spread: Numbers) -> Fit:
    best, each = likelihood.argmax(0), np.arange(likelihood.shape[1])
    likely = np.exp(likelihood - likelihood.max(0))
    errors = np.sqrt(spread[best].T * residual[best, each] / design.spare)
    return Fit(best, likely / likely.sum(0), answers[best, :, each].T, errors, spread, residual)


def degrees_of_freedom(design: Design, fitted: Fit) -> Numbers:
    """k × B, Satterthwaite's: 2 ÷ the variance of the log of the estimated variance of an answer.

    That variance is 2/(T−p) from σ², and over the restricted likelihood of the correlation what that adds to it.
    """
    logs = np.log(fitted.spread[:, :, None] * fitted.residual[:, None, :])
    weights = fitted.likely[:, None, :]
    center = (weights * logs).sum(0)
    adds: Numbers = (weights * (logs - center) ** 2).sum(0)
    degrees: Numbers = 2 / (2 / design.spare + adds)
    return degrees
