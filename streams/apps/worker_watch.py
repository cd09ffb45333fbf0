"""What every worker says about itself: partitions, broker, lag, readiness. Looks at the app and disturbs nothing."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Mapping

from streams.apps.guard import run_beside
from streams.apps.meter import Meter
from streams.telemetry import worker_metrics as names
from streams.transport.app import BatchApp
from streams.transport.batch import TopicPartition

EVERY_S = 1.0
Checks = Callable[[], Mapping[str, str]]
_log = logging.getLogger(__name__)


class WorkerWatch:
    """Of one app.

    Args:
        meter: what knows the lag.
        more: further checks that have to be `ok` before the worker is ready.
    """

    def __init__(self, app: BatchApp, meter: Meter, more: Checks = dict) -> None:
        self._app, self._meter, self._more = app, meter, more
        self._topics: set[str] = set()
        self._away = False

    def register(self) -> None:
        """Attach it to the app; call once, before the app's own hooks."""
        self._app.on_assigned(self._on_assigned)
        self._app.on_revoked(self._on_revoked)
        self._app.values.before_text(self.look)
        self._app.checks = self.checks
        run_beside(self._app, self._loop)

    def checks(self) -> dict[str, str]:
        """What has to be `ok` before this worker is ready. One without partitions stands by, and is."""
        offsets = self._app.offsets
        restoring = any(offsets.delivered_up_to(tp) is None for tp in offsets.assigned())
        member = self._app.membership.is_fresh() and not self._app.has_crashed
        return {
            "group": "ok" if member else "not a member",
            "partitions": "restoring" if restoring else "ok",
            **self._more(),
        }

    def look(self) -> None:
        """Set what is not counted as it happens."""
        values, offsets, away_s = self._app.values, self._app.offsets, self._app.contact.away_s()
        held = Counter(tp.topic for tp in offsets.assigned())
        self._topics |= held.keys()
        behind = self._behind()
        for topic in self._topics:
            values.set(names.PARTITIONS, held[topic], topic)
            values.set(names.LAG_RECORDS, behind[topic], topic)
        values.set(names.BROKER_AWAY, away_s > 0)
        values.set(names.BROKER_AWAY_S, away_s)
        values.set(names.LAG_S, self._meter.lag_s())

    def note_broker(self) -> None:
        """Say when the broker has gone, and when it is back."""
        away_s = self._app.contact.away_s()
        if bool(away_s) == self._away:
            return
        self._away = bool(away_s)
        if self._away:
            _log.warning("the broker is away: no answer for %.0f s, waiting for it", away_s)
        else:
            _log.warning("the broker answers again")

    def _behind(self) -> Counter[str]:
        behind: Counter[str] = Counter()
        for tp in self._app.offsets.assigned():
            committed, end = self._app.offsets.committed(tp), self._app.end_of(tp)
            if committed is not None and end is not None:
                behind[tp.topic] += max(0, end - committed)
        return behind

    async def _loop(self) -> None:
        while True:
            await asyncio.sleep(EVERY_S)
            self.note_broker()

    async def _on_assigned(self, tps: frozenset[TopicPartition]) -> None:
        _log.info("rebalance: %d partitions assigned", len(tps))

    async def _on_revoked(self, tps: frozenset[TopicPartition]) -> None:
        _log.info("rebalance: %d partitions given up", len(tps))
