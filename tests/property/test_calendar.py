"""Laws of counted time over random calendars, zones and pauses."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.calendar import Calendar, shift_minutes
from streams.inference.calendar import Pause, counted_pauses, due_at, merged, open_intervals
from tests.counted_time import counted_s

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Asia/Beirut")
MINUTE = timedelta(minutes=1)
relaxed = settings(deadline=None)  # a loaded machine is not a failure
# Around the clock changes of 2026 in those zones, and a span without any.
ANCHORS = tuple(
    datetime(2026, month, day, tzinfo=UTC)
    for month, day in ((3, 7), (3, 28), (4, 4), (6, 1), (10, 3), (10, 24), (10, 31))
)


def clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


@st.composite
def shifts(draw: st.DrawFn) -> list[str]:
    marks = sorted(draw(st.sets(st.integers(0, 1440), max_size=6)))
    return [f"{clock(a)}-{clock(b)}" for a, b in zip(marks[::2], marks[1::2], strict=False)]


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    hours = {day: draw(shifts()) for day in DAYS}
    if not any(hours.values()):
        hours["wed"] = ["09:00-17:00"]
    days = st.dates(date(2026, 3, 1), date(2026, 11, 30))
    return Calendar.model_validate(
        {"zone": draw(st.sampled_from(ZONES)), "hours": hours, "holidays": draw(st.lists(days, max_size=3))}
    )


def instants(
    step: timedelta = timedelta(microseconds=1), span: timedelta = timedelta(days=4)
) -> st.SearchStrategy[datetime]:
    return st.builds(lambda anchor, n: anchor + n * step, st.sampled_from(ANCHORS), st.integers(0, span // step))


@st.composite
def pauses(draw: st.DrawFn, start: datetime, step: timedelta = timedelta(microseconds=1)) -> list[Pause]:
    days = timedelta(days=3) // step
    found = []
    for _ in range(draw(st.integers(0, 4))):
        begun = start + draw(st.integers(-days // 3, days)) * step
        lasts = draw(st.none() | st.integers(0, days))
        found.append(Pause(begun, None if lasts is None else begun + lasts * step))
    return found


maybe_calendars = st.none() | calendars()
targets_s = st.integers(0, 60 * 3600 * 10**6).map(lambda us: us / 1e6)


@relaxed
@given(maybe_calendars, instants(), targets_s, st.data())
def test_due_is_the_earliest_instant_that_reaches_the_target(
    calendar: Calendar | None, start: datetime, target_s: float, data: st.DataObject
) -> None:
    max_pause_s = data.draw(st.sampled_from([0.0, 60.0, 7200.0, 200_000.0]))
    found = data.draw(pauses(start))
    due = due_at(start, target_s, calendar, merged(found), max_pause_s)
    counted = [Pause(*pause) for pause in counted_pauses(start, calendar, merged(found), max_pause_s)]
    assert abs(counted_s(start, due, calendar, counted) - target_s) < 1.5e-6
    if target_s > 1e-5:
        just_before = due - timedelta(microseconds=2)
        assert counted_s(start, just_before, calendar, counted) < target_s


@relaxed
@given(maybe_calendars, st.lists(instants(span=timedelta(days=20)), min_size=3, max_size=3), st.data())
def test_counted_time_adds_up(calendar: Calendar | None, at: list[datetime], data: st.DataObject) -> None:
    start, middle, end = sorted(at)
    found = data.draw(pauses(start))
    parts = counted_s(start, middle, calendar, found) + counted_s(middle, end, calendar, found)
    assert abs(parts - counted_s(start, end, calendar, found)) < 1e-6


@relaxed
@given(maybe_calendars, instants(), targets_s, st.data())
def test_more_pauses_never_bring_due_forward(
    calendar: Calendar | None, start: datetime, target_s: float, data: st.DataObject
) -> None:
    some, more = data.draw(pauses(start)), data.draw(pauses(start))
    without = due_at(start, target_s, calendar, (), 7200)
    with_some = due_at(start, target_s, calendar, merged(some), 7200)
    assert without <= with_some <= due_at(start, target_s, calendar, merged([*more, *some]), 7200)


@relaxed
@given(maybe_calendars, instants(), targets_s, st.data())
def test_pauses_that_begin_at_or_after_due_change_nothing(
    calendar: Calendar | None, start: datetime, target_s: float, data: st.DataObject
) -> None:
    early = data.draw(pauses(start))
    due = due_at(start, target_s, calendar, merged(early), 7200)
    late = [Pause(max(pause.start, due), pause.end and max(pause.end, due)) for pause in data.draw(pauses(due))]
    assert due_at(start, target_s, calendar, merged([*early, *late]), 7200) == due


@relaxed
@given(maybe_calendars, instants(), targets_s, st.data())
def test_due_does_not_depend_on_the_order_of_pauses(
    calendar: Calendar | None, start: datetime, target_s: float, data: st.DataObject
) -> None:
    found = data.draw(pauses(start))
    shuffled = data.draw(st.permutations(found))
    assert due_at(start, target_s, calendar, merged(found), 7200) == due_at(
        start, target_s, calendar, merged(shuffled), 7200
    )


@relaxed
@given(calendars(), instants())
def test_open_intervals_are_in_order_and_disjoint(calendar: Calendar, start: datetime) -> None:
    last = start
    for opens, closes in open_intervals(calendar, start):
        assert last <= opens < closes
        last = closes
        if opens > start + timedelta(days=40):
            break


def open_at(calendar: Calendar | None, instant: datetime) -> bool:
    """By definition, not by intervals: has the local clock reached the start of a shift, and not yet its end?"""
    if calendar is None:
        return True
    now = instant.astimezone(ZoneInfo(calendar.zone))
    # In an hour that comes again, the clock has already read up to the end of its first pass.
    passed = range(61) if now.fold else (0,)
    reading = max((instant - n * MINUTE).astimezone(now.tzinfo).replace(tzinfo=None) for n in passed)
    minute = reading.hour * 60 + reading.minute
    shifts_today = calendar.hours.week()[reading.weekday()] if reading.date() not in calendar.holidays else ()
    return any(opens <= minute < closes for opens, closes in map(shift_minutes, shifts_today))


def stepped_due(
    start: datetime, target_s: int, calendar: Calendar | None, found: Sequence[Pause], max_pause_s: int
) -> datetime:
    counted = paused = 0
    instant = start
    while counted < target_s:
        if open_at(calendar, instant):
            in_pause = any(pause.start <= instant and (pause.end is None or instant < pause.end) for pause in found)
            if in_pause and paused < max_pause_s:
                paused += 60
            else:
                counted += 60
        instant += MINUTE
    return instant


@settings(relaxed, max_examples=60)
@given(maybe_calendars, instants(MINUTE), st.integers(0, 20 * 60), st.integers(0, 600), st.data())
def test_due_agrees_with_stepping_minute_by_minute(
    calendar: Calendar | None, start: datetime, target_min: int, max_pause_min: int, data: st.DataObject
) -> None:
    found = data.draw(pauses(start, MINUTE))
    if calendar is not None and sum(b - a for day in calendar.hours.week() for a, b in map(shift_minutes, day)) < 300:
        target_min, max_pause_min = target_min % 60, max_pause_min % 60
    expected = stepped_due(start, target_min * 60, calendar, found, max_pause_min * 60)
    assert due_at(start, target_min * 60, calendar, merged(found), max_pause_min * 60) == expected
