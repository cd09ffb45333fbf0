"""Whether this worker may still believe that it is a member of its group."""

from __future__ import annotations

import time
from collections.abc import Callable


class Membership:
    """Fresh while the broker confirmed us less than a session timeout ago.

    A worker that was frozen wakes up with partitions that others already hold. Counting from when the confirmed
    request was *sent* makes us stop believing before the broker does. Written by the consumer's thread and read by
    the application's: one float, so no lock.
    """

    def __init__(self, session_timeout_s: float, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._session_timeout_s = session_timeout_s
        self._clock_s = clock_s
        self._confirmed_at_s: float | None = None

    def now_s(self) -> float:
        """Seconds on the clock that ages are counted with."""
        return self._clock_s()

    def confirmed(self, sent_at_s: float) -> None:
        """The broker answered, as to a member, a request sent at this time."""
        self._confirmed_at_s = sent_at_s

    def lost(self) -> None:
        """The broker does not know us any more."""
        self._confirmed_at_s = None

    def age_s(self) -> float | None:
        """Seconds since the last confirmed request was sent; None when we are no member."""
        confirmed_at_s = self._confirmed_at_s
        return None if confirmed_at_s is None else self._clock_s() - confirmed_at_s

    def is_fresh(self) -> bool:
        """Whether what we write now can still be written in the name of our partitions."""
        age_s = self.age_s()
        return age_s is not None and age_s < self._session_timeout_s
