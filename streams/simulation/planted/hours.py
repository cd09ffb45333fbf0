"""When simulated people are at work. Written apart from the inference's calendar: each can show the other wrong."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from schemas.calendar import Calendar, shift_minutes

_LONGEST_DAYS = 4000


class Hours:
    """The open hours of one calendar; None is around the clock. Times are seconds since 1970."""

    def __init__(self, calendar: Calendar | None) -> None:
        self._calendar = calendar
        self._zone = ZoneInfo(calendar.zone) if calendar else None
        self._shifts = lru_cache(maxsize=4096)(self._shifts_of)

    def after(self, start: float, seconds: float) -> float:
        """The instant at which so many open seconds have passed since `start`; with 0, the next open instant.

        Raises: OverflowError: the calendar is closed for ten years.
        """
        if self._calendar is None:
            return start + seconds
        day = datetime.fromtimestamp(start, self._zone).date()
        for number in range(_LONGEST_DAYS):
            for opens, closes in self._shifts(day + timedelta(days=number)):
                begins = max(start, opens)
                if begins < closes and seconds <= closes - begins:
                    return begins + seconds
                seconds -= max(0.0, closes - begins)
        raise OverflowError("a calendar that never opens")

    def open_s(self, start: float, end: float) -> float:
        """Open seconds in [start, end)."""
        if self._calendar is None:
            return end - start
        first = datetime.fromtimestamp(start, self._zone).date()
        days = range(int((end - start) // 86400) + 2)
        shifts = (shift for number in days for shift in self._shifts(first + timedelta(days=number)))
        return sum(max(0.0, min(closes, end) - max(opens, start)) for opens, closes in shifts)

    def _shifts_of(self, day: date) -> list[tuple[float, float]]:
        """Open intervals of one local day. A time that the clock skips is read an hour later."""
        assert self._calendar is not None
        if day in self._calendar.holidays:
            return []
        shifts = self._calendar.hours.week()[day.weekday()]
        return [(self._at(day, opens), self._at(day, closes)) for opens, closes in map(shift_minutes, shifts)]

    def _at(self, day: date, minute: int) -> float:
        wall = datetime.combine(day, datetime.min.time()) + timedelta(minutes=minute)
        return wall.replace(tzinfo=self._zone).astimezone(UTC).timestamp()
