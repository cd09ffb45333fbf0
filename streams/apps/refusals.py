"""What was refused, said in the log: the first record of a reason at once, further ones summed up."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from streams.telemetry.metric import Metric
from streams.telemetry.values import Values
from streams.transport.batch import Record

EVERY_S = 10.0
_log = logging.getLogger(__name__)


class Refusals:
    """Counts by reason; a flood of bad records makes a line every `EVERY_S`, not one for each.

    Args:
        metric: with one label, the reason.
        elapsed_s: a clock that only goes forward.
    """

    def __init__(self, values: Values, metric: Metric, elapsed_s: Callable[[], float] = time.monotonic) -> None:
        self._values, self._metric, self._elapsed_s = values, metric, elapsed_s
        self._waiting: dict[str, tuple[int, str, int, int]] = {}
        self._said_at_s: dict[str, float] = {}

    def note(self, reason: str, topic: str, record: Record) -> None:
        """One more."""
        self._values.add(self._metric, 1, reason)
        count = self._waiting[reason][0] if reason in self._waiting else 0
        self._waiting[reason] = count + 1, topic, record.partition, record.offset

    def say(self) -> None:
        """Tell of what nobody was told of yet, if it is time to."""
        now_s = self._elapsed_s()
        for reason, (count, topic, partition, offset) in list(self._waiting.items()):
            if now_s - self._said_at_s.get(reason, -EVERY_S) >= EVERY_S:
                self._said_at_s[reason] = now_s
                del self._waiting[reason]
                _log.warning(
                    "refused as %s: %d records, the last in %s partition %d at offset %d",
                    reason,
                    count,
                    topic,
                    partition,
                    offset,
                    extra={"topic": topic, "partition": partition, "offset": offset, "reason": reason},
                )
