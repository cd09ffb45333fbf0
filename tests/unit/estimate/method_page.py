"""The method page transcribed step by step, with its infinities and from the items themselves: what the formulas mean.

ψ and its derivatives come from a recurrence of a thousand steps instead of the formulas' six.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

Items = Sequence[tuple[float, float]]
"""(s_w, n_w) of each work item of a tie."""


def page_prior(ties: Sequence[Items], plus_half: bool = False) -> tuple[float, float, float, float, float]:
    sums = [(sum(s for s, _ in items), sum(n for _, n in items), len(items)) for items in ties]
    above = below = 0.0
    for items, (s, n, w) in zip(ties, sums, strict=True):
        if w >= 2:
            p_ = (s + 0.5) / (n + 1) if plus_half else s / n
            spread = w / (w - 1) * sum((s_w - p_ * n_w) ** 2 for s_w, n_w in items)
            above += spread
            below += n * p_ * (1 - p_) + (0 if plus_half else spread / n)
    phi = max(0.1, above / below) if below else 1.0
    seen = [(s / n, n / phi) for s, n, _ in sums if n]
    k, big_n = len(seen), sum(n_ for _, n_ in seen)
    mu = (sum(s for s, _, _ in sums) + 0.5) / (sum(n for _, n, _ in sums) + 1)
    tau2 = 0.0
    if k > 1:
        n0 = (big_n - sum(n_**2 for _, n_ in seen) / big_n) / (k - 1)
        if n0 > 1:
            tau2 = max(0.0, (sum(n_ * (p - mu) ** 2 for p, n_ in seen) / (k - 1) - mu * (1 - mu)) / (n0 - 1))
    return mu, tau2, phi, float(k), big_n


def page_beta(
    s: float, n: float, mu: float, tau2: float, phi: float, k: float, big_n: float
) -> tuple[float, float, float]:
    """e, a, b."""
    n_ = n / phi
    if k < 5:
        a, b = s / phi + 0.5, n_ - s / phi + 0.5
        return a / (a + b), a, b
    v, p = mu * (1 - mu), s / n
    m = max(0.5, v / tau2 - 1) if tau2 else math.inf
    b_ = (k - 3) / (k - 1) * (1.0 if m == math.inf else m / (n_ + m))
    e = min(max(p + b_ * (mu - p), 1e-4), 1 - 1e-4)
    variance = e * (1 - e) / (n_ / (1 - b_) + 1) + b_**2 * (v / big_n + tau2 / k) + 2 * b_**2 * (p - mu) ** 2 / (k - 3)
    size = max(0.5, e * (1 - e) / variance - 1)
    return e, e * size, (1 - e) * size


def page_bounds(a: float, b: float) -> tuple[float, float]:
    mean = _psi(a) - _psi(b)
    sd = math.sqrt(_psi1(a) + _psi1(b))
    g = (_psi2(a) - _psi2(b)) / sd**3

    def c(q: float) -> float:
        return q + (q**2 - 1) * g / 6 - (2 * q**3 - 5 * q) * g**2 / 36

    low, high = (1 / (1 + math.exp(-mean - sd * c(q))) for q in (-1.6449, 1.6449))
    return low, high


def _psi(x: float) -> float:
    y = x + 1000
    return math.log(y) - 1 / (2 * y) - 1 / (12 * y**2) - math.fsum(1 / (x + i) for i in range(1000))


def _psi1(x: float) -> float:
    y = x + 1000
    return 1 / y + 1 / (2 * y**2) + 1 / (6 * y**3) + math.fsum(1 / (x + i) ** 2 for i in range(1000))


def _psi2(x: float) -> float:
    y = x + 1000
    return -1 / y**2 - 1 / y**3 - 1 / (2 * y**4) - 2 * math.fsum(1 / (x + i) ** 3 for i in range(1000))
