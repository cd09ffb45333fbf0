"""Series from points of control charts: which windows, which comparison, which notes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from deploy.composition.effects import EffectOnTie, effects, period_number, period_of_number
from schemas.vocabulary import Period
from tests.unit.effect.histories import steady, stepped
from tests.unit.interventions.test_registering import row

FIRST = datetime(2026, 1, 5, tzinfo=UTC)
BEGAN = FIRST + timedelta(weeks=15)


class Store:
    """A reader of weekly points of some ties, and of interventions."""

    def __init__(self, points: Mapping[tuple[str, str], Any], *interventions: Mapping[str, Any]) -> None:
        self._interventions = list(interventions)
        self._points = [
            {
                **{"communicator_role": tie[0], "experiencer_role": tie[1], "dimension": "accuracy"},
                **{"origin": "explicit", "period_start": FIRST + timedelta(weeks=window.number)},
                **{"value": window.value, "n": window.n},
            }
            for tie, series in points.items()
            for window in series
        ]

    def rows(self, sql: str) -> list[Mapping[str, Any]]:
        if "FROM quality_processes" in sql:
            return [{"period": "week"}]
        if "FROM tie_control" in sql:
            return list(self._points)
        wanted = re.search(r"intervention = '([^']*)'", sql)
        return [row for row in self._interventions if wanted is None or row["intervention"] == wanted[1]]


def change(**fields: Any) -> dict[str, Any]:
    return row(started_at=BEGAN, registered_at=BEGAN, ties=[["a", "b"]], intervention="i1") | fields


def only(found: list[EffectOnTie]) -> EffectOnTie:
    (one,) = found
    return one


POINTS = {
    ("a", "b"): stepped(steady(4, 30), 15, 0.3),
    ("c", "d"): steady(2, 30),
    ("b", "c"): steady(3, 30),
}


def test_effect_is_found_on_the_touched_tie_beside_those_that_share_no_role() -> None:
    found = only(effects(Store(POINTS, change()), intervention="i1"))
    assert found.series[:2] == ("a", "b")
    assert found.effect.ties_compared == 1
    assert found.effect.headline is not None
    assert found.effect.headline.low < 0.3 < found.effect.headline.high
    assert found.effect.notes == ()
    assert (found.from_at, found.to_at) == (FIRST, FIRST + timedelta(weeks=30))


def test_change_of_the_whole_process_touches_every_tie_and_has_no_comparison() -> None:
    found = effects(Store(POINTS, change(ties=[])))
    assert [each.series[:2] for each in found] == [("a", "b"), ("b", "c"), ("c", "d")]
    assert all("spillover possible" in each.effect.notes for each in found)


def test_period_in_which_a_change_began_is_on_neither_side() -> None:
    found = only(effects(Store(POINTS, change(started_at=BEGAN + timedelta(days=3)))))
    assert (found.effect.before, found.effect.after) == (15, 14)
    at_once = only(effects(Store(POINTS, change())))
    assert (at_once.effect.before, at_once.effect.after) == (15, 15)


def test_period_in_which_a_change_ended_is_not_used() -> None:
    found = only(effects(Store(POINTS, change(ended_at=BEGAN + timedelta(weeks=10, days=1)))))
    assert found.effect.after == 10
    assert found.to_at == BEGAN + timedelta(weeks=10)


@pytest.mark.parametrize(("days", "late"), [(0, False), (0.9, False), (1, True), (90, True)])
def test_registered_late_is_a_day_after_the_first_window_began(days: float, late: bool) -> None:
    found = only(effects(Store(POINTS, change(registered_at=BEGAN + timedelta(days=days)))))
    assert ("registered late" in found.effect.notes) == late


def test_other_change_of_the_tie_in_these_windows_is_said() -> None:
    other = change(intervention="i2", started_at=FIRST + timedelta(weeks=5))
    found = only(effects(Store(POINTS, change(), other), intervention="i1"))
    assert "another intervention in these windows" in found.effect.notes


def test_tie_that_another_change_touched_is_no_comparison() -> None:
    other = change(intervention="i2", started_at=FIRST + timedelta(weeks=20), ties=[["c", "d"]])
    found = only(effects(Store(POINTS, change(), other), intervention="i1"))
    assert found.effect.compared is None
    assert found.effect.notes == ("spillover possible",)


def test_tie_without_points_has_no_row() -> None:
    assert effects(Store(POINTS, change(ties=[["x", "y"]]))) == []


@pytest.mark.parametrize("period", ["week", "month", "quarter"])
def test_periods_are_numbered_one_after_the_other(period: Period) -> None:
    at, numbers = datetime(1995, 11, 30, 23, 59, tzinfo=UTC), set()
    for day in range(1200):
        number = period_number(at + timedelta(days=day), period)
        numbers.add(number)
        assert period_of_number(number, period) <= at + timedelta(days=day) < period_of_number(number + 1, period)
    assert len(numbers) == max(numbers) - min(numbers) + 1
