"""Counted time: what passes on a calendar's clock, less the pauses that count.

When clocks change, a shift's start or end is *the first instant at which the local clock reads that time or later*. A
time that the clock skips is therefore the instant of the jump, and of a time that comes twice the first counts: shifts
that adjoin on the wall never overlap or leave a hole, and `00:00-24:00` lasts 23 or 25 hours on such a day.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from schemas.calendar import Calendar, shift_minutes

FOREVER = datetime.max.replace(tzinfo=UTC)
_LAST_YEAR = 9998

Interval = tuple[datetime, datetime]
"""Half-open, aware UTC, not empty."""


class Pause(NamedTuple):
    """Work stopped for a reason that counts: [start, end), aware UTC; `end` is None while it goes on."""

    start: datetime
    end: datetime | None


def merged(pauses: Iterable[Pause]) -> tuple[Interval, ...]:
    """Pauses in any order, overlapping or not, as disjoint intervals in order; an open one ends at `FOREVER`."""
    found: list[Interval] = []
    for opens, closes in sorted((pause.start, pause.end or FOREVER) for pause in pauses):
        if found and opens <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], closes))
        elif opens < closes:
            found.append((opens, closes))
    return tuple(found)


def due_at(
    start: datetime, target_s: float, calendar: Calendar | None, pauses: Sequence[Interval], max_pause_s: float
) -> datetime:
    """The earliest instant at which counted time since `start` reaches the target.

    With open(t) the seconds of the calendar in [start, t) and paused(t) those that lie in a pause, this is the first t
    with open(t) - min(max_pause_s, paused(t)) >= target_s. So a pause that begins at or after due changes nothing, and
    more pauses never bring due forward.

    Args:
        start: aware UTC, when the clock starts (the offer).
        target_s: seconds, 0 or more; 0 is due at once, even out of hours.
        calendar: the receiver's calendar; None is open around the clock.
        pauses: those whose reason and actor make them eligible, `merged`.
        max_pause_s: most calendar seconds that pauses may add in total, finite.

    Raises: ValueError: a negative or infinite number of seconds. OverflowError: due lies after the year 9998.
    Cost: microseconds, and some for each pause between start and due; plus about 10 µs per day and calendar the first
        time a month is looked at.
    """
    if calendar is None and not pauses and target_s >= 0:
        return start + timedelta(seconds=target_s)
    counted = counted_pauses(start, calendar, pauses, max_pause_s)
    return _reached(start, _duration(target_s), _without(open_intervals(calendar, start), counted))


def counted_pauses(
    start: datetime, calendar: Calendar | None, pauses: Sequence[Interval], max_pause_s: float
) -> Iterator[Interval]:
    """Of `merged` pauses what lies after `start`, cut where their calendar time in total reaches the maximum.

    Raises: ValueError: a negative or infinite maximum.
    """
    left = _duration(max_pause_s)
    for place in range(bisect_right(pauses, start, key=_end), len(pauses)):
        if not left:
            return
        opens, closes = max(pauses[place][0], start), pauses[place][1]
        for shift_opens, shift_closes in open_intervals(calendar, opens):
            if shift_opens >= closes:
                break
            counted = min(shift_closes, closes) - shift_opens
            if counted >= left:
                closes, left = shift_opens + left, timedelta()
                break
            left -= counted
        yield opens, closes


def open_intervals(calendar: Calendar | None, start: datetime) -> Iterator[Interval]:
    """The calendar's open hours from `start` on, in order and disjoint; neighbours may touch.

    Ends after the year 9998. No calendar is one interval.
    """
    if calendar is None:
        yield start, FOREVER
        return
    local = start.astimezone(ZoneInfo(calendar.zone))
    shifts = _month(calendar, local.year, local.month)
    for opens, closes in shifts[bisect_right(shifts, start, key=_end) :]:
        yield max(opens, start), closes
    for month in range(local.year * 12 + local.month, (_LAST_YEAR + 1) * 12):
        yield from _month(calendar, month // 12, month % 12 + 1)


def _end(interval: Interval) -> datetime:
    return interval[1]


def _duration(seconds: float) -> timedelta:
    if not 0 <= seconds < float("inf"):
        raise ValueError(f"not a duration: {seconds} s")
    return timedelta(seconds=seconds)


def _reached(start: datetime, target: timedelta, counted: Iterable[Interval]) -> datetime:
    if not target:
        return start
    for opens, closes in counted:
        if target <= closes - opens:
            return opens + target
        target -= closes - opens
    raise OverflowError(f"nothing is due after the year {_LAST_YEAR}")


def _without(intervals: Iterable[Interval], pauses: Iterator[Interval]) -> Iterator[Interval]:
    """What of `intervals` lies in none of the `pauses`; both in order and disjoint. Asks for no pause too early."""
    pause = next(pauses, None)
    for opens, closes in intervals:
        while pause is not None and opens < closes:
            paused, resumed = pause
            if paused >= closes:
                break
            if opens < paused:
                yield opens, paused
            opens = max(opens, resumed)
            if resumed > closes:
                break  # this pause reaches into the next interval
            pause = next(pauses, None)
        if opens < closes:
            yield opens, closes


@lru_cache(maxsize=4096)
def _month(calendar: Calendar, year: int, month: int) -> tuple[Interval, ...]:
    zone, week = ZoneInfo(calendar.zone), calendar.hours.week()
    first = date(year, month, 1)
    shifts: list[Interval] = []
    for day in (first + timedelta(days=n) for n in range(31)):
        if day.month != month or day in calendar.holidays:
            continue
        bounds = ((_instant(zone, day, minute) for minute in shift_minutes(shift)) for shift in week[day.weekday()])
        shifts.extend((opens, closes) for opens, closes in bounds if opens < closes)
    return tuple(shifts)


def _instant(zone: ZoneInfo, day: date, minute: int) -> datetime:
    """The first instant at which the local clock reads that minute of that day or later."""
    wall = datetime.combine(day, time()) + timedelta(minutes=minute)
    instant = wall.replace(tzinfo=zone).astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) == wall:
        return instant
    # The clock skips this reading. Read with the offset before the jump it lies after the jump, and the other way
    # round: the jump is between the two.
    before, after = wall.replace(tzinfo=zone, fold=1).astimezone(UTC), instant
    while after - before > timedelta(seconds=1):
        middle = before + timedelta(seconds=(after - before) // timedelta(seconds=2))
        before, after = (middle, after) if middle.astimezone(zone).replace(tzinfo=None) < wall else (before, middle)
    return after
