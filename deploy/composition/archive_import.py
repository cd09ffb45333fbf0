"""Importing an exported archive: everything is verified before anything is written, and every event is decoded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from clickhouse_connect.driver.client import Client

from deploy.composition.archive_rows import ArchiveRows, Arrived
from schemas.errors import ConfigError, InvalidEvent
from sinks.clickhouse.archive_days import Selection, days
from sinks.clickhouse.queries.work_items import IMPORTED_TOPIC
from streams.apps.intake import AHEAD
from streams.event_files.manifest import DayFile, Manifest, open_inside, read_manifest, same_bytes, verify
from streams.event_files.parquet_file import checked_event, read_payloads
from streams.event_files.report import FileReport

Progress = Callable[[str, int, int], None]
"""(what is being done, how much of it, of how much)."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of an exported folder.

    Attributes:
        added: events that are new in the archive; `known` were there.
        days_known: files that were not read, because the store has exactly their content.
    """

    manifest: Manifest
    added: int
    known: int
    days_known: int


def import_archive(
    client: Client, folder: Path, now: datetime, report: FileReport, progress: Progress = lambda what, done, of: None
) -> Imported:
    """Write an exported folder to the archive. Safe to repeat; a repeat goes on where it was cut short.

    Args:
        now: events more than an hour ahead of it are left out.
        report: takes up the rows that are no events; the rest is used.
    Raises: ConfigError: the folder is not exactly what its manifest says; then nothing was written.
        ClickHouseError: the store.
    """
    manifest = read_manifest(folder)
    size, read = sum(file.bytes for file in manifest.files), 0

    def told(piece: int) -> None:
        nonlocal read
        read += piece
        progress("verifying", read, size)

    verify(folder, manifest, told)
    held = {day.day: (day.rows, f"{day.content:032x}") for day in days(client, Selection())}
    rows, done, days_known = ArchiveRows(client), 0, 0
    for file in manifest.files:
        if held.get(file.day) == (file.rows, file.content):
            days_known += 1
            rows.known += file.rows
        else:
            _import_day(folder, file, now, rows, report)
        done += file.rows
        progress("writing", done, manifest.rows)
    rows.flush()
    return Imported(manifest, rows.added, rows.known, days_known)


def _import_day(folder: Path, file: DayFile, now: datetime, rows: ArchiveRows, report: FileReport) -> None:
    if not same_bytes(folder, file):
        raise ConfigError(f"{file.path}: has changed since it was verified")
    with open_inside(folder, file.path, "the manifest names it") as opened:
        for number, payload in read_payloads(opened, file.path):
            try:
                event = checked_event(payload)
                if event.time.date() != file.day:
                    raise InvalidEvent("wrong_day", "time")
                if event.time > now + AHEAD:
                    raise InvalidEvent("future", "time")
            except InvalidEvent as error:
                where = f"row {number}, {error.field}" if error.field else f"row {number}"
                report.leave_out(file.path, where, error.code)
                continue
            report.events += 1
            # When it was received is not in the file: the same events are to give the same bytes, whoever exports them.
            rows.add(event, payload, Arrived(event.time, IMPORTED_TOPIC))
