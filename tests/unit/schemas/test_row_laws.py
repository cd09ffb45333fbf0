"""Rows: a fuller fold wins, and every instant has one atom."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.rows import period_start, revision
from schemas.vocabulary import EARLIEST, LATEST, Period

folds = st.integers(0, 10_000)
instants = st.datetimes(datetime(1970, 1, 1), datetime(2109, 1, 1), timezones=st.just(UTC))
anytime = st.datetimes(datetime(1971, 1, 1), datetime(2199, 12, 1), timezones=st.just(UTC))
periods: st.SearchStrategy[Period] = st.sampled_from(["week", "month", "quarter"])


@given(folds, folds, instants, instants)
def test_more_events_win_whenever_they_were_folded(one: int, other: int, early: datetime, late: datetime) -> None:
    fewer, more = sorted((one, other))
    if fewer < more:
        assert revision(fewer, late) < revision(more, early)


@given(folds, instants, st.integers(1, 10**12))
def test_of_the_same_events_the_later_fold_wins(events: int, as_of: datetime, later_ms: int) -> None:
    later = min(as_of + timedelta(milliseconds=later_ms), datetime(2109, 1, 1, tzinfo=UTC))
    assert revision(events, as_of) <= revision(events, later)
    if later - as_of >= timedelta(milliseconds=1):
        assert revision(events, as_of) < revision(events, later)


@given(st.integers(0, 10**9), st.datetimes(timezones=st.just(UTC)))
def test_a_revision_fits_the_stores_integer(events: int, as_of: datetime) -> None:
    assert 0 < revision(events, as_of) < 2**64


def test_a_new_method_wins_over_any_fold(monkeypatch: pytest.MonkeyPatch) -> None:
    highest = revision(10**9, datetime(2190, 1, 1, tzinfo=UTC))
    monkeypatch.setattr("schemas.rows.METHOD_VERSION", "2")
    assert revision(0, EARLIEST) > highest


@given(anytime, periods)
def test_an_atom_begins_with_its_first_instant(at: datetime, period: Period) -> None:
    start = period_start(at, period)
    midnight = datetime(start.year, start.month, start.day, tzinfo=UTC)
    assert midnight <= at
    assert period_start(midnight, period) == start
    assert period_start(midnight - timedelta(microseconds=1), period) < start


@given(anytime, periods, st.integers(-23, 23))
def test_an_atom_does_not_depend_on_how_the_instant_is_written(at: datetime, period: Period, hours: int) -> None:
    assert period_start(at.astimezone(timezone(timedelta(hours=hours))), period) == period_start(at, period)


@given(anytime, anytime, periods)
def test_a_later_instant_is_never_in_an_earlier_atom(one: datetime, other: datetime, period: Period) -> None:
    assert period_start(min(one, other), period) <= period_start(max(one, other), period)


@pytest.mark.parametrize(
    ("at", "period", "start"),
    [
        ("2026-03-01T23:59:59Z", "week", date(2026, 2, 23)),
        ("2026-03-02T00:00:00Z", "week", date(2026, 3, 2)),
        ("2026-01-01T00:00:00Z", "week", date(2025, 12, 29)),
        ("2026-03-31T23:59:59Z", "month", date(2026, 3, 1)),
        ("2026-03-31T23:59:59Z", "quarter", date(2026, 1, 1)),
        ("2026-12-31T00:00:00Z", "quarter", date(2026, 10, 1)),
    ],
)
def test_atoms_are_calendar_periods(at: str, period: Period, start: date) -> None:
    assert period_start(datetime.fromisoformat(at), period) == start


def test_the_first_and_last_instants_have_atoms() -> None:
    assert period_start(EARLIEST, "week") == date(1969, 12, 29)
    assert period_start(LATEST - timedelta(microseconds=1), "quarter") == date(2199, 10, 1)
