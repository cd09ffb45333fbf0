"""How long to wait before the same request is sent again."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

MAX_WAIT_S = 300.0


@dataclass(frozen=True, slots=True)
class Backoff:
    """Waiting times grow twofold, with chance in them so that many clients do not come back at once.

    Attributes:
        attempts: requests at most, the first one included.
        first_s, longest_s: the waiting time after the first failure, and the most that it grows to.
        chance: a number from 0 to 1.
    """

    attempts: int = 8
    first_s: float = 0.5
    longest_s: float = 30.0
    chance: Callable[[], float] = random.random

    def wait_s(self, failures: int, retry_after: str | None, now: datetime) -> float:
        """Seconds to wait after so many failures; what the server says is never undercut, up to five minutes."""
        longest = min(self.longest_s, self.first_s * 2.0 ** min(failures - 1, 30))
        return max(longest * (0.5 + self.chance() / 2), retry_after_s(retry_after, now))


def retry_after_s(header: str | None, now: datetime) -> float:
    """A Retry-After header as seconds, 0 where it says nothing that can be read."""
    if header is None:
        return 0.0
    text = header.strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), MAX_WAIT_S)
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return 0.0
    wait_s = ((at if at.tzinfo else at.replace(tzinfo=UTC)) - now).total_seconds()
    return min(max(wait_s, 0.0), MAX_WAIT_S)
