"""The manifest of an exported archive: which files belong to it, and what each must be, to the last bit."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, BinaryIO, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from schemas.errors import ConfigError

MANIFEST = "manifest.json"
_MOST_MANIFEST_BYTES = 64 * 1024 * 1024
_READ_BYTES = 1024 * 1024
Count = Annotated[int, Field(ge=0, lt=2**63)]
Hex32 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
Hex64 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
# The path is this and nothing else: it names no other folder, whatever a manifest says.
DayPath = Annotated[str, StringConstraints(pattern=r"^day=[0-9]{4}-[0-9]{2}-[0-9]{2}/events\.parquet$")]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class DayFile(_Part):
    """The events of one day of event time, in UTC.

    Attributes:
        content: sum of the 128-bit hashes of all payloads, in hex; says what the rows are, not how they are packed.
        types: events of each type, which names the version of the contract.
    """

    path: DayPath
    rows: Annotated[int, Field(ge=1, lt=2**63)]
    bytes: Count
    sha256: Hex64
    content: Hex32
    types: dict[str, Count]

    @property
    def day(self) -> date:
        """The day that the path names. Raises: ValueError: there is no such day."""
        return date.fromisoformat(self.path[4:14])


class Manifest(_Part):
    """What an exported folder holds.

    Attributes:
        from_at, to_at: half-open; None is without end.
        whole_items: work items that have an event in the period are there with all their events.
        processes: none is all.
    """

    format: Literal["tieline-archive"] = "tieline-archive"
    version: Literal[1] = 1
    method_version: str
    from_at: datetime | None
    to_at: datetime | None
    whole_items: bool
    processes: tuple[str, ...]
    rows: Count
    files: tuple[DayFile, ...]

    @property
    def is_cut(self) -> bool:
        """Whether work items may be there with some of their events only."""
        return not self.whole_items and (self.from_at is not None or self.to_at is not None)

    def says_same(self, other: Manifest) -> bool:
        """Whether both are about the same selection of events, up to an end that may have moved."""
        fields = {"method_version", "to_at", "rows", "files"}
        return self.model_dump(exclude=fields) == other.model_dump(exclude=fields)

    def text(self) -> str:
        """As it stands in the file."""
        return self.model_dump_json(indent=2) + "\n"


def day_path(day: date) -> str:
    """Where the events of a day lie, seen from the folder."""
    return f"day={day.isoformat()}/events.parquet"


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a folder, judged by itself: no file is looked at.

    Raises: ConfigError: there is none, or it is not one of ours.
    """
    with open_inside(folder, MANIFEST, "it is no finished export") as file:
        text = file.read(_MOST_MANIFEST_BYTES + 1)
    if len(text) > _MOST_MANIFEST_BYTES:
        raise ConfigError(f"{MANIFEST}: larger than 64 MiB")
    try:
        found = Manifest.model_validate_json(text)
        days = [file.day for file in found.files]
    except ValidationError as error:
        place = ".".join(map(str, error.errors(include_input=False, include_url=False)[0]["loc"]))
        raise ConfigError(
            f"{MANIFEST}: not a manifest of this version{f', at {place[:80]}' if place else ''}"
        ) from None
    except ValueError:
        raise ConfigError(f"{MANIFEST}: names a day that does not exist") from None
    if len(set(days)) != len(days):
        raise ConfigError(f"{MANIFEST}: names a file twice")
    if sum(file.rows for file in found.files) != found.rows:
        raise ConfigError(f"{MANIFEST}: the rows of its files do not add up")
    return found


def verify(folder: Path, manifest: Manifest, progress: Callable[[int], None] = lambda size: None) -> None:
    """Every file is there, as it was written, and nothing else is.

    Args:
        progress: told how many bytes were read.
    Raises: ConfigError: naming the first file that is missing, changed, one too many or not a plain file.
    """
    named = {file.path for file in manifest.files}
    for extra in sorted(_all_files(folder) - named - {MANIFEST}):
        raise ConfigError(f"{extra!r} is in the folder and not in the manifest: refused")
    for file in manifest.files:
        with open_inside(folder, file.path, "the manifest names it") as opened:
            if _digest(opened, progress) != (file.bytes, file.sha256):
                raise ConfigError(f"{file.path}: not as it was written (size or SHA-256 differs from the manifest)")


def open_inside(folder: Path, path: str, why: str) -> BinaryIO:
    """A plain file of the folder; neither it nor its own folder is a link.

    Raises: ConfigError.
    """
    place = folder / path
    try:
        for each in {place.parent, folder} - {folder}:
            if not stat.S_ISDIR(each.lstat().st_mode):
                raise ConfigError(f"{path}: its folder is not a plain folder: refused")
        opened = os.fdopen(os.open(place, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb")
    except FileNotFoundError:
        raise ConfigError(f"{folder}: {path} is missing: {why}") from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be opened as a plain file: {error.strerror}") from None
    if not stat.S_ISREG(os.fstat(opened.fileno()).st_mode):
        opened.close()
        raise ConfigError(f"{path}: not a plain file: refused")
    return opened


def same_bytes(folder: Path, file: DayFile) -> bool:
    """Whether the file is there as it was written."""
    try:
        with open_inside(folder, file.path, "") as opened:
            return _digest(opened, lambda size: None) == (file.bytes, file.sha256)
    except ConfigError:
        return False


def _digest(file: BinaryIO, progress: Callable[[int], None]) -> tuple[int, str]:
    found, size = hashlib.sha256(), 0
    while piece := file.read(_READ_BYTES):
        found.update(piece)
        size += len(piece)
        progress(len(piece))
    return size, found.hexdigest()


def _all_files(folder: Path) -> set[str]:
    """Everything below that is not a folder, and folders that are links; a link is not followed."""
    found: set[str] = set()
    for where, folders, files in os.walk(folder, followlinks=False):
        linked = [name for name in folders if (Path(where) / name).is_symlink()]
        found.update((Path(where) / name).relative_to(folder).as_posix() for name in [*files, *linked])
    return found
