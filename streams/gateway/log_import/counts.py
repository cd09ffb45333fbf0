"""What an import did, in numbers."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(slots=True)
class ImportCounts:
    """Grows while a log is read.

    Attributes:
        log_events: events of the log, whatever became of them.
        mapped: Tieline events by type.
        skipped: events of the log that became none, by reason code.
        notes: events that were used after a decision or with a doubt, by code: `ambiguous_local_time`,
            `nonexistent_local_time`, `out_of_order` (earlier than the one before it of the same work item: ties and
            pauses follow the order of the file), `no_actor`.
        work_items: how many different ones have mapped events.
        roles: how many different ones were read.
        first_at, last_at: time range of what was mapped; None before the first.
    """

    log_events: int = 0
    mapped: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    notes: Counter[str] = field(default_factory=Counter)
    work_items: int = 0
    roles: int = 0
    first_at: datetime | None = None
    last_at: datetime | None = None

    def saw(self, at: datetime) -> None:
        """Widen the time range."""
        if self.first_at is None or at < self.first_at:
            self.first_at = at
        if self.last_at is None or at > self.last_at:
            self.last_at = at
