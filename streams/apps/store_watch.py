"""Whether the store does what a worker asks of it, as its metrics and its readiness say."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

from streams.telemetry.endpoint import OK
from streams.telemetry.metric import Metric
from streams.telemetry.values import Values


class StoreMetrics(NamedTuple):
    """A worker's metrics of its store."""

    away: Metric
    away_s: Metric
    retries: Metric


class StoreWatch:
    """For one event loop.

    Args:
        elapsed_s: a clock that only goes forward.
    """

    def __init__(self, values: Values, metrics: StoreMetrics, elapsed_s: Callable[[], float] = time.monotonic) -> None:
        self._values, self._metrics, self._elapsed_s = values, metrics, elapsed_s
        self._troubled_at_s: float | None = None
        self._kind = ""
        values.before_text(self._look)

    def troubled(self, kind: str) -> None:
        """A call failed and is tried again."""
        self._values.add(self._metrics.retries, 1, kind)
        self._kind = kind
        if self._troubled_at_s is None:
            self._troubled_at_s = self._elapsed_s()

    def answers(self) -> None:
        """It is over."""
        self._troubled_at_s = None

    def checks(self) -> dict[str, str]:
        """For readiness."""
        return {"store": OK if self._troubled_at_s is None else self._kind}

    def _look(self) -> None:
        away_s = 0.0 if self._troubled_at_s is None else self._elapsed_s() - self._troubled_at_s
        self._values.set(self._metrics.away, self._troubled_at_s is not None)
        self._values.set(self._metrics.away_s, away_s)
