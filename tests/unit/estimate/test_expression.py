"""The formula language, apart from the formulas written in it."""

from __future__ import annotations

import pytest

from schemas.method.expression import Name, largest, names, smallest, total, when
from schemas.method.formula import Draft, Formula
from streams.inference.estimate import compiled


def weighted_mean() -> Formula:
    draft = Draft("x", "w")
    x, w = draft.given()
    product = draft.let("product", x * w)
    mean = draft.let("mean", total(product) / total(w))
    distance = draft.let("distance", x - mean)
    spread = draft.let("spread", total(w * distance * distance))
    return draft.finished(mean=mean, spread=spread)


def test_sums_run_over_ties_and_other_steps_stay_per_tie() -> None:
    formula = weighted_mean()
    assert formula.per_tie == {"x", "w", "product", "distance"}
    assert compiled(formula, grouped=True)([1.0, 3.0], [3.0, 1.0]) == (1.5, 3.0)


def test_a_level_needs_earlier_levels_only() -> None:
    assert weighted_mean().levels == (("product",), ("mean",), ("distance",), ("spread",))


def test_plain_numbers_mix_on_both_sides() -> None:
    draft = Draft("x")
    (x,) = draft.given()
    y = draft.let("y", 1 + (2 - (3 * x) / 4) * (8 / x) - (x - 1) / 2 + x * 2)
    assert compiled(draft.finished(y=y), grouped=False)(2.0) == (1 + (2 - 6 / 4) * 4 - 0.5 + 4,)


def test_the_branch_not_taken_may_be_undefined() -> None:
    draft = Draft("x")
    (x,) = draft.given()
    y = draft.let("y", when(x > 0.0, 1.0 / x, smallest(x, largest(-3.0, x))))
    inverse = compiled(draft.finished(y=y), grouped=False)
    assert inverse(0.0) == (0.0,)
    assert inverse(4.0) == (0.25,)
    assert inverse(-5.0) == (-5.0,)


def test_a_name_is_defined_once_and_before_it_is_used() -> None:
    draft = Draft("x")
    (x,) = draft.given()
    with pytest.raises(ValueError, match="twice"):
        draft.let("x", x + 1.0)
    with pytest.raises(ValueError, match="before"):
        draft.let("y", Name("z") + 1.0)


def test_names_may_leave_out_those_in_sums() -> None:
    expression = total(Name("x")) + Name("y")
    assert list(names(expression)) == ["x", "y"]
    assert list(names(expression, inside_sums=False)) == ["y"]
