"""What the sink counts of its store; the store calls it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from streams.apps.sink import metrics as names
from streams.apps.store_watch import StoreMetrics, StoreWatch
from streams.telemetry.values import Values

SLOW_S, _SAY_EVERY_S = 5.0, 10.0
_log = logging.getLogger(__name__)


class SinkStoreWatch(StoreWatch):
    """For one event loop.

    Args:
        elapsed_s: a clock that only goes forward.
    """

    def __init__(self, values: Values, elapsed_s: Callable[[], float] = time.monotonic) -> None:
        super().__init__(values, StoreMetrics(names.STORE_AWAY, names.STORE_AWAY_S, names.RETRIES), elapsed_s)
        self._said_slow_at_s = -_SAY_EVERY_S

    def inserted(self, table: str, rows: int, took_s: float) -> None:
        """The store has acknowledged so many rows."""
        self._values.add(names.ROWS, rows, table)
        self._values.observe(names.INSERT_S, took_s, table)
        if took_s >= SLOW_S:
            self._slow(table, rows, took_s)

    def aggregated(self, windows: int) -> None:
        """So many tie windows were aggregated again."""
        self._values.add(names.WINDOWS, windows)

    def _slow(self, table: str, rows: int, took_s: float) -> None:
        self._values.add(names.SLOW)
        if self._elapsed_s() - self._said_slow_at_s >= _SAY_EVERY_S:
            self._said_slow_at_s = self._elapsed_s()
            said = "the store is slow: %d rows into %s took %.1f s"
            _log.warning(said, rows, table, took_s, extra={"table": table})
