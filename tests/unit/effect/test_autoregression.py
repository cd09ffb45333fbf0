from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import ttest_ind

from streams.inference.effect.autoregression import CORRELATIONS, Correlation, degrees_of_freedom, factor, fit
from streams.inference.effect.design import interrupted
from streams.inference.effect.effect import effect_of
from streams.inference.effect.window import Window
from tests.unit.effect.histories import steady

EVEN = [Window(number, 0.0, 10) for number in range(200)]


def test_errors_have_the_correlation_and_variance_that_their_factor_says() -> None:
    windows = [Window(number, 0.0, 10 + 90 * (number % 2)) for number in range(30) if number % 7]
    design = interrupted(windows, 10, "step")
    lower = factor(design, Correlation(0.7, 0.4))
    covariance = lower @ lower.T
    assert np.diag(covariance) == pytest.approx(1 / design.weights)
    scaled = covariance[3, 5] * np.sqrt(design.weights[3] * design.weights[5])
    assert scaled == pytest.approx(0.6 * 0.7 ** (windows[5].number - windows[3].number))


def test_between_windows_far_apart_step_is_the_difference_of_weighted_means() -> None:
    shares = [(0.2, 10), (0.6, 30), (0.9, 20), (0.5, 5)]
    windows = [Window(500 * place, value, n) for place, (value, n) in enumerate(shares)]
    fitted = fit(interrupted(windows, 1000, "step"), np.array([[window.value] for window in windows]))
    assert fitted.answers[0, 0] == pytest.approx((18 + 2.5) / 25 - (2 + 18) / 40)


def test_without_correlation_error_is_that_of_the_plain_t_test() -> None:
    values = np.random.Generator(np.random.PCG64(5)).standard_normal(20)
    design = interrupted(EVEN[:20], 10, "step")
    fitted = fit(design, values[:, None])
    at_zero = np.sqrt(fitted.spread[0, 0] * fitted.residual[0, 0] / design.spare)
    assert values[10:].mean() - values[:10].mean() == pytest.approx(
        -ttest_ind(values[:10], values[10:]).statistic * at_zero
    )


@pytest.mark.parametrize("planted", [Correlation(0.0, 0.0), Correlation(0.6, 0.0), Correlation(0.9, 0.4)])
def test_correlation_of_a_long_series_is_found(planted: Correlation) -> None:
    design = interrupted(EVEN, 100, "trend")
    noise = np.random.Generator(np.random.PCG64(2)).standard_normal((200, 40))
    fitted = fit(design, factor(design, planted) @ noise)
    found = [CORRELATIONS[int(best)].rho for best in fitted.best]
    assert np.mean(found) == pytest.approx(planted.rho, abs=0.1)


def test_not_knowing_the_correlation_costs_degrees_of_freedom() -> None:
    near, far = (
        interrupted(EVEN[:40], 20, "step"),
        interrupted([Window(500 * at, 0, 1) for at in range(40)], 10000, "step"),
    )
    noise = np.random.Generator(np.random.PCG64(3)).standard_normal((40, 50))
    assert (degrees_of_freedom(near, fit(near, noise)) < near.spare).all()
    assert degrees_of_freedom(far, fit(far, noise)) == pytest.approx(far.spare)


@pytest.mark.parametrize("rho", [0.0, 0.6])
def test_what_does_nothing_is_seldom_seen_to_change_anything(rho: float) -> None:
    """5 % at most, here of 60 series: the study is in docs/validity.md."""
    headlines = [effect_of(steady(seed, 24, rho), 12).headline for seed in range(60)]
    assert sum(each is not None and each.seen for each in headlines) <= 6
