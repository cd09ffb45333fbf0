"""Files of events for tests, and what a source makes of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from schemas.events import Event
from streams.event_files import FileReport, Meaning, open_event_files
from tests.builders import act, assigned, offered, worked

Items = dict[tuple[str, str], list[bytes]]


def some_events(items: int = 40) -> list[Event]:
    """Several work items of two processes, their events mixed."""
    found: list[Event] = []
    for number in range(items):
        where = {"process": f"p{number % 2}", "subject": f"w{number}"}
        found += [
            assigned(number, "nurse", id=f"a{number}", **where),
            worked(number + 5, "nurse", id=f"b{number}", **where),
            offered(number + 10, f"h{number}", id=f"c{number}", **where),
            act("accepted", number + 20, "ward", f"h{number}", id=f"d{number}", **where),
        ]
    return found


def ndjson(path: Path, lines: Iterable[bytes | Event]) -> Path:
    """A file of one event, or whatever else, per line."""
    path.write_bytes(b"".join((line if isinstance(line, bytes) else line.canonical()) + b"\n" for line in lines))
    return path


def items_of(paths: Sequence[Path], meaning: Meaning | None = None, report: FileReport | None = None) -> Items:
    """All work items of the files; fails if one is yielded twice."""
    found: Items = {}
    with open_event_files(paths, meaning, report=report) as source:
        for chunk in source.chunks():
            for item in source.read(chunk):
                assert (item.process, item.subject) not in found
                found[item.process, item.subject] = list(item.payloads)
    return found


def by_item(events: Iterable[Event]) -> Items:
    """What a source should make of events."""
    found: Items = {}
    for event in events:
        found.setdefault((event.process, event.subject), []).append(event.canonical())
    return {key: sorted(set(payloads)) for key, payloads in found.items()}
