"""Prior, estimate and interval of a tie; the letters are those of docs/method.md#estimate-and-interval.

Two things are written differently from the page, and mean the same: an infinite m is a 1/m of 0, so that no infinity
enters the arithmetic; and Σ (s_w − p n_w)² over the items of a tie comes from stored sums, of the failures where p is
above a half, because squares of whole numbers add up exactly and the remaining subtraction then loses nothing.
"""

from __future__ import annotations

from collections.abc import Callable

from schemas.method.expression import Expr, Name, clipped, exp, largest, sqrt, total, when
from schemas.method.formula import Draft, Formula
from schemas.method.polygamma import polygamma

Z = 1.6449
"""Two-sided 90 %."""
FEW_TIES = 5
"""Below this many ties there is no shrinkage."""
_EDGE = 1e-4
_MOST_LOGIT = 36.0  # beyond it a double can't tell a bound from 1


def unbiased_factor(draft: Draft) -> Name:
    """φ = max(0.1, Σ A ÷ Σ (n p(1−p) + A/n)) over ties with W >= 2, A = W/(W−1)·Σ_items (s_w − p n_w)², p = s/n.

    For items of one size both sums are unbiased: A for the variance of s, and n p(1−p) + A/n for n times that of one
    observation, since A/n² is the variance that p takes from p(1−p). With one observation per item φ is exactly 1.
    """
    s, n, items, *_ = draft.given()
    seen = n > 0.0
    spread = _spread(draft, when(seen, s / n, 0.0), when(seen, (n - s) / n, 1.0))
    expected = when(items > 1.0, n * Name("p_") * Name("q_") + spread / n, 0.0)
    return _factor(draft, spread, expected)


def plus_half_factor(draft: Draft) -> Name:
    """φ as the method was first measured: p̃ = (s+½)/(n+1) in place of p, and no A/n in the denominator.

    Kept to compare with. Above 1 without any clustering (1.09 at 10 observations), and what it adds it takes from τ².
    """
    s, n, items, *_ = draft.given()
    spread = _spread(draft, (s + 0.5) / (n + 1.0), (n - s + 0.5) / (n + 1.0))
    return _factor(draft, spread, when(items > 1.0, n * Name("p_") * Name("q_"), 0.0))


def _spread(draft: Draft, p: Expr, q: Expr) -> Name:
    """W/(W−1)·Σ_items (s_w − p n_w)² with q = 1 − p; 0 where there is one item."""
    _, _, items, ss, sn, nn = draft.given()
    p, q = draft.let("p_", p), draft.let("q_", q)
    of_successes = ss - p * (2.0 * sn - p * nn)
    of_failures = (nn - 2.0 * sn + ss) - q * (2.0 * (nn - sn) - q * nn)
    squares = when(p > 0.5, of_failures, of_successes)
    return draft.let("spread", when(items > 1.0, items / (items - 1.0) * squares, 0.0))


def _factor(draft: Draft, spread: Name, expected: Expr) -> Name:
    all_expected = draft.let("expected", total(expected))
    return draft.let("phi", when(all_expected > 0.0, largest(0.1, total(spread) / all_expected), 1.0))


def prior_formula(factor: Callable[[Draft], Name] = unbiased_factor) -> Formula:
    """What the ties of one process and dimension have in common.

    Inputs per tie: `s` sum of values, `n` observations, `items` distinct work items, and over those items, with s_w and
    n_w the two sums of one item: `ss` Σ s_w², `sn` Σ s_w n_w, `nn` Σ n_w².
    Outputs per group: `mu`, `tau2`, `phi`, `k` (ties with an observation), `n_eff` (N).
    """
    draft = Draft("s", "n", "items", "ss", "sn", "nn")
    s, n, *_ = draft.given()
    phi = factor(draft)
    k = draft.let("k", total(when(n > 0.0, 1.0, 0.0)))
    mu = draft.let("mu", (total(s) + 0.5) / (total(n) + 1.0))
    v = draft.let("v", mu * (1.0 - mu))
    n_ = draft.let("n_", n / phi)
    big_n = draft.let("big_n", total(n_))
    between = draft.let("between", total(when(n > 0.0, n_ * _square(s / n - mu), 0.0)))
    n0 = draft.let("n0", when(k > 1.0, (big_n - total(n_ * n_) / big_n) / (k - 1.0), 0.0))
    tau2 = draft.let("tau2", when(n0 > 1.0, largest(0.0, (between / (k - 1.0) - v) / (n0 - 1.0)), 0.0))
    return draft.finished(mu=mu, tau2=tau2, phi=phi, k=k, n_eff=big_n)


