"""OCEL 2.0 logs in JSON: our own export, exactly as it was, and other people's by a mapping."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from pydantic import TypeAdapter, ValidationError

from schemas.decoding import decode
from schemas.errors import ConfigError, InvalidEvent
from schemas.vocabulary import ProcessName, SourceName
from streams.event_files.event_file import FileEvent, Meaning
from streams.event_files.json_lists import read_lists
from streams.event_files.ocel_event import contract_bytes
from streams.gateway.log_import import ImportCounts, Mapping, Skipped
from streams.gateway.log_import.errors import UnusableRow
from streams.gateway.log_import.event_bytes import EventBytes
from streams.gateway.log_import.log_file import LogFile
from streams.gateway.log_import.mapping import XES_TIME, WorkItemRef
from streams.gateway.log_import.row import Attributes, Row
from streams.gateway.log_import.row_mapper import RowMapper

_PROCESS: TypeAdapter[str] = TypeAdapter(ProcessName)
_SOURCE: TypeAdapter[str] = TypeAdapter(SourceName)
TYPE, TIME, ID = "ocel:type", "ocel:time", "ocel:id"
_OBJECT = re.compile(r"object:(?P<type>[^@/]+)(?:@(?P<qualifier>[^/]*))?(?:/(?P<attribute>.+))?")


class OwnOcelFile:
    """What `tieline export ocel` wrote: the events of the contract, byte for byte."""

    def __init__(self, path: Path) -> None:
        self._file = LogFile(path)
        self.total_bytes = path.stat().st_size
        self.latest_at: datetime | None = None

    @property
    def bytes_read(self) -> int:
        return self._file.bytes_read

    def __iter__(self) -> Iterator[FileEvent | Skipped]:
        try:
            for name, number, found in read_lists(self._file):
                if name == "events":
                    yield self._event(number, found)
        finally:
            self._file.close()

    def _event(self, number: int, found: Any) -> FileEvent | Skipped:
        try:
            event = decode(contract_bytes(found))
        except InvalidEvent as error:
            return Skipped(error.code, f"event {number}, {error.field}" if error.field else f"event {number}")
        self.latest_at = max(event.time, self.latest_at or event.time)
        return FileEvent.of(event)


class MappedOcelFile:
    """Somebody else's object-centric log. A mapping of `tieline import` says what its events mean, with names such as

    - `ocel:type`, `ocel:time`, `ocel:id`: of the event; any other name is an attribute of the event;
    - `object:TYPE`: the id of the related object of that type; `object:TYPE@QUALIFIER`: so related;
    - `object:TYPE/ATTRIBUTE`: what that object's attribute was when the event happened.

    An event that is related to several work items is an event of each. The file is read twice: objects may stand
    behind the events that name them.

    Memory: an entry for each object of a type that the mapping names, and its attributes that it names.
    """

    def __init__(self, path: Path, meaning: Meaning) -> None:
        if meaning.mapping is None:
            raise ConfigError(f"{path}: an object-centric log of others needs a mapping file; see docs/archive.md")
        self._path, self._work_item = path, _work_item(meaning.mapping).attribute
        self._counts = ImportCounts()
        self._mapper = _mapper(meaning.mapping, meaning, self._counts)
        self._wanted = {name: _Reference.of(name) for name in self._mapper.wanted().event}
        self.total_bytes = 2 * path.stat().st_size
        self.bytes_read = 0

    @property
    def latest_at(self) -> datetime | None:
        return self._counts.last_at

    def __iter__(self) -> Iterator[FileEvent | Skipped]:
        objects = _Objects([each for each in self._wanted.values() if each is not None])
        for _, _, found in self._pass("objects", 0):
            objects.add(found)
        for _, number, found in self._pass("events", self.total_bytes // 2):
            yield from self._mapped(number, found, objects)

    def _pass(self, wanted: str, before: int) -> Iterator[tuple[str, int, Any]]:
        file = LogFile(self._path)
        try:
            for name, number, found in read_lists(file):
                self.bytes_read = before + file.bytes_read
                if name == wanted:
                    yield name, number, found
        finally:
            file.close()

    def _mapped(self, number: int, found: Any, objects: _Objects) -> Iterator[FileEvent | Skipped]:
        where = f"event {number}"
        try:
            rows = self._rows(number, found, objects)
        except UnusableRow as unusable:
            yield Skipped(unusable.code, where)
            return
        except (KeyError, TypeError, AttributeError):
            yield Skipped("not_ocel", where)
            return
        for row in rows:
            try:
                yield from (FileEvent(*each) for each in self._mapper.map(row))
            except UnusableRow as unusable:
                yield Skipped(unusable.code, where)

    def _rows(self, number: int, found: Any, objects: _Objects) -> list[Row]:
        """One for each work item."""
        time = _text(found["time"])
        values: Attributes = {TYPE: _text(found["type"]), TIME: time, XES_TIME: time, ID: _text(found["id"])}
        for each in found.get("attributes") or ():
            values.setdefault(each["name"], _text(each["value"]))
        work_item, at = self._work_item, _instant(time)
        related = [(each["objectId"], each.get("qualifier") or "") for each in found.get("relationships") or ()]
        for name, reference in self._wanted.items():
            if reference is not None and name != work_item:
                values[name] = _one(objects.values(reference, related, at))
        reference = self._wanted.get(work_item)
        if reference is None:
            return [Row(values, {}, number)]
        items = objects.values(reference, related, at) or [""]
        return [Row({**values, work_item: item}, {}, number) for item in items]


class _Reference(NamedTuple):
    """A related object that a mapping names."""

    type: str
    qualifier: str | None
    attribute: str | None

    @classmethod
    def of(cls, name: str) -> _Reference | None:
        match = _OBJECT.fullmatch(name)
        return cls(match["type"], match["qualifier"], match["attribute"]) if match else None


class _Objects:
    """The objects of the types that a mapping names, with those attributes that it names."""

    def __init__(self, wanted: list[_Reference]) -> None:
        self._types = {each.type for each in wanted}
        self._attributes = {(each.type, each.attribute) for each in wanted if each.attribute is not None}
        self._of_type: dict[str, str] = {}
        self._changes: dict[tuple[str, str], list[tuple[datetime, str]]] = {}

    def add(self, found: Any) -> None:
        """Take in an object; one that is not of the shape of OCEL counts as not there."""
        try:
            name, kind = found["id"], found["type"]
            if kind not in self._types:
                return
            self._of_type[str(name)] = str(kind)
            for each in found.get("attributes") or ():
                if (kind, each["name"]) in self._attributes:
                    change = _instant(each["time"]), _text(each["value"])
                    self._changes.setdefault((name, each["name"]), []).append(change)
        except (KeyError, TypeError, AttributeError, UnusableRow):
            return

    def values(self, reference: _Reference, related: list[tuple[str, str]], at: datetime) -> list[str]:
        """Ids or attributes of the related objects that are meant, each once, in order."""
        names = {
            name
            for name, qualifier in related
            if self._of_type.get(name) == reference.type and reference.qualifier in (None, qualifier)
        }
        if reference.attribute is not None:
            names = {self._value(name, reference.attribute, at) for name in names}
        return sorted(names)

    def _value(self, name: str, attribute: str, at: datetime) -> str:
        changes = sorted(self._changes.get((name, attribute), ()))
        before = bisect_right([when for when, _ in changes], at)
        return changes[before - 1][1] if before else ""


def _mapper(mapping: Mapping, meaning: Meaning, counts: ImportCounts) -> RowMapper:
    work_item = _work_item(mapping)
    if mapping.actor is not None and meaning.actor_key is None:
        raise ConfigError("the mapping has an actor: an actor key is needed to hash the names")
    process = meaning.process or mapping.process
    if process is None:
        raise ConfigError("the mapping names no `process`, and none was given")
    _check(_PROCESS, process, "a process name has 1 to 64 characters, none of them `/`")
    source = mapping.source or f"urn:tieline:import:{quote(process, safe='')}"
    _check(_SOURCE, source, "the process name is too long to make a source of: give `source` in the mapping")
    builder = EventBytes(process, source, mapping.source is not None)
    return RowMapper(mapping, work_item, builder, meaning.actor_key, counts)


def _work_item(mapping: Mapping) -> WorkItemRef:
    if mapping.format is not None or mapping.csv is not None:
        raise ConfigError("the mapping is for an XES or CSV log, but the file is an object-centric log")
    if mapping.work_item is None:
        raise ConfigError("an object-centric log needs `work_item`, such as `object:order`: see docs/archive.md")
    for name in ("work_item", "role", "actor", "site"):
        if getattr(getattr(mapping, name), "level", None) == "trace":
            raise ConfigError(f"`{name}.level: trace` is for XES: an object-centric log has no traces")
    return mapping.work_item.model_copy(update={"level": "event"})


def _check(adapter: TypeAdapter[str], value: str, complaint: str) -> None:
    try:
        adapter.validate_python(value)
    except ValidationError:
        raise ConfigError(complaint) from None


def _one(values: list[str]) -> str:
    """Nobody knows which of several is meant."""
    if len(values) > 1:
        raise UnusableRow("several_objects")
    return values[0] if values else ""


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    raise TypeError("not a plain value")


def _instant(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except (ValueError, TypeError):
        raise UnusableRow("bad_time") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
