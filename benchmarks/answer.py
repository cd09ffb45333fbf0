"""What a run must have said. A benchmark that gives a wrong answer fast has measured nothing."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import datetime
from hashlib import sha256
from typing import NamedTuple

from schemas.events import Event
from schemas.policy import PolicyBook
from schemas.rows import Row
from schemas.topics import event_key
from streams.inference.facts import facts, row_key


class Answer(NamedTuple):
    """Rows by table, and one digest of all their content but for `revision`."""

    rows: dict[str, int]
    digest: str

    def require(self, expected: Answer) -> None:
        """Raises: AssertionError: another answer."""
        if self != expected:
            raise AssertionError(f"wrong answer: rows {self.rows}, expected {expected.rows}; digests differ")


def from_scratch(events: Iterable[Event], policies: PolicyBook, as_of: datetime) -> Answer:
    """The answer by definition: `facts` of every work item."""
    items: dict[bytes, list[Event]] = defaultdict(list)
    for event in events:
        items[event_key(event)].append(event)
    return answer_of(row for item in items.values() for row in facts(item, policies, as_of).rows.values())


def last_said(rows: Iterable[Row]) -> list[Row]:
    """Of all that was said about a row the last, by revision; rows that were taken back are left out."""
    last: dict[tuple[object, ...], Row] = {}
    for row in rows:
        key = (row.process, row.work_item, *row_key(row))
        if key not in last or last[key].revision <= row.revision:
            last[key] = row
    return [row for row in last.values() if not row.is_deleted]


def answer_of(rows: Iterable[Row]) -> Answer:
    """The answer that these rows are, each given once."""
    tables: Counter[str] = Counter()
    lines = []
    for row in rows:
        tables[row.table] += 1
        lines.append(row.table + row.model_dump_json(exclude={"revision"}))
    return Answer(dict(sorted(tables.items())), sha256("\n".join(sorted(lines)).encode()).hexdigest())