def estimate_formula() -> Formula:
    """One tie's estimate with its 90 % interval.

    Inputs: the tie's `s` and `n`, and the prior's `mu`, `tau2`, `phi`, `k`, `n_eff`; all zero where there is no prior.
    Outputs: `estimate`, `low`, `high`, all in (0, 1), and `variance`. Without an observation the estimate is
    the prior's mean; whether to show it is the caller's question.
    """
    draft = Draft("s", "n", "mu", "tau2", "phi", "k", "n_eff")
    s, n, mu, tau2, phi, k, n_eff = draft.given()
    few = k < FEW_TIES
    f = draft.let("f", when(phi > 0.0, phi, 1.0))
    n_ = draft.let("n_", n / f)
    p = draft.let("p", when(n > 0.0, s / n, mu))
    v = draft.let("v", mu * (1.0 - mu))
    # m = max(½, v/τ² − 1), so ½ from τ² = ⅔ v on; 1/m = 0 where τ² is.
    inv_m = draft.let("inv_m", when(3.0 * tau2 < 2.0 * v, tau2 / (v - tau2), 2.0))
    b_ = draft.let("b_", when(few, 0.0, (k - 3.0) / (k - 1.0) / (n_ * inv_m + 1.0)))
    of_prior = b_ * b_ * (v / n_eff + tau2 / k + 2.0 * _square(p - mu) / (k - 3.0))

    jeffreys = (s / f + 0.5) / (n_ + 1.0)
    e = draft.let("e", when(few, jeffreys, clipped(p + b_ * (mu - p), _EDGE, 1.0 - _EDGE)))
    own = draft.let("own", e * (1.0 - e))
    shrunken = own * (1.0 - b_) / (n_ + 1.0 - b_) + of_prior
    variance = draft.let("variance", when(few, own / (n_ + 2.0), shrunken))
    low, high = _interval(draft, e, own, variance)
    return draft.finished(estimate=e, low=low, high=high, variance=variance)


def interval_formula() -> Formula:
    """The 90 % interval of a share in (0, 1) with a variance: that of the Beta with these two moments.

    Inputs: `e`, `variance`. Outputs: `low`, `high`.
    """
    draft = Draft("e", "variance")
    e, variance = draft.given()
    low, high = _interval(draft, e, draft.let("own", e * (1.0 - e)), variance)
    return draft.finished(low=low, high=high)


def _interval(draft: Draft, e: Name, own: Name, variance: Name) -> tuple[Name, Name]:
    size = draft.let("size", largest(0.5, own / variance - 1.0))
    a, b = draft.let("a", e * size), draft.let("b", (1.0 - e) * size)
    a_psi, a_psi1, a_psi2 = polygamma(draft, a)
    b_psi, b_psi1, b_psi2 = polygamma(draft, b)
    mean = draft.let("mean", a_psi - b_psi)
    variance_of_logit = draft.let("variance_of_logit", a_psi1 + b_psi1)
    sd = draft.let("sd", sqrt(variance_of_logit))
    g = draft.let("g", (a_psi2 - b_psi2) / (variance_of_logit * sd))
    low, high = (_logistic(mean + sd * _cornish_fisher(q, g)) for q in (-Z, Z))
    return draft.let("low", low), draft.let("high", high)


def _cornish_fisher(q: float, g: Name) -> Expr:
    return q + (q * q - 1.0) / 6.0 * g - (2.0 * q**3 - 5.0 * q) / 36.0 * (g * g)


def _logistic(x: Expr) -> Expr:
    return 1.0 / (1.0 + exp(-1.0 * clipped(x, -_MOST_LOGIT, _MOST_LOGIT)))


def _square(x: Expr) -> Expr:
    return x * x
