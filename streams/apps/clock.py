"""The only place where the apps look at a clock."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from schemas.errors import ConfigError

Clock = Callable[[], datetime]


def wall_clock() -> datetime:
    """Now, aware UTC."""
    return datetime.now(UTC)


def pinned_clock(as_of: str) -> Clock:
    """A clock that stands still, so that two runs can be compared row by row.

    Raises: ConfigError: not an ISO 8601 time with a zone.
    """
    try:
        instant = datetime.fromisoformat(as_of)
    except ValueError:
        raise ConfigError(f"as_of {as_of!r} is not an ISO 8601 time") from None
    if instant.tzinfo is None:
        raise ConfigError(f"as_of {as_of!r} has no time zone; write for instance 2026-01-01T00:00:00Z")
    return lambda: instant.astimezone(UTC)
