"""Prior, estimate and interval of a tie; the letters are those of docs/method.md#estimate-and-interval.

Two things are written differently from the page, and mean the same: an infinite m is a 1/m of 0, so that no infinity
enters the arithmetic; and Σ (s_w − p̃ n_w)² over the items of a tie comes from stored sums, of the failures where p̃ is
above a half, because squares of whole numbers add up exactly and the remaining subtraction then loses nothing.
"""

from __future__ import annotations

from schemas.method.expression import Expr, Name, clipped, exp, largest, sqrt, total, when
from schemas.method.formula import Draft, Formula
from schemas.method.polygamma import polygamma

Z = 1.6449
"""Two-sided 90 %."""
FEW_TIES = 5
"""Below this many ties there is no shrinkage."""
_EDGE = 1e-4
_MOST_LOGIT = 36.0  # beyond it a double can't tell a bound from 1


def prior_formula() -> Formula:
    """What the ties of one process and dimension have in common.

    Inputs per tie: `s` sum of values, `n` observations, `items` distinct work items, and over those items, with s_w and
    n_w the two sums of one item: `ss` Σ s_w², `sn` Σ s_w n_w, `nn` Σ n_w².
    Outputs per group: `mu`, `tau2`, `phi`, `k` (ties with an observation), `n_eff` (N).
    """
    draft = Draft("s", "n", "items", "ss", "sn", "nn")
    s, n, items, ss, sn, nn = draft.given()
    p_ = draft.let("p_", (s + 0.5) / (n + 1.0))
    q_ = draft.let("q_", (n - s + 0.5) / (n + 1.0))
    of_successes = ss - p_ * (2.0 * sn - p_ * nn)
    of_failures = (nn - 2.0 * sn + ss) - q_ * (2.0 * (nn - sn) - q_ * nn)
    spread = when(items > 1.0, items / (items - 1.0) * when(p_ > 0.5, of_failures, of_successes), 0.0)
    spreads = draft.let("spreads", total(spread))
    expected = draft.let("expected", total(when(items > 1.0, n * p_ * q_, 0.0)))
    phi = draft.let("phi", when(expected > 0.0, largest(0.1, spreads / expected), 1.0))

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
