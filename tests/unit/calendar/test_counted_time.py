"""Counted time by example: weekends, holidays, clock changes, pauses."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from schemas.calendar import Calendar
from streams.inference.calendar import Interval, Pause, counted_pauses, due_at, merged, open_intervals
from tests.counted_time import counted_s

HOUR = 3600.0
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri")
BERLIN, NEW_YORK = "Europe/Berlin", "America/New_York"


def calendar(zone: str, /, *holidays: str, **hours: list[str]) -> Calendar:
    return Calendar.model_validate({"zone": zone, "hours": hours, "holidays": holidays})


def office(zone: str = "UTC", *holidays: str) -> Calendar:
    return calendar(zone, *holidays, **{day: ["08:00-17:00"] for day in WEEKDAYS})


def always(zone: str) -> Calendar:
    return calendar(zone, **{day: ["00:00-24:00"] for day in (*WEEKDAYS, "sat", "sun")})


def at(text: str, zone: str = "UTC", fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC)


def opened(hours: Calendar, start: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
    return [(a, b) for a, b in islice(open_intervals(hours, start), 60) if a < end]


def test_without_a_calendar_every_second_counts() -> None:
    start = at("2026-11-21T23:00")
    assert due_at(start, 90 * 60, None, (), 0) == at("2026-11-22T00:30")
    assert counted_s(start, at("2026-11-22T00:30"), None) == 90 * 60


def test_nothing_is_counted_backwards() -> None:
    late, early = at("2026-11-24T12:00"), at("2026-11-24T09:00")
    assert counted_s(late, early, None) == counted_s(late, early, office()) == 0


def test_friday_evening_is_due_on_monday() -> None:
    assert due_at(at("2026-11-20T16:30"), HOUR, office(), (), 0) == at("2026-11-23T08:30")


def test_a_target_reached_at_closing_time_is_due_then_and_not_next_morning() -> None:
    assert due_at(at("2026-11-20T16:00"), HOUR, office(), (), 0) == at("2026-11-20T17:00")


def test_a_target_of_zero_is_due_at_once_even_out_of_hours() -> None:
    assert due_at(at("2026-11-21T03:00"), 0, office(), (), 0) == at("2026-11-21T03:00")


def test_holidays_are_closed_on_the_local_date() -> None:
    hours = office(NEW_YORK, "2026-11-26")
    assert due_at(at("2026-11-25T16:00", NEW_YORK), 2 * HOUR, hours, (), 0) == at("2026-11-27T09:00", NEW_YORK)


def test_a_night_shift_is_two_intervals_and_counts_through_midnight() -> None:
    night = calendar(BERLIN, fri=["22:00-24:00"], sat=["00:00-06:00"])
    assert opened(night, at("2026-11-20T12:00", BERLIN), at("2026-11-21T12:00", BERLIN)) == [
        (at("2026-11-20T22:00", BERLIN), at("2026-11-21T00:00", BERLIN)),
        (at("2026-11-21T00:00", BERLIN), at("2026-11-21T06:00", BERLIN)),
    ]
    assert due_at(at("2026-11-20T23:00", BERLIN), 3 * HOUR, night, (), 0) == at("2026-11-21T02:00", BERLIN)


def test_a_holiday_takes_the_morning_end_of_a_night_shift() -> None:
    night = calendar(BERLIN, "2026-11-21", fri=["22:00-24:00"], sat=["00:00-06:00"])
    assert counted_s(at("2026-11-20T12:00", BERLIN), at("2026-11-22T12:00", BERLIN), night) == 2 * HOUR


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [(BERLIN, 29, 23), (BERLIN, 28, 24), (NEW_YORK, 8, 23), (NEW_YORK, 9, 24)],
)
def test_in_march_a_whole_day_is_as_long_as_it_was(zone: str, day: int, hours: int) -> None:
    midnight, next_midnight = at(f"2026-03-{day:02}T00:00", zone), at(f"2026-03-{day + 1:02}T00:00", zone)
    assert counted_s(midnight, next_midnight, always(zone)) == hours * HOUR


@pytest.mark.parametrize(("zone", "change"), [(BERLIN, "2026-10-25"), (NEW_YORK, "2026-11-01")])
def test_in_autumn_the_day_of_the_change_has_25_hours(zone: str, change: str) -> None:
    midnight = at(f"{change}T00:00", zone)
    assert counted_s(midnight, midnight + timedelta(days=2), always(zone)) == 48 * HOUR
    assert opened(always(zone), midnight, midnight + timedelta(hours=1)) == [(midnight, midnight + timedelta(hours=25))]


@pytest.mark.parametrize(("zone", "friday"), [(BERLIN, "2026-03-27"), (NEW_YORK, "2026-03-06")])
def test_business_hours_keep_their_local_clock_across_the_spring_change(zone: str, friday: str) -> None:
    due = due_at(at(f"{friday}T16:00", zone), 2 * HOUR, office(zone), (), 0)
    assert due == at(f"{friday}T16:00", zone) + timedelta(days=2, hours=17 - 1)
    assert due.astimezone(ZoneInfo(zone)).hour == 9


@pytest.mark.parametrize(("zone", "friday"), [(BERLIN, "2026-10-23"), (NEW_YORK, "2026-10-30")])
def test_business_hours_keep_their_local_clock_across_the_autumn_change(zone: str, friday: str) -> None:
    due = due_at(at(f"{friday}T16:00", zone), 2 * HOUR, office(zone), (), 0)
    assert due == at(f"{friday}T16:00", zone) + timedelta(days=2, hours=17 + 1)
    assert due.astimezone(ZoneInfo(zone)).hour == 9


@pytest.mark.parametrize(("zone", "jump"), [(BERLIN, "2026-03-29T03:00"), (NEW_YORK, "2026-03-08T03:00")])
def test_a_time_that_the_clock_skips_is_the_instant_of_the_jump(zone: str, jump: str) -> None:
    instant = at(jump, zone)
    split = calendar(zone, sun=["01:00-02:30", "02:30-06:00"])
    assert opened(split, instant - timedelta(hours=2), instant + timedelta(hours=9)) == [
        (instant - timedelta(hours=1), instant),
        (instant, instant + timedelta(hours=3)),
    ]


def test_a_shift_inside_the_skipped_hour_does_not_happen() -> None:
    skipped = calendar(BERLIN, sun=["02:00-03:00"])
    sunday = at("2026-03-29T00:00", BERLIN)
    assert counted_s(sunday, sunday + timedelta(hours=23), skipped) == 0
    assert due_at(sunday, HOUR, skipped, (), 0) == at("2026-04-05T03:00", BERLIN)


@pytest.mark.parametrize(("zone", "change"), [(BERLIN, "2026-10-25T02:30"), (NEW_YORK, "2026-11-01T01:30")])
def test_of_a_time_that_comes_twice_the_first_counts(zone: str, change: str) -> None:
    first, clock = at(change, zone), change[-5:]
    assert at(change, zone, fold=1) == first + timedelta(hours=1)
    split = calendar(zone, sun=[f"00:00-{clock}", f"{clock}-06:00"])
    (_, closes), (opens, end) = opened(split, first - timedelta(hours=1), first + timedelta(hours=9))
    assert closes == opens == first
    assert end == at(change[:10] + "T06:00", zone)


def test_where_midnight_is_skipped_the_day_starts_at_the_jump() -> None:
    beirut = "Asia/Beirut"  # 2026-03-29 begins at 01:00
    day = calendar(beirut, sun=["00:00-12:00"])
    assert counted_s(at("2026-03-28T12:00", beirut), at("2026-03-29T18:00", beirut), day) == 11 * HOUR


def test_a_date_that_a_zone_left_out_has_no_hours() -> None:
    apia = calendar("Pacific/Apia", fri=["00:00-24:00"])  # 2011-12-30 was a Friday that Samoa skipped
    assert counted_s(at("2011-12-29T00:00"), at("2012-01-01T00:00"), apia) == 0


def test_hours_go_on_across_the_months_and_years() -> None:
    start = at("2026-12-31T16:00")
    assert due_at(start, 9 * 24 * 9 * HOUR, office(), (), 0) > at("2027-10-01T00:00")
    assert due_at(start, 2 * HOUR, office(), (), 0) == at("2027-01-01T09:00")


def test_a_pause_moves_due_by_its_counted_part() -> None:
    pause = Pause(at("2026-11-20T16:45"), at("2026-11-23T08:15"))
    assert due_at(at("2026-11-20T16:30"), HOUR, office(), merged([pause]), 9 * HOUR) == at("2026-11-23T09:00")
    assert counted_s(at("2026-11-20T16:30"), at("2026-11-23T09:00"), office(), [pause]) == HOUR


def test_overlapping_pauses_count_once() -> None:
    start = at("2026-11-24T09:00")
    pauses = [Pause(start + timedelta(minutes=m), start + timedelta(minutes=m + 20)) for m in (15, 5, 10)]
    assert due_at(start, HOUR, None, merged(pauses), HOUR) == at("2026-11-24T10:30")


def test_pauses_end_to_end_extend_each_other() -> None:
    start = at("2026-11-24T09:00")
    pauses = [Pause(start, at("2026-11-24T10:00")), Pause(at("2026-11-24T10:00"), at("2026-11-24T11:00"))]
    assert due_at(start, HOUR, None, merged(pauses), 9 * HOUR) == at("2026-11-24T12:00")


def test_a_pause_counts_from_the_offer_on() -> None:
    start = at("2026-11-24T09:00")
    assert due_at(start, HOUR, None, merged([Pause(at("2026-11-24T07:00"), at("2026-11-24T09:10"))]), HOUR) == at(
        "2026-11-24T10:10"
    )


def test_a_pause_that_ends_before_it_starts_counts_for_nothing() -> None:
    start = at("2026-11-24T09:00")
    pause = Pause(at("2026-11-24T09:30"), at("2026-11-24T09:20"))
    assert due_at(start, HOUR, None, merged([pause]), HOUR) == at("2026-11-24T10:00")


def test_a_pause_that_begins_when_due_comes_changes_nothing() -> None:
    start = at("2026-11-24T09:00")
    assert due_at(start, HOUR, None, merged([Pause(at("2026-11-24T10:00"), None)]), 9 * HOUR) == at("2026-11-24T10:00")


def test_a_pause_that_begins_after_due_counts_once_an_earlier_pause_has_moved_due() -> None:
    start = at("2026-11-24T09:00")
    late = Pause(at("2026-11-24T10:10"), at("2026-11-24T10:40"))
    early = Pause(at("2026-11-24T09:30"), at("2026-11-24T09:50"))
    assert due_at(start, HOUR, None, merged([late]), HOUR) == at("2026-11-24T10:00")
    assert due_at(start, HOUR, None, merged([late, early]), HOUR) == at("2026-11-24T10:50")


def test_an_open_pause_lasts_until_the_maximum() -> None:
    start = at("2026-11-20T16:00")
    assert due_at(start, 2 * HOUR, office(), merged([Pause(at("2026-11-20T16:30"), None)]), HOUR) == at(
        "2026-11-23T10:00"
    )


def test_the_maximum_is_of_all_pauses_together() -> None:
    start = at("2026-11-24T09:00")
    pauses = [
        Pause(at("2026-11-24T09:10"), at("2026-11-24T09:30")),
        Pause(at("2026-11-24T09:40"), at("2026-11-24T10:30")),
    ]
    assert tuple(counted_pauses(start, None, merged(pauses), 1800)) == (
        pauses[0],
        Pause(at("2026-11-24T09:40"), at("2026-11-24T09:50")),
    )
    assert due_at(start, HOUR, None, merged(pauses), 1800) == at("2026-11-24T10:30")


def test_a_maximum_of_zero_counts_no_pause() -> None:
    start = at("2026-11-24T09:00")
    assert due_at(start, HOUR, office(), merged([Pause(start, None)]), 0) == at("2026-11-24T10:00")


def test_an_open_pause_stops_the_count() -> None:
    start, end = at("2026-11-23T09:00"), at("2026-12-24T09:00")
    assert counted_s(start, end, office(), [Pause(at("2026-11-23T10:00"), None)]) == HOUR


class Watched(tuple[Interval, ...]):
    """Counts how many of its pauses were asked for."""

    asked = 0

    def __getitem__(self, place: Any) -> Any:
        self.asked += 1
        return super().__getitem__(place)


@pytest.mark.parametrize("hours", [None, always("UTC")])
def test_of_ten_thousand_pauses_only_those_until_due_are_looked_at(hours: Calendar | None) -> None:
    first = at("2026-11-23T00:00")
    starts = [first + timedelta(minutes=n) for n in range(10_000)]
    pauses = Watched(merged(Pause(start, start + timedelta(seconds=30)) for start in starts))
    start = first + timedelta(minutes=5_000)
    assert due_at(start, 120, hours, pauses, 9 * HOUR) == start + timedelta(minutes=4)
    assert pauses.asked < 50


@pytest.mark.parametrize("seconds", [-1.0, float("nan"), float("inf")])
@pytest.mark.parametrize("hours", [None, office()])
def test_a_target_is_a_finite_duration(seconds: float, hours: Calendar | None) -> None:
    with pytest.raises((ValueError, OverflowError)):
        due_at(at("2026-11-24T09:00"), seconds, hours, (), 0)


def test_a_target_beyond_the_end_of_time_is_an_error_not_a_loop() -> None:
    with pytest.raises(OverflowError):
        due_at(at("9998-12-01T00:00"), 400 * HOUR, office(), (), 0)
