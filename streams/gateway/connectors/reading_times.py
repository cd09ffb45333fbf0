"""Times as other systems write them, as instants in UTC between 1970 and 2200."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo

from schemas.errors import InvalidEvent
from schemas.vocabulary import EARLIEST, LATEST

_MAX_CHARS = 64
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def iso_time(text: str, field: str, naive: tzinfo | None = None) -> datetime:
    """An ISO 8601 time in UTC; `field` is for the error.

    Raises: InvalidEvent: bad_time: not a time, no zone though `naive` gives none, outside 1970..2200.
    """
    try:
        if len(text) > _MAX_CHARS:
            raise ValueError
        at = datetime.fromisoformat(text)
        if at.tzinfo is None:
            if naive is None:
                raise ValueError
            at = at.replace(tzinfo=naive)
        return _in_range(at.astimezone(UTC))
    except (ValueError, OverflowError):
        raise InvalidEvent("bad_time", field) from None


def epoch_time(digits: str, field: str, unit: timedelta) -> datetime:
    """A whole number of units since 1970, in UTC; `field` is for the error.

    Raises: InvalidEvent: bad_time: not only digits, outside 1970..2200.
    """
    try:
        if len(digits) > _MAX_CHARS or not (digits.isascii() and digits.isdigit()):
            raise ValueError
        return _in_range(_EPOCH + int(digits) * unit)
    except (ValueError, OverflowError):
        raise InvalidEvent("bad_time", field) from None


def _in_range(at: datetime) -> datetime:
    if not EARLIEST <= at < LATEST:
        raise ValueError
    return at
