"""A log as Tieline events: the one thing that callers use."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from pydantic import TypeAdapter, ValidationError

from schemas.errors import ConfigError
from schemas.topics import event_key
from schemas.vocabulary import ProcessName, SourceName
from streams.gateway.actors import ActorKey
from streams.gateway.log_import.counts import ImportCounts
from streams.gateway.log_import.csv_rows import read_csv
from streams.gateway.log_import.errors import UnusableRow
from streams.gateway.log_import.event_bytes import EventBytes, Mapped
from streams.gateway.log_import.log_file import Format, LogFile, format_of
from streams.gateway.log_import.mapping import CsvOptions, Mapping, TimeRef, WorkItemRef
from streams.gateway.log_import.mapping_file import suggestion
from streams.gateway.log_import.ndjson import read_ndjson
from streams.gateway.log_import.row import Row, Skipped
from streams.gateway.log_import.row_mapper import RowMapper
from streams.gateway.log_import.xes import read_xes

_PROCESS: TypeAdapter[str] = TypeAdapter(ProcessName)
_SOURCE: TypeAdapter[str] = TypeAdapter(SourceName)


class _Plan(NamedTuple):
    """What a mapped import needs, checked before the first byte is read."""

    mapping: Mapping
    process: str
    source: str
    actor_key: ActorKey | None


class LogImport:
    """Reads one log file; iterate over it once for its events.

    The same file gives the same events, byte for byte, wherever it lies and in whatever order its work items stand;
    the events of one work item have to keep their order.

    Args:
        mapping: needed for XES and CSV; refused for NDJSON, which are Tieline events already.
        process: instead of the mapping's.
        actor_key: needed if the mapping has an actor.

    Attributes:
        counts: grow while reading.
        total_bytes: size of the file.

    Raises: ConfigError: mapping, process, key and file do not go together.
    """

    def __init__(
        self, path: Path, mapping: Mapping | None, process: str | None = None, actor_key: ActorKey | None = None
    ) -> None:
        self._path = path
        self.format: Format = (mapping.format if mapping else None) or format_of(path)
        self._plan = None if self.format == "ndjson" else _plan(path, self.format, mapping, process, actor_key)
        if self._plan is None and (mapping is not None or process is not None):
            raise ConfigError(f"{path}: NDJSON holds finished Tieline events: no mapping, no other process name")
        self.counts = ImportCounts()
        self._file = LogFile(path)
        self.total_bytes = path.stat().st_size
        self._mapper: RowMapper | None = None
        self._keys_seen: set[str] = set()

    @property
    def bytes_read(self) -> int:
        """Bytes of the file read so far, 0 to `total_bytes`."""
        return self._file.bytes_read

    def __iter__(self) -> Iterator[Mapped | Skipped]:
        """Every event that the log stands for, and every event of the log that stands for none.

        Raises:
            ConfigError: the columns of a CSV file are not those of the mapping.
            LogUnreadable: after everything that could be read.
        """
        with closing(self._file):
            yield from self._finished_events() if self._plan is None else self._mapped_events(self._plan)

    def _mapped_events(self, plan: _Plan) -> Iterator[Mapped | Skipped]:
        counts = self.counts
        apart = plan.mapping.source is not None
        self._mapper = mapper = RowMapper(
            plan.mapping,
            _work_item(plan.mapping, self.format),
            EventBytes(plan.process, plan.source, apart),
            plan.actor_key,
            counts,
        )
        for row in self._rows(plan.mapping, mapper):
            counts.log_events += 1
            outcome = _outcome(mapper, row)
            if isinstance(outcome, Skipped):
                counts.skipped[outcome.reason] += 1
                yield outcome
                continue
            for event in outcome:
                counts.mapped[event.type] += 1
            yield from outcome

    def _rows(self, mapping: Mapping, mapper: RowMapper) -> Iterator[Row | Skipped]:
        if self.format == "csv":
            return read_csv(self._file, mapping.csv or _csv_options(self._path), mapper.wanted())
        return read_xes(self._file, mapper.wanted(), self._keys_seen)

    def _finished_events(self) -> Iterator[Mapped | Skipped]:
        counts, work_items = self.counts, set[bytes]()
        for event in read_ndjson(self._file):
            counts.log_events += 1
            if isinstance(event, Skipped):
                counts.skipped[event.reason] += 1
                yield event
                continue
            key = event_key(event)
            work_items.add(key)
            counts.work_items = len(work_items)
            counts.mapped[event.type] += 1
            counts.saw(event.time)
            yield Mapped(key, event.canonical(), event.type)

    def hints(self) -> list[str]:
        """After reading: sentences about a mapping that may not fit this log. Nothing of its content is in them."""
        if self._plan is None or self._mapper is None:
            return []
        return [
            *_unseen_attributes(self._plan.mapping, self._keys_seen),
            *_unused_rules(self._mapper.readings.matched),
            *_about_times(self.counts),
        ]


def _outcome(mapper: RowMapper, row: Row | Skipped) -> list[Mapped] | Skipped:
    if isinstance(row, Skipped):
        return row
    try:
        return mapper.map(row)
    except UnusableRow as unusable:
        return Skipped(unusable.code, f"line {row.line}")


def _plan(path: Path, form: Format, mapping: Mapping | None, process: str | None, actor_key: ActorKey | None) -> _Plan:
    if mapping is None:
        raise ConfigError(f"{path}: a log in {form.upper()} needs a mapping file; see docs/importing.md")
    if form == "csv":
        _check_csv(mapping)
    elif mapping.csv is not None:
        raise ConfigError("the mapping has a `csv` part, but the log is XES")
    if mapping.actor is not None and actor_key is None:
        raise ConfigError("the mapping has an actor: an actor key is needed to hash the names")
    named = process or mapping.process
    if named is None:
        raise ConfigError("the mapping names no `process`, and none was given for this import")
    _check(_PROCESS, named, "a process name has 1 to 64 characters, none of them `/`")
    source = mapping.source or f"urn:tieline:import:{quote(named, safe='')}"
    _check(_SOURCE, source, "the process name is too long to make a source of: give `source` in the mapping")
    return _Plan(mapping, named, source, actor_key)


def _check_csv(mapping: Mapping) -> None:
    try:
        mapping.check_csv()
    except ValueError as error:
        raise ConfigError(str(error)) from None


def _check(adapter: TypeAdapter[str], value: str, complaint: str) -> None:
    try:
        adapter.validate_python(value)
    except ValidationError:
        raise ConfigError(complaint) from None


def _csv_options(path: Path) -> CsvOptions:
    return CsvOptions(delimiter="\t") if ".tsv" in path.suffixes else CsvOptions()


def _work_item(mapping: Mapping, form: Format) -> WorkItemRef:
    ref = mapping.work_item or WorkItemRef()
    return ref.model_copy(update={"level": ref.level or ("trace" if form == "xes" else "event")})


def _unseen_attributes(mapping: Mapping, seen: set[str]) -> Iterator[str]:
    if not seen:
        return
    time = mapping.time or TimeRef()
    named = {"time": time.attribute}
    for field in ("role", "actor", "site"):
        ref = getattr(mapping, field)
        if ref is not None and ref.attribute and ref.level == "event":
            named[field] = ref.attribute
    for state in mapping.states:
        named.update({f"states.when.{name}": name for name in state.when})
    for field, name in named.items():
        if name not in seen:
            yield f"{field}: no event has the attribute {name!r}{suggestion(name, sorted(seen))}"


def _unused_rules(matched: list[bool]) -> Iterator[str]:
    for index, used in enumerate(matched):
        if not used:
            yield f"states.{index}: no event matched this rule"


def _about_times(counts: ImportCounts) -> Iterator[str]:
    if counts.skipped["time_without_zone"]:
        yield "time: some times have no offset: say with `time.zone` on which clock they are to be read"
    if counts.notes["out_of_order"]:
        yield "some events stand before earlier ones of the same work item: sort the log by time, if pauses matter"
