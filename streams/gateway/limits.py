"""How much is taken on at once: a bucket of permits per source, and a room for the bytes of bodies in work."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from schemas.errors import TielineError

BUSY_RETRY_AFTER_S = 1.0


class TooBusy(TielineError):  # noqa: N818 - the domain word is the name
    """More than is allowed or than fits: nothing was taken on, the sender comes again later.

    Attributes:
        code: `rate_limited`, or `overloaded` for the room of bodies.
        retry_after_s: when it is worth trying again.
    """

    def __init__(self, code: str, retry_after_s: float) -> None:
        super().__init__(code)
        self.code, self.retry_after_s = code, retry_after_s


class Bucket:
    """Permits that refill steadily: `per_s` on average, up to `burst` at once.

    Args:
        per_s: 0 means no limit.
        clock_s: a clock that only goes forward, in seconds.
    """

    def __init__(self, per_s: float, burst: float, clock_s: Callable[[], float]) -> None:
        self._per_s, self._burst, self._clock_s = per_s, max(burst, 1.0), clock_s
        self._permits, self._at_s = self._burst, clock_s()

    def take(self) -> None:
        """One permit. Raises: TooBusy: none is left; nothing was taken."""
        if not self._per_s:
            return
        now_s = self._clock_s()
        self._permits = min(self._burst, self._permits + (now_s - self._at_s) * self._per_s)
        self._at_s = now_s
        if self._permits < 1:
            raise TooBusy("rate_limited", (1 - self._permits) / self._per_s)
        self._permits -= 1


class Room:
    """The bytes of all bodies that are being read, mapped or written. For one event loop.

    A body that alone is larger than the room is let in when the room is empty.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self.bytes = 0

    @contextmanager
    def guest(self) -> Iterator[Guest]:
        """A request, whose bytes leave with it."""
        guest = Guest(self)
        try:
            yield guest
        finally:
            self.bytes -= guest.bytes

    def admit(self, more_bytes: int) -> None:
        """Raises: TooBusy: they do not fit."""
        if self.bytes and self.bytes + more_bytes > self._most_bytes:
            raise TooBusy("overloaded", BUSY_RETRY_AFTER_S)
        self.bytes += more_bytes


class Guest:
    """One request's share of a room."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self.bytes = 0

    def grow(self, to_bytes: int) -> None:
        """Have so many bytes altogether; never gives any back. Raises: TooBusy: they do not fit."""
        more_bytes = to_bytes - self.bytes
        if more_bytes > 0:
            self._room.admit(more_bytes)
            self.bytes = to_bytes
