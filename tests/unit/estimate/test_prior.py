"""What ties have in common."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from fractions import Fraction

import pytest
from method_page import Items, page_prior

from schemas.method.tie import plus_half_factor, prior_formula
from streams.inference.estimate import Prior, TieSums, compiled, prior, tie_sums


def sums(items: Items) -> TieSums:
    return tie_sums((item, s_w / n_w) for item, (s_w, n_w) in enumerate(items) for _ in range(int(n_w)))


def singles(s: int, n: int) -> Items:
    return [(1.0, 1.0)] * s + [(0.0, 1.0)] * (n - s)


def drawn(seed: int, k: int, mu: float, m: float, per_item: int, icc: float) -> list[Items]:
    rng = random.Random(seed)
    ties: list[Items] = []
    for _ in range(k):
        p = rng.betavariate(mu * m, (1 - mu) * m)
        items = []
        for _ in range(rng.randint(1, 40)):
            q = rng.betavariate(p * (1 / icc - 1), (1 - p) * (1 / icc - 1)) if icc else p
            items.append((float(sum(rng.random() < q for _ in range(per_item))), float(per_item)))
        ties.append(items)
    return ties


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("k", [1, 2, 3, 5, 30])
@pytest.mark.parametrize(("per_item", "icc"), [(1, 0.0), (4, 0.0), (4, 0.3)])
def test_prior_is_what_the_page_says(seed: int, k: int, per_item: int, icc: float) -> None:
    ties = drawn(seed, k, (0.5, 0.8, 0.95)[seed % 3], (5, 20)[seed % 2], per_item, icc)
    assert prior([sums(items) for items in ties]) == pytest.approx(page_prior(ties), rel=1e-11, abs=1e-13)


@pytest.mark.parametrize("seed", range(6))
def test_the_factor_first_measured_is_kept_as_it_was(seed: int) -> None:
    ties = drawn(seed, 12, 0.8, 5, 4, 0.3)
    plus_half = compiled(prior_formula(plus_half_factor), grouped=True)
    columns = [list(column) for column in zip(*map(sums, ties), strict=True)]
    assert plus_half(*columns) == pytest.approx(page_prior(ties, plus_half=True), rel=1e-11, abs=1e-13)


def test_sums_of_a_tie_count_items_once() -> None:
    assert tie_sums([("a", 1.0), ("b", 0.5), ("a", 0.0), ("a", 1.0)]) == TieSums(
        s=2.5, n=4, items=2, ss=4.25, sn=6.5, nn=10
    )


def test_no_tie_has_nothing_in_common() -> None:
    assert prior(()) == Prior(mu=0.5, tau2=0.0, phi=1.0, k=0.0, n_eff=0.0)


def test_ties_without_observations_change_nothing() -> None:
    ties = [sums(items) for items in drawn(1, 7, 0.8, 5, 1, 0)]
    assert prior([*ties, TieSums(0, 0, 0, 0, 0, 0)]) == prior(ties)


def test_without_two_items_in_any_tie_there_is_no_variance_factor() -> None:
    assert prior([sums([(3.0, 4.0)]), sums([(1.0, 4.0)])]).phi == 1


def test_alike_ties_have_no_variance_between_them() -> None:
    assert prior([sums(singles(8, 10))] * 12).tau2 == 0


def test_one_tie_has_no_variance_between() -> None:
    assert prior([sums(singles(8, 10))]).tau2 == 0


def test_ties_that_differ_have_variance_between_them() -> None:
    assert prior([sums(singles(s, 20)) for s in (1, 5, 10, 15, 19)]).tau2 == pytest.approx(0.09, abs=0.04)


def test_variance_factor_recovers_the_design_effect() -> None:
    found = prior([sums(items) for items in drawn(7, 400, 0.8, 50, 4, 0.3)])
    assert found.phi == pytest.approx(1 + 3 * 0.3, rel=0.08)


@pytest.mark.parametrize("n", [10.0, 1e6, 1e12])
@pytest.mark.parametrize("s_per_n", [0.0, 1.0])
def test_where_nothing_ever_varies_there_is_no_variance_factor(n: float, s_per_n: float) -> None:
    s = s_per_n * n
    assert prior([TieSums(s, n, n, s, s, n)] * 5).phi == 1


def test_items_more_alike_than_chance_reach_the_floor() -> None:
    assert prior([sums([(2.0, 4.0)] * 20)] * 5).phi == 0.1


@pytest.mark.parametrize("n", [10, 10**3, 10**6, 10**9])
@pytest.mark.parametrize("failures", [1, 3])
def test_one_observation_per_item_has_a_variance_factor_of_one(n: int, failures: int) -> None:
    s = n - failures
    almost_all, almost_none = TieSums(s, n, n, s, s, n), TieSums(failures, n, n, failures, failures, n)
    assert prior([almost_all]).phi == pytest.approx(1, rel=1e-12)
    assert prior([almost_none, almost_all]).phi == pytest.approx(1, rel=1e-12)


@pytest.mark.parametrize("w", [12, 10**4, 10**8])
def test_variance_factor_keeps_its_precision_near_the_edge(w: int) -> None:
    # All items of 4 but one, which is 1 of 4, and its mirror image: 4 p(1-p) and the spread have a closed form.
    few = Fraction(3, 4 * w)
    spread = Fraction(w, w - 1) * ((3 - 4 * few) ** 2 + (w - 1) * (4 * few) ** 2)
    exact = float(spread / (4 * w * few * (1 - few) + spread / (4 * w)))
    almost_all = TieSums(4 * w - 3, 4 * w, w, 16 * (w - 1) + 1, 16 * (w - 1) + 4, 16 * w)
    assert prior([almost_all]).phi == pytest.approx(exact, rel=1e-12)
    assert prior([TieSums(3, 4 * w, w, 9, 12, 16 * w)]).phi == pytest.approx(exact, rel=1e-12)


def test_prior_does_not_depend_on_the_order_of_ties() -> None:
    ties: Sequence[TieSums] = [sums(items) for items in drawn(3, 60, 0.8, 5, 4, 0.3)]
    assert prior(ties) == prior(random.Random(1).sample(ties, len(ties)))


def test_effective_observations_are_observations_by_the_variance_factor() -> None:
    ties = [sums(items) for items in drawn(9, 20, 0.8, 5, 4, 0.3)]
    found = prior(ties)
    assert math.isclose(found.n_eff, sum(tie.n for tie in ties) / found.phi)
