"""Not faster than this: a replay leaves room for what is live."""

from __future__ import annotations

import time
from collections.abc import Callable

_CREDIT_S = 1.0


class Pace:
    """Keeps a rate by sleeping. What a slow stretch left unused counts for a second at most: no bursts after it.

    Args:
        rate: events per second; 0: as fast as it goes.
    """

    def __init__(
        self, rate: float, clock_s: Callable[[], float] = time.monotonic, sleep_s: Callable[[float], None] = time.sleep
    ) -> None:
        self._rate, self._clock_s, self._sleep_s = rate, clock_s, sleep_s
        self._due_s = clock_s()

    def passed(self, events: int) -> None:
        """So many events have gone through; returns when the next may."""
        if not self._rate:
            return
        now_s = self._clock_s()
        self._due_s = max(self._due_s, now_s - _CREDIT_S) + events / self._rate
        if self._due_s > now_s:
            self._sleep_s(self._due_s - now_s)
