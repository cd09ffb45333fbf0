"""Laws of the estimate and its interval."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from method_page import page_beta, page_bounds

from streams.inference.estimate import NO_PRIOR, Estimate, Prior, estimate, interval, overall

relaxed = settings(deadline=None)  # a loaded machine is not a failure

priors = st.builds(
    Prior,
    mu=st.floats(1e-4, 1 - 1e-4),
    tau2=st.just(0.0) | st.floats(1e-12, 10.0),
    phi=st.floats(0.1, 30.0),
    k=st.sampled_from([0.0, 1.0, 3.0, 4.0, 5.0, 6.0, 12.0, 100.0, 2000.0, 1e6]),
    n_eff=st.floats(1.0, 1e9),
)
observations = st.floats(0.05, 1e9) | st.integers(1, 1000).map(float)
shares = st.sampled_from([0.0, 1.0]) | st.floats(0, 1)


@relaxed
@given(priors, observations, shares)
def test_estimate_lies_in_its_interval_and_all_within_zero_and_one(common: Prior, n: float, share: float) -> None:
    found = estimate(common, share * n, n)
    assert 0 < found.low <= found.estimate <= found.high < 1
    assert found.low < found.high
    assert found.variance > 0


@relaxed
@given(priors, observations, shares, shares)
def test_more_successes_never_lower_the_estimate(common: Prior, n: float, one: float, other: float) -> None:
    fewer, more = sorted((one, other))
    assert estimate(common, fewer * n, n).estimate <= estimate(common, more * n, n).estimate


@relaxed
@given(priors, observations, shares)
def test_failures_mirror_successes(common: Prior, n: float, share: float) -> None:
    s = round(share * n * 8) / 8
    n = max(round(n * 8) / 8, s, 0.125)
    here = estimate(common, s, n)
    there = estimate(common._replace(mu=1 - common.mu), n - s, n)
    assert here.estimate == pytest.approx(1 - there.estimate, abs=1e-9)
    assert here.low == pytest.approx(1 - there.high, abs=1e-7)


@relaxed
@given(priors, shares)
def test_without_observations_the_estimate_is_the_mean_of_the_prior(common: Prior, share: float) -> None:
    found = estimate(common, 0.0, 0.0)
    assert found.estimate == pytest.approx(common.mu if common.k >= 5 else 0.5)


@pytest.mark.parametrize("tau2", [0.0, 1e-6, 0.01, 0.05, 0.2])
@pytest.mark.parametrize("k", [3.0, 4.0, 5.0, 12.0, 2000.0])
def test_estimate_is_what_the_page_says(tau2: float, k: float) -> None:
    for mu, phi, n, share in itertools.product((0.05, 0.5, 0.95), (0.1, 1.0, 1.9), (1.0, 10.0, 60.0), (0, 0.3, 0.8, 1)):
        common = Prior(mu, tau2, phi, k, 20 * k)
        e, a, b = page_beta(share * n, n, *common)
        found = estimate(common, share * n, n)
        assert found.estimate == pytest.approx(e, rel=1e-12)
        assert (found.low, found.high) == pytest.approx(page_bounds(a, b), abs=1e-9)


def test_no_prior_is_a_jeffreys_interval() -> None:
    found = estimate(NO_PRIOR, 8, 10)
    # The 5 % and 95 % quantiles of Beta(8.5, 2.5), which is what Jeffreys' interval of 8 in 10 is.
    assert (found.low, found.estimate, found.high) == pytest.approx((0.5477, 8.5 / 11, 0.9407), abs=5e-4)


@pytest.mark.parametrize(("s", "n"), [(0, 20), (3, 20), (50, 60), (999, 1000)])
def test_a_symmetric_or_large_sample_is_nearly_normal_on_the_logit(s: float, n: float) -> None:
    found = estimate(NO_PRIOR, s, n)
    a, b = s + 0.5, n - s + 0.5
    if min(a, b) > 8:
        middle, sd = math.log(a / b), math.sqrt(1 / a + 1 / b)
        assert math.log(found.low / (1 - found.low)) == pytest.approx(middle - 1.645 * sd, abs=0.05)
    assert found.low < s / n + 1e-3
    assert found.high > s / n - 1e-3


def test_a_half_has_an_interval_around_a_half() -> None:
    found = estimate(NO_PRIOR, 10, 20)
    assert found.low + found.high == pytest.approx(1, abs=1e-12)


def test_a_mass_piled_up_at_an_edge_still_has_bounds() -> None:
    # The Beta is almost a point at 0 with a far tail: skewness on the logit is then -2, the most there is.
    low, high = interval(1e-4, 1e-4 / 1.6)
    assert 0 < low < 1e-4 < high < 1


def test_the_bounds_of_any_beta_are_in_order_around_its_mean() -> None:
    for logit, size_log2 in itertools.product(range(-14, 15), range(-1, 26)):
        mean = 1 / (1 + math.exp(-logit))
        low, high = interval(mean, mean * (1 - mean) / (1 + 2.0**size_log2))
        assert 0 < low < mean < high < 1


def test_more_ties_and_more_observations_narrow_the_interval() -> None:
    def width(found: Estimate) -> float:
        return found.high - found.low

    few, many = (Prior(0.8, 0.01, 1.0, k, 20 * k) for k in (6.0, 600.0))
    assert width(estimate(many, 16, 20)) < width(estimate(few, 16, 20)) < width(estimate(few, 8, 10))


def test_overdispersion_widens_the_interval() -> None:
    calm, clustered = (estimate(Prior(0.8, 0.01, phi, 50.0, 1000.0), 16, 20) for phi in (1.0, 1.9))
    assert clustered.high - clustered.low > calm.high - calm.low


def test_shrinkage_is_towards_the_prior_and_stronger_for_small_ties() -> None:
    common = Prior(0.8, 0.01, 1.0, 50.0, 1000.0)
    small, large = estimate(common, 2, 10), estimate(common, 20, 100)
    assert 0.2 < large.estimate < small.estimate < 0.8


@pytest.mark.parametrize("common", [NO_PRIOR, Prior(0.8, 0.01, 1.0, 50.0, 1000.0)])
def test_overall_of_one_dimension_is_that_dimension(common: Prior) -> None:
    found = estimate(common, 16, 20)
    assert overall([found]) == pytest.approx(found, rel=1e-9)


def test_overall_of_alike_dimensions_is_no_narrower_than_one() -> None:
    found = estimate(NO_PRIOR, 16, 20)
    assert overall([found] * 4) == pytest.approx(found, rel=1e-9)


def test_overall_needs_a_dimension() -> None:
    with pytest.raises(ValueError, match="dimension"):
        overall([])
