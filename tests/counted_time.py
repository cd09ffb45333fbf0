"""Counted time by its definition: what passes on a calendar's clock and in no pause."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from schemas.calendar import Calendar
from streams.inference.calendar import Pause, merged, open_intervals


def counted_s(start: datetime, end: datetime, calendar: Calendar | None, pauses: Sequence[Pause] = ()) -> float:
    """Seconds in [start, end) that are open on the calendar and in no pause; 0 if `end` is not after `start`."""
    counted = timedelta()
    for opens, closes in open_intervals(calendar, start):
        if opens >= end:
            break
        until = min(closes, end)
        paused = (min(until, resumed) - max(opens, begun) for begun, resumed in merged(pauses))
        counted += until - opens - sum((part for part in paused if part > timedelta()), timedelta())
    return counted.total_seconds()
