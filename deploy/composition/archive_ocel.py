"""The archive as an object-centric event log (OCEL 2.0, JSON), for process mining software; written as it is read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from clickhouse_connect.driver.client import Client

from deploy.whole_file import whole_file
from schemas.errors import TransientError
from sinks.clickhouse.archive_days import Selection, count_events, event_batches
from streams.event_files.ocel_writer import OcelCounts, OcelWriter


def export_ocel(
    client: Client,
    out: Path,
    selection: Selection,
    with_actors: bool = False,
    progress: Callable[[int, int], None] = lambda rows, total: None,
) -> OcelCounts:
    """Write the selected events; equal events give equal files. The file gets its name when it is whole.

    Args:
        with_actors: with the keyed hashes of who acted.
        progress: told (rows read, rows in all).
    Raises: ConfigError: cannot be written there. ClickHouseError: the store.
        TransientError: it broke off; nothing is there then.
    Memory: the things that one work item names, and all roles and actors.
    """
    total, read = count_events(client, selection), 0
    with whole_file(out, 0o600) as file, TemporaryFile("w+b", dir=out.parent) as objects:
        writing = OcelWriter(file, objects, with_actors)
        for item in _items(event_batches(client, selection), writing.counts):
            writing.item(item)
            read += len(item)
            progress(min(read, total), total)
        if writing.counts.events + writing.counts.conflicts < total:
            raise TransientError("the store gave fewer events than it has: try again")
        writing.finish()
        progress(total, total)
    return writing.counts


def _items(batches: Iterator[Any], counts: OcelCounts) -> Iterator[list[bytes]]:
    """The events of each work item that count, by source and id."""
    item: dict[tuple[str, str], bytes] = {}
    place: tuple[str, str] | None = None
    before = ""
    names = ("process", "subject", "source", "id", "payload")
    for batch in batches:
        for process, subject, source, name, text in zip(
            *(batch.column(each).to_pylist() for each in names), strict=True
        ):
            if text == before:  # a row that the store has not merged yet
                continue
            before = text
            if (process, subject) != place:
                if item:
                    yield list(item.values())
                item, place = {}, (process, subject)
            payload, held = text.encode(), item.get((source, name))
            if held is not None and held != payload:
                counts.conflicts += 1
            if held is None or payload < held:
                item[source, name] = payload
    if item:
        yield list(item.values())
