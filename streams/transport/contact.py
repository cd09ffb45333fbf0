"""Whether the broker that coordinates the group answers this worker."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Contact:
    """Written by the consumer's thread and read by the application's: a float and a count, so no lock.

    Args:
        patience_s: silence is *away* after this long; a few heartbeats.
        clock_s: a clock that only goes forward.
    """

    def __init__(self, patience_s: float, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._patience_s, self._clock_s = patience_s, clock_s
        self._answered_at_s = clock_s()
        self._joining = 0

    def answered(self) -> None:
        """The broker answered something."""
        self._answered_at_s = self._clock_s()

    @contextmanager
    def joining(self) -> Iterator[None]:
        """A request whose answer waits for other workers: silence meanwhile says nothing."""
        self._joining += 1
        try:
            yield
        finally:
            self._joining -= 1

    def away_s(self) -> float:
        """Seconds since the last answer, once that is longer than our patience; else 0."""
        silent_s = self._clock_s() - self._answered_at_s
        return silent_s if silent_s > self._patience_s and not self._joining else 0.0
