"""`python -m tests.integration.compiled.said_rows FILE`: a hash of all rows of the work items in a file.

The file is written once: what Hypothesis generates depends on the sources it finds, and compiled modules have none.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, settings

from benchmarks.load import policies, simulated
from schemas.decoding import decode
from schemas.events import Event
from schemas.policy import Policy, PolicyBook
from streams.inference.facts import facts
from tests.builders import LONG_AFTER
from tests.property.work_items import as_ofs, policy_books, work_items

_SETTINGS = settings(
    max_examples=400, database=None, deadline=None, phases=[Phase.generate], suppress_health_check=[*HealthCheck]
)


def write_items(path: Path) -> None:
    """Generated work items, each at an instant and long after; a week of the scenario, half way and at its end."""
    with path.open("w", encoding="utf-8") as file:
        for events, book, as_of in (*_generated(), *_scenario()):
            contents = [event.canonical().decode() for event in events]
            versions = [policy.model_dump_json() for policy in book.policies]
            file.write(json.dumps([contents, versions, as_of.isoformat()]) + "\n")


def said(path: Path) -> str:
    """How many rows, and a hash of keys, rows to the byte, and deadlines."""
    digest, rows = hashlib.sha256(), 0
    for line in path.read_text(encoding="utf-8").splitlines():
        contents, versions, as_of = json.loads(line)
        book = PolicyBook(tuple(Policy.model_validate_json(version) for version in versions))
        events = [decode(content.encode()) for content in contents]
        for instant in (datetime.fromisoformat(as_of), LONG_AFTER):
            found = facts(events, book, instant)
            digest.update(repr((found.next_deadline_at, found.closed)).encode())
            for key, row in found.rows.items():
                digest.update(repr(tuple(key)).encode() + row.model_dump_json().encode())
                rows += 1
    return f"{rows} {digest.hexdigest()}"


def _generated() -> Iterable[tuple[list[Event], PolicyBook, datetime]]:
    found: list[tuple[list[Event], PolicyBook, datetime]] = []

    @_SETTINGS
    @given(work_items, policy_books, as_ofs)
    def add(events: list[Event], book: PolicyBook, as_of: datetime) -> None:
        found.append((events, book, as_of))

    add()
    return found


def _scenario() -> Iterator[tuple[list[Event], PolicyBook, datetime]]:
    items: dict[str, list[Event]] = {}
    for event in simulated(1).events:
        items.setdefault(event.subject, []).append(event)
    for events in items.values():
        yield events, policies(), events[len(events) // 2].time


if __name__ == "__main__":
    print(said(Path(sys.argv[1])))
