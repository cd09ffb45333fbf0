"""The period that is looked at, as links write it: Grafana's relative words, or days."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

NOW = "now"
_EARLIEST = datetime(1970, 1, 2, tzinfo=UTC)
LIVE_PRESETS = (("now-1h", "last hour"), ("now-6h", "last 6 hours"), ("now-24h", "last 24 hours"))
PRESETS = (
    ("now-24h", "last 24 hours"),
    ("now-7d", "last 7 days"),
    ("now-30d", "last 30 days"),
    ("now-90d", "last 90 days"),
    ("now/y", "this year"),
    ("now-1y", "last 12 months"),
)
_BACK = re.compile(r"now-(\d{1,4})([mhdwMy])")
_UNITS = {
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
    "M": timedelta(days=30),
    "y": timedelta(days=365),
}
_NAMES = {"m": "minute", "h": "hour", "d": "day", "w": "week", "M": "month", "y": "year"}


def instant(word: str, now: datetime, closing: bool = False) -> datetime | None:
    """What a word means: `now`, `now-24h`, `now/y` (start of this year), or a day in UTC (`closing`: its end).

    Returns: aware UTC; None: not such a word.
    """
    if word == NOW:
        return now
    if word == "now/y":
        return now.replace(month=1, day=1, hour=0, minute=0, second=0, microsecond=0)
    if (back := _BACK.fullmatch(word)) is not None:
        return now - min(now - _EARLIEST, int(back[1]) * _UNITS[back[2]])
    try:
        start = datetime.combine(date.fromisoformat(word), datetime.min.time(), UTC)
        return start + timedelta(days=1) if closing else start
    except (ValueError, OverflowError):
        return None


def said(word: str) -> str:
    """A relative word for people: `last 180 days`."""
    back = _BACK.fullmatch(word)
    if back is None:
        return word
    unit = _NAMES[back[2]]
    return f"last {back[1]} {unit}s" if back[1] != "1" else f"last {unit}"


def bounds(first: str, last: str, now: datetime, otherwise: str) -> tuple[datetime, datetime]:
    """Start and end; where the words are none, or the wrong way round, `otherwise` up to now.

    Raises: ValueError: `otherwise` itself is no word.
    """
    start, end = instant(first, now), instant(last or NOW, now, closing=True)
    if start is not None and end is not None and start < end:
        return start, end
    usual = instant(otherwise, now)
    if usual is None:
        raise ValueError(f"not a period: {otherwise}")
    return usual, now


def is_custom(first: str) -> bool:
    """Whether it starts at a day that somebody chose."""
    return bool(first) and not first.startswith(NOW)
