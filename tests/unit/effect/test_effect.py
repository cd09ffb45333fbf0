from __future__ import annotations

import pytest

from streams.inference.effect.effect import effect_of
from streams.inference.effect.window import Window
from tests.unit.effect.histories import sloped, steady, stepped

START, LENGTH = 15, 30


def test_step_that_was_made_lies_in_its_interval() -> None:
    found = effect_of(stepped(steady(1, LENGTH), START, 0.15), START)
    assert found.alone is not None
    assert found.headline is not None
    assert found.headline.seen
    assert found.headline.low < 0.15 < found.headline.high
    assert found.verdict.startswith("higher afterwards than before")


def test_effect_does_not_depend_on_the_order_of_its_windows() -> None:
    series = stepped(steady(2, LENGTH, 0.4), START, 0.1)
    assert effect_of(series[::-1], START) == effect_of(series, START)


def test_equal_input_has_an_equal_answer() -> None:
    assert effect_of(steady(3, LENGTH), START) == effect_of(steady(3, LENGTH), START)


def test_steady_trend_is_no_effect_of_what_began_in_it() -> None:
    found = effect_of(sloped(steady(4, 40, sd=0.02), 0.01), 20)
    assert found.alone is not None
    assert found.alone.trend_before.clear
    assert not found.alone.average.seen
    assert found.verdict == "no change that can be told from the trend that was there before"


def test_step_beside_a_trend_is_found_against_the_trend() -> None:
    found = effect_of(stepped(sloped(steady(5, 40, sd=0.02), -0.01), 20, 0.3), 20)
    assert found.alone is not None
    assert found.alone.level.low < 0.3 < found.alone.level.high
    assert found.verdict == "higher afterwards than the trend before leads to expect"


def test_what_happened_to_untouched_ties_too_is_no_effect() -> None:
    everywhere = [stepped(steady(seed, LENGTH), START, 0.3) for seed in (6, 7, 8)]
    found = effect_of(everywhere[0], START, comparison=everywhere[1:])
    assert found.alone is not None
    assert found.alone.step.seen
    assert found.compared is not None
    assert not found.compared.step.seen
    assert found.ties_compared == 2
    assert found.verdict == "no change that can be told from common cause"


def test_tie_that_comes_and_goes_is_no_comparison() -> None:
    found = effect_of(steady(9, LENGTH), START, comparison=[steady(10, LENGTH)[::2]])
    assert found.compared is None
    assert "spillover possible" in found.notes


def test_comparison_tie_with_another_level_that_misses_windows_adds_no_step() -> None:
    series, other = steady(11, LENGTH, sd=0.02), steady(12, LENGTH, value=0.3, sd=0.02)
    low = [window for window in steady(13, LENGTH, value=0.9, sd=0.02) if window.number not in (16, 18, 20)]
    found = effect_of(series, START, comparison=[other, low])
    assert found.compared is not None
    assert abs(found.compared.step.estimate) < 0.03


@pytest.mark.parametrize(("before", "after", "exploratory"), [(12, 12, False), (11, 20, True), (20, 11, True)])
def test_effect_of_fewer_than_twelve_windows_on_a_side_is_exploratory(
    before: int, after: int, exploratory: bool
) -> None:
    found = effect_of(steady(14, before + after), before)
    assert ("exploratory" in found.notes) == exploratory


@pytest.mark.parametrize(("before", "after"), [(7, 20), (20, 4), (0, 20), (20, 0), (0, 0)])
def test_too_few_windows_have_no_estimate(before: int, after: int) -> None:
    found = effect_of(steady(15, before + after), before)
    assert found.alone is None
    assert found.headline is None
    assert found.verdict == f"not enough data: {before} of 8 windows before, {after} of 5 after"


def test_series_in_which_nothing_varies_has_no_estimate() -> None:
    flat = [Window(number, 1.0, 20) for number in range(LENGTH)]
    assert effect_of(flat, START).alone is None
    assert effect_of(stepped(flat, START, -0.5), START).alone is None
    assert effect_of(flat, START).verdict == "not enough data: nothing varies from window to window"


def test_bad_spell_before_the_start_is_said_and_not_used() -> None:
    series = steady(16, LENGTH)
    bad = [Window(number, value - 0.2 * (12 <= number < 15), n) for number, value, n in series]
    found, without = effect_of(bad, START), effect_of(series, START)
    assert "possible regression to the mean" in found.notes
    assert found.alone == without.alone


def test_windows_after_the_end_are_not_used() -> None:
    series = steady(17, 40)
    found = effect_of(series, START, end=30)
    assert found.after == 15
    assert found.alone == effect_of(series[:30], START).alone


def test_gap_in_the_numbers_is_a_gap_in_time() -> None:
    series = [window for window in stepped(steady(18, LENGTH), START, 0.2) if window.number not in (4, 5, 20)]
    found = effect_of(series, START)
    assert (found.before, found.after) == (13, 14)
    assert found.alone is not None
    assert found.alone.step.seen


def test_window_without_observations_is_no_window() -> None:
    assert effect_of([*steady(19, LENGTH), Window(99, 0.0, 0)], START).after == LENGTH - START


def test_two_windows_of_one_number_are_refused() -> None:
    with pytest.raises(ValueError, match="same number"):
        effect_of([*steady(20, LENGTH), Window(3, 0.5, 10)], START)


def test_window_of_few_observations_weighs_little() -> None:
    series = steady(21, LENGTH)
    odd = [Window(20, 0.0, 0.01) if window.number == 20 else window for window in series]
    one, other = effect_of(odd, START).alone, effect_of(series, START).alone
    assert one is not None
    assert other is not None
    assert one.step.estimate == pytest.approx(other.step.estimate, abs=0.02)


def test_what_is_told_of_the_registration_is_said() -> None:
    found = effect_of(steady(22, LENGTH), START, registered_late=True, other_intervention=True)
    assert {"registered late", "another intervention in these windows"} <= set(found.notes)
