"""`python -m tests.integration.compiled.said_rows`: hashes of all rows of generated and simulated work items."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime

from hypothesis import HealthCheck, Phase, given, seed, settings

from benchmarks.load import policies, simulated
from schemas.events import Event
from schemas.policy import PolicyBook
from streams.inference.facts import facts
from tests.builders import LONG_AFTER
from tests.property.work_items import as_ofs, policy_books, work_items

_SETTINGS = settings(
    max_examples=400, database=None, deadline=None, phases=[Phase.generate], suppress_health_check=[*HealthCheck]
)


class Said:
    """Hashes what the core says: keys, rows to the byte, deadlines."""

    def __init__(self) -> None:
        self.digest, self.rows = hashlib.sha256(), 0

    def add(self, events: Iterable[Event], book: PolicyBook, as_of: datetime) -> None:
        """Everything about one work item at one instant."""
        found = facts(events, book, as_of)
        self.digest.update(repr((found.next_deadline_at, found.closed)).encode())
        for key, row in found.rows.items():
            self.digest.update(repr(tuple(key)).encode() + row.model_dump_json().encode())
            self.rows += 1


def generated(said: Said) -> None:
    """The same examples in every process."""

    @seed(7)
    @_SETTINGS
    @given(work_items, policy_books, as_ofs)
    def add(events: list[Event], book: PolicyBook, as_of: datetime) -> None:
        said.add(events, book, as_of)
        said.add(events, book, LONG_AFTER)

    add()


def scenario(said: Said) -> None:
    """A week of it, each work item half way and at its end."""
    items: dict[str, list[Event]] = {}
    for event in simulated(1).events:
        items.setdefault(event.subject, []).append(event)
    for events in items.values():
        said.add(events, policies(), events[len(events) // 2].time)
        said.add(events, policies(), LONG_AFTER)


if __name__ == "__main__":
    said = Said()
    generated(said)
    scenario(said)
    print(said.rows, said.digest.hexdigest())
