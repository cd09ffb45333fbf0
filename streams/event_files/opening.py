"""Which reader a file needs, told by the ending of its name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from schemas.errors import ConfigError
from streams.event_files.event_file import EventFile, MappedLog, Meaning, NdjsonFile
from streams.event_files.manifest import read_manifest, verify
from streams.event_files.ocel_file import MappedOcelFile, OwnOcelFile
from streams.event_files.parquet_file import ParquetFile
from streams.event_files.report import FileReport

_NDJSON = (".ndjson", ".jsonl")
_PARQUET = ".parquet"
_OCEL = (".json", ".jsonocel")
_NOT_READ = (".sqlite", ".sqlite3", ".db", ".xml", ".xmlocel")


def event_files(paths: Sequence[Path], meaning: Meaning, report: FileReport) -> Iterator[tuple[str, EventFile]]:
    """Every file by a name to tell it by; the folder of an exported archive is all of its files, verified.

    Raises: ConfigError: no such file, no such format, a mapping that is missing or of no use, or an exported archive
        that is not what its manifest says.
    """
    for path in paths:
        if path.is_dir():
            manifest = read_manifest(path)
            verify(path, manifest)
            if manifest.is_cut:
                report.hints.append(
                    f"{path.name} was exported with --cut-items: of work items that reach beyond its period, events"
                    " are missing, unless another of the files has them"
                )
            for file in manifest.files:
                yield f"{path.name}/{file.path}", ParquetFile(path / file.path)
        else:
            yield path.name, event_file(path, meaning)


def event_file(path: Path, meaning: Meaning) -> EventFile:
    """The file by the ending of its name.

    Raises: ConfigError: see `event_files`.
    """
    if not path.is_file():
        raise ConfigError(f"{path}: no such file")
    name = path.name.lower()
    if name.endswith(_PARQUET):
        return ParquetFile(path)
    if name.endswith(_NOT_READ):
        raise ConfigError(f"{path}: of object-centric logs only those in JSON are read")
    unpacked = name.removesuffix(".gz").removesuffix(".zst")
    if unpacked.endswith(_NDJSON):
        return NdjsonFile(path)
    if unpacked.endswith(_OCEL):
        return OwnOcelFile(path) if meaning.mapping is None else MappedOcelFile(path, meaning)
    return MappedLog(path, meaning)
