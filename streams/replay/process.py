"""A part of a source through the fold and out again: what one worker does, over and over."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol

from schemas.rows import Row
from streams.replay.encode import encoded
from streams.replay.fold import Folded, fold
from streams.replay.scope import Scope
from streams.replay.source import WorkItemEvents


@dataclass(slots=True)
class Tally:
    """What went through.

    Attributes:
        events, work_items: distinct ones of the scope.
        oversize: work items with more events than a work item has; they have no rows.
        rows: by table.
        unusable: payloads that are no events, by reason.
    """

    events: int = 0
    work_items: int = 0
    oversize: int = 0
    rows: Counter[str] = field(default_factory=Counter)
    unusable: Counter[str] = field(default_factory=Counter)

    def add(self, other: Tally) -> None:
        """Count the other one too."""
        self.events += other.events
        self.work_items += other.work_items
        self.oversize += other.oversize
        self.rows.update(other.rows)
        self.unusable.update(other.unusable)

    def count(self, folded: Folded) -> None:
        """One more work item."""
        self.events += folded.events
        self.work_items += folded.events > 0
        self.oversize += folded.oversize
        if folded.unusable:
            self.unusable.update(folded.unusable)


class Out(Protocol):
    """Where rows go."""

    def add(self, table: str, rows: bytes, count: int) -> None:
        """Take in encoded rows, commas between them; may write, and wait."""


def replay(
    items: Iterable[WorkItemEvents], scope: Scope, out: Out, passed: Callable[[int], None] = lambda _: None
) -> Tally:
    """Fold work items one by one and hand on their rows; keeps nothing.

    Args:
        passed: told how many payloads each work item had, which is where a slower pace is kept.
    """
    tally = Tally()
    for item in items:
        if not scope.process or item.process == scope.process:
            folded = fold(item, scope)
            tally.count(folded)
            _hand_on(folded, out, tally)
        passed(len(item.payloads))
    return tally


def _hand_on(folded: Folded, out: Out, tally: Tally) -> None:
    tables: dict[str, list[Row]] = defaultdict(list)
    for key, row in folded.rows.items():
        tables[key.table].append(row)
    for table, rows in tables.items():
        out.add(table, encoded(rows, folded.revision), len(rows))
        tally.rows[table] += len(rows)
