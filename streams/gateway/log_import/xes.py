"""XES logs (IEEE 1849), event by event, in bounded memory.

On expat itself: it can refuse a document type before anything of it takes effect, and hands over elements without
building a tree.
"""

from __future__ import annotations

from collections.abc import Iterator
from xml.parsers import expat

from streams.gateway.log_import.errors import LogUnreadable
from streams.gateway.log_import.log_file import READ_ERRORS, LogFile
from streams.gateway.log_import.row import Attributes, Row, Wanted

_CHUNK_BYTES = 64 * 1024
_MAX_BETWEEN_ELEMENTS = 4 * 1024 * 1024
_MAX_KEYS_SEEN = 500
_MAX_DEPTH = 200


def read_xes(file: LogFile, wanted: Wanted, keys_seen: set[str]) -> Iterator[Row]:
    """The events of a log in the order of the file; the attributes of a trace have to come before its events.

    Args:
        keys_seen: takes up names of event attributes, to tell the user about a misspelt one.

    Raises: LogUnreadable: after the last whole event, if the XML is broken, has a document type (entities are not
        for logs), or the file is damaged.
    Memory: the wanted attributes of one trace and one event, and at most 4 MiB of XML that is no element yet
        (for which expat takes up to 16 MiB).
    """
    reader = _XesReader(file.name, wanted, keys_seen)
    while True:
        try:
            chunk = file.chunk(_CHUNK_BYTES)
        except READ_ERRORS as error:
            raise file.unreadable(reader.position(), error) from None
        failure = reader.feed(chunk)
        yield from reader.take()
        if failure is not None:
            raise failure
        if not chunk:
            return


class _XesReader:
    def __init__(self, name: str, wanted: Wanted, keys_seen: set[str]) -> None:
        self._name, self._wanted, self._keys_seen = name, wanted, keys_seen
        self._parser = expat.ParserCreate()
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.StartDoctypeDeclHandler = self._refuse_document_type
        self._depth = 0
        self._trace_depth = self._event_depth = 0  # 0: not inside one
        self._trace: Attributes = {}
        self._event: Attributes = {}
        self._event_line = 0
        self._rows: list[Row] = []
        self._elements = 0
        self._since_element = 0

    def position(self) -> str:
        """Where reading is: the line of the XML."""
        return f"line {self._parser.CurrentLineNumber}"

    def take(self) -> list[Row]:
        """The events that are complete since the last call."""
        rows, self._rows = self._rows, []
        return rows

    def feed(self, chunk: bytes) -> LogUnreadable | None:
        """Parse; an empty chunk is the end. Returns: why reading cannot go on."""
        before = self._elements
        try:
            self._parser.Parse(chunk, not chunk)
        except expat.ExpatError as error:
            # Expat's own words: a position and a grammatical complaint, nothing of the content.
            return LogUnreadable(self._name, f"line {error.lineno}", f"broken XML: {expat.ErrorString(error.code)}")
        except LogUnreadable as refused:
            return refused
        except (LookupError, ValueError):
            return LogUnreadable(self._name, self.position(), "the XML is in an encoding that cannot be read")
        self._since_element = 0 if self._elements != before else self._since_element + len(chunk)
        if self._since_element > _MAX_BETWEEN_ELEMENTS:
            return LogUnreadable(self._name, self.position(), "more than 4 MiB without a complete element")
        return None

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        self._elements += 1
        self._depth = depth = self._depth + 1
        if self._event_depth:
            if depth == self._event_depth + 1:
                self._keep(attributes, self._event, self._wanted.event)
                self._note_key(attributes)
            elif depth > _MAX_DEPTH:
                raise LogUnreadable(self._name, self.position(), f"elements nested more than {_MAX_DEPTH} deep")
            return
        local = tag.rpartition(":")[2]
        if depth == 1 and local != "log":
            raise LogUnreadable(self._name, self.position(), "this is no XES: its outermost element is not `log`")
        if local == "event" and depth == (self._trace_depth or 1) + 1:
            self._event_depth, self._event, self._event_line = depth, {}, self._parser.CurrentLineNumber
        elif local == "trace" and depth == 2:
            self._trace_depth, self._trace = depth, {}
        elif self._trace_depth and depth == self._trace_depth + 1:
            self._keep(attributes, self._trace, self._wanted.trace)
        elif depth > _MAX_DEPTH:
            raise LogUnreadable(self._name, self.position(), f"elements nested more than {_MAX_DEPTH} deep")

    def _end(self, tag: str) -> None:
        if self._depth == self._event_depth:
            self._rows.append(Row(self._event, self._trace, self._event_line))
            self._event_depth = 0
        elif self._depth == self._trace_depth:
            self._trace_depth, self._trace = 0, {}
        self._depth -= 1

    def _keep(self, attributes: dict[str, str], kept: Attributes, wanted: frozenset[str]) -> None:
        key = attributes.get("key")
        if key in wanted and "value" in attributes:
            kept[key] = attributes["value"]

    def _note_key(self, attributes: dict[str, str]) -> None:
        key = attributes.get("key", "")
        if key not in self._keys_seen and len(self._keys_seen) < _MAX_KEYS_SEEN:
            self._keys_seen.add(key)

    def _refuse_document_type(self, *_: object) -> None:
        raise LogUnreadable(
            self._name, self.position(), "the XML has a document type (DOCTYPE): refused, entities are not for logs"
        )
