"""Whether events can be kept, as metrics: the same for HTTP and MLLP."""

from __future__ import annotations

from typing import Protocol

from streams.gateway import metrics as names
from streams.gateway.metrics import Metrics

READY_STATES = frozenset({"kafka", "spool"})


class Log(Protocol):
    """What is shown of an `EventLog`."""

    @property
    def state(self) -> str: ...

    @property
    def depth_bytes(self) -> int: ...

    @property
    def oldest_s(self) -> float: ...

    @property
    def damaged_segments(self) -> int: ...


def note_log(metrics: Metrics, log: Log) -> None:
    """How it is now."""
    metrics.set(names.LOG_ON_SPOOL, log.state == "spool")
    metrics.set(names.LOG_ACCEPTS, log.state in READY_STATES)
    metrics.set(names.SPOOL_BYTES, log.depth_bytes)
    metrics.set(names.SPOOL_AGE, log.oldest_s)
    metrics.set(names.SPOOL_DAMAGED, log.damaged_segments)
