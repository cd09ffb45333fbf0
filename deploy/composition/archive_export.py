"""Exporting the archive: Parquet by day, and a manifest last. Done again, it writes only what has changed."""

from __future__ import annotations

import fcntl
import json
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from clickhouse_connect.driver.client import Client
from pydantic import ValidationError

from schemas.errors import ConfigError, TransientError
from schemas.rows import METHOD_VERSION
from sinks.clickhouse.archive_days import Day, Selection, days, event_batches, grouped
from streams.event_files.manifest import MANIFEST, DayFile, Manifest, day_path, read_manifest, same_bytes
from streams.event_files.parquet_file import SCHEMA, ParquetWriter

UNFINISHED = ".unfinished.ndjson"
"""One line for each day that is done; with it an export that was cut short goes on."""
_ROWS_TOGETHER = 200_000
_PART = ".part"


@dataclass(frozen=True, slots=True)
class Exported:
    """What is in the folder now; `written` and `kept` are days."""

    manifest: Manifest
    written: int
    kept: int

    @property
    def bytes(self) -> int:
        """Of all files together."""
        return sum(file.bytes for file in self.manifest.files)


def export_archive(
    client: Client, folder: Path, selection: Selection, progress: Callable[[int, int], None] = lambda rows, total: None
) -> Exported:
    """Write the selected events below `folder`, which is made if need be.

    A file gets its name when the disk has all of it; the manifest comes last. Days that are there already with the
    same content stay as they are.

    Args:
        progress: told (rows done, rows in all).
    Raises: ConfigError: the folder holds something else, or more than the store has now. ClickHouseError: the store.
        TransientError: it changed or broke off meanwhile; what is whole stays, run it again.
    Memory: the rows of 200,000 events, or a row group where one day has more.
    """
    with _alone_in(folder):
        found = days(client, selection)
        before = _before(folder, selection, found)
        done = [before[day.day] for day in found if _is_kept(folder, before.get(day.day), day)]
        kept = {file.day for file in done}
        _begin(folder, done)
        total, rows = sum(day.rows for day in found), sum(file.rows for file in done)
        progress(rows, total)
        for group in grouped([day for day in found if day.day not in kept], _ROWS_TOGETHER):
            for file in _written(client, folder, selection, group):
                done.append(file)
                rows += file.rows
                progress(rows, total)
        manifest = _manifest(selection, sorted(done, key=lambda file: file.path))
        _finish(folder, manifest)
        return Exported(manifest, len(done) - len(kept), len(kept))


def _manifest(selection: Selection, files: Sequence[DayFile]) -> Manifest:
    return Manifest(
        method_version=METHOD_VERSION,
        from_at=selection.from_at,
        to_at=selection.to_at,
        whole_items=selection.whole_items,
        processes=tuple(sorted(selection.processes)),
        rows=sum(file.rows for file in files),
        files=tuple(files),
    )


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise ConfigError(f"{folder}: cannot be used as a folder: {error.strerror}") from None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise ConfigError(f"{folder}: another export is under way there") from None
    except OSError as error:
        raise ConfigError(f"{folder}: cannot be written: {error.strerror}") from None
    finally:
        os.close(handle)


def _before(folder: Path, selection: Selection, found: Sequence[Day]) -> dict[date, DayFile]:
    """What an earlier export of the same selection wrote. Raises: ConfigError: this one would lose some of it."""
    if (folder / MANIFEST).exists():
        manifest = read_manifest(folder)
        if not _manifest(selection, ()).says_same(manifest):
            raise ConfigError(f"{folder} holds an export of other events: choose another folder")
        now = {day.day: day.rows for day in found}
        for file in manifest.files:
            if now.get(file.day, 0) < file.rows:
                raise ConfigError(f"{folder}: {file.path} holds more than the store does now: choose another folder")
        return {file.day: file for file in manifest.files}
    unfinished = _unfinished(folder)
    if not unfinished and any(folder.iterdir()) and not (folder / UNFINISHED).exists():
        raise ConfigError(f"{folder} holds something else: choose an empty folder")
    return unfinished


def _unfinished(folder: Path) -> dict[date, DayFile]:
    """Days of an export that was cut short; a line that was torn counts for nothing."""
    found: dict[date, DayFile] = {}
    try:
        lines = (folder / UNFINISHED).read_bytes().splitlines()
    except FileNotFoundError:
        return {}
    for line in lines:
        try:
            file = DayFile.model_validate(json.loads(line))
            found[file.day] = file
        except (ValidationError, ValueError):
            continue
    return found


