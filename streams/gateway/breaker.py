"""Stops the intake of a source that mostly sends what cannot be read: something is misconfigured."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from schemas.errors import TransientError

BreakerState = Literal["closed", "half_open", "open"]
_log = logging.getLogger("tieline.gateway")


class BreakerOpen(TransientError):  # noqa: N818 - the domain word is the name
    """The breaker of a source is open: nothing is looked at for now.

    Operator action: look at the source's dead letters (their code and field); correct its settings, connector or
    policy. The breaker closes by itself once a delivery can be read again.
    """


@dataclass(frozen=True, slots=True)
class BreakerSettings:
    """When a breaker opens: of at least `deliveries` in `window_s`, more than `share` could not be read.

    Attributes:
        pause_s: how long it stays open before one delivery is let through to see.
    """

    deliveries: int = 50
    window_s: float = 60.0
    share: float = 0.5
    pause_s: float = 30.0


class Breaker:
    """One source's breaker.

    Args:
        name: the source or token, for the log.
        clock_s: a clock that only goes forward, in seconds.
    """

    def __init__(self, name: str, clock_s: Callable[[], float], settings: BreakerSettings | None = None) -> None:
        self._name, self._clock_s, self._settings = name, clock_s, settings or BreakerSettings()
        self._latest: deque[tuple[float, bool]] = deque()
        self._unreadable = 0
        self._opened_at_s: float | None = None
        self._tried_at_s: float | None = None

    @property
    def state(self) -> BreakerState:
        """What it is now; `half_open` means that the next delivery is let through, or is on its way."""
        if self._opened_at_s is None:
            return "closed"
        return "open" if self._clock_s() - self._opened_at_s < self._settings.pause_s else "half_open"

    def enter(self) -> None:
        """Before a delivery is read. Raises: BreakerOpen: it is not to be read."""
        if self._opened_at_s is None:
            return
        now_s, pause_s = self._clock_s(), self._settings.pause_s
        # A trial of which nothing was heard (the log was away) does not keep the next one out for good.
        since_s = max(self._opened_at_s, self._tried_at_s or self._opened_at_s)
        if now_s - since_s < pause_s:
            raise BreakerOpen("breaker_open", max(1.0, pause_s - (now_s - since_s)))
        self._tried_at_s = now_s

    def record(self, unreadable: bool) -> None:
        """How a delivery turned out that was let in and judged."""
        if self._opened_at_s is not None:
            self._close() if not unreadable else self._reopen()
            return
        now_s, settings = self._clock_s(), self._settings
        self._latest.append((now_s, unreadable))
        self._unreadable += unreadable
        while self._latest and (
            now_s - self._latest[0][0] > settings.window_s or len(self._latest) > 20 * settings.deliveries
        ):
            self._unreadable -= self._latest.popleft()[1]
        if len(self._latest) >= settings.deliveries and self._unreadable > settings.share * len(self._latest):
            self._open(now_s)

    def _open(self, now_s: float) -> None:
        self._opened_at_s, self._tried_at_s = now_s, None
        _log.error(
            "intake of %s stopped: %d of its last %d deliveries could not be read; trying one again every %d s",
            self._name,
            self._unreadable,
            len(self._latest),
            self._settings.pause_s,
        )

    def _reopen(self) -> None:
        if self._tried_at_s is not None:  # not a straggler that was let in before it opened
            self._opened_at_s, self._tried_at_s = self._clock_s(), None

    def _close(self) -> None:
        if self._tried_at_s is not None:
            self._latest.clear()
            self._unreadable = 0
            self._opened_at_s = self._tried_at_s = None
            _log.warning("intake of %s goes on: a delivery could be read", self._name)
