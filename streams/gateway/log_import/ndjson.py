"""Tieline events, one CloudEvent per line: nothing to map, everything to check."""

from __future__ import annotations

from collections.abc import Iterator

from schemas.decoding import MAX_EVENT_BYTES, decode
from schemas.errors import InvalidEvent
from schemas.events import Event
from streams.gateway.log_import.log_file import READ_ERRORS, LogFile
from streams.gateway.log_import.row import Skipped

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def read_ndjson(file: LogFile) -> Iterator[Event | Skipped]:
    """The events; a line that is none is skipped with the decoder's code and field. Blank lines do not count.

    Raises: LogUnreadable: a damaged file.
    """
    for number, line in _lines(file):
        content = line.strip()
        if number == 1:
            content = content.removeprefix(_BYTE_ORDER_MARK)
        if not content:
            continue
        try:
            yield decode(content)
        except InvalidEvent as invalid:
            yield Skipped(invalid.code, f"line {number}, {invalid.field}" if invalid.field else f"line {number}")


def _lines(file: LogFile) -> Iterator[tuple[int, bytes]]:
    """Numbered from 1. Of a line that is too long for an event only the beginning is read into memory."""
    number = 0
    while True:
        number += 1
        try:
            line = file.stream.readline(MAX_EVENT_BYTES + 2)
            rest = line
            while len(rest) == MAX_EVENT_BYTES + 2 and not rest.endswith(b"\n"):
                rest = file.stream.readline(MAX_EVENT_BYTES + 2)
        except READ_ERRORS as error:
            raise file.unreadable(f"after line {number - 1}", error) from None
        if not line:
            return
        yield number, line