def _is_kept(folder: Path, file: DayFile | None, day: Day) -> bool:
    return file is not None and (file.rows, file.content) == (day.rows, _hex(day.content)) and same_bytes(folder, file)


def _begin(folder: Path, kept: Sequence[DayFile]) -> None:
    """From here on the folder is unfinished, until it has a manifest again."""
    _replace(folder, UNFINISHED, "".join(f"{file.model_dump_json()}\n" for file in kept))
    (folder / MANIFEST).unlink(missing_ok=True)
    named = {file.path for file in kept}
    for path in [*folder.glob("day=*/events.parquet"), *folder.glob(f"day=*/*{_PART}")]:
        if path.parent.is_symlink():
            raise ConfigError(f"{path.parent}: is a link: refused")
        if path.relative_to(folder).as_posix() not in named:
            path.unlink()
    for path in folder.glob("day=*"):
        if path.is_dir() and not any(path.iterdir()):
            path.rmdir()
    _sync(folder)


def _written(client: Client, folder: Path, selection: Selection, group: Sequence[Day]) -> Iterator[DayFile]:
    """Read some days at once; each goes into a file of its own, by key."""
    open_days: dict[date, _DayWriter] = {}
    for day, rows in _by_day(event_batches(client, selection, (group[0].day, group[-1].day))):
        if day not in open_days:
            open_days[day] = _DayWriter(folder, day)
        open_days[day].add(rows)
    planned = {each.day: each.rows for each in group}
    for day in sorted(planned.keys() | open_days.keys()):
        file = open_days[day].close() if day in open_days else None
        if file is None or file.rows < planned.get(day, 0):
            raise TransientError(f"the store gave fewer events of {day} than it has: try again")
        with (folder / UNFINISHED).open("a") as lines:
            lines.write(f"{file.model_dump_json()}\n")
            lines.flush()
            os.fsync(lines.fileno())
        yield file


def _by_day(batches: Iterator[Any]) -> Iterator[tuple[date, Any]]:
    """Arrow batches of one day each, no row twice."""
    last: bytes | None = None
    for batch in batches:
        if not batch.num_rows:
            continue
        hashes = [bytes(value) for value in batch.column("payload_hash").to_pylist()]
        fresh = [each != before for each, before in zip(hashes, [last, *hashes[:-1]], strict=True)]
        last = hashes[-1]
        rows = batch if all(fresh) else batch.filter(pa.array(fresh))
        if not rows.num_rows:
            continue
        dates = pc.cast(rows.column("time"), pa.date32())
        for day in sorted(pc.unique(dates).to_pylist()):
            yield day, rows.filter(pc.equal(dates, pa.scalar(day, pa.date32())))


class _DayWriter:
    """One day's file, under another name until it is whole."""

    def __init__(self, folder: Path, day: date) -> None:
        self._folder, self._day = folder, day
        self._place = folder / day_path(day)
        self._place.parent.mkdir(mode=0o700, exist_ok=True)
        self._part = self._place.with_name(self._place.name + _PART)
        self._writer = ParquetWriter(self._part)
        self._content = 0
        self._types: Counter[str] = Counter()

    def add(self, rows: Any) -> None:
        self._content += sum(int.from_bytes(value, "little") for value in rows.column("payload_hash").to_pylist())
        for each in pc.value_counts(rows.column("type")).to_pylist():
            self._types[each["values"]] += each["counts"]
        columns = [rows.column(field.name).cast(field.type) for field in SCHEMA]
        self._writer.add(pa.RecordBatch.from_arrays(columns, schema=SCHEMA))

    def close(self) -> DayFile:
        self._writer.close()
        os.replace(self._part, self._place)
        _sync(self._place.parent)
        _sync(self._folder)
        return DayFile(
            path=day_path(self._day),
            rows=self._writer.rows,
            bytes=self._writer.size,
            sha256=self._writer.sha256,
            content=_hex(self._content),
            types=dict(sorted(self._types.items())),
        )


def _finish(folder: Path, manifest: Manifest) -> None:
    _replace(folder, MANIFEST, manifest.text())
    (folder / UNFINISHED).unlink()
    _sync(folder)


def _replace(folder: Path, name: str, text: str) -> None:
    part = folder / f".{name.removeprefix('.')}{_PART}"
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, folder / name)
    _sync(folder)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _hex(content: int) -> str:
    return f"{content % 2**128:032x}"
