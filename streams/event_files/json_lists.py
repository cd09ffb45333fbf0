"""A large JSON object whose members are long lists, element by element, in bounded memory."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator
from typing import Any, NoReturn

from streams.gateway.log_import.errors import LogUnreadable
from streams.gateway.log_import.log_file import READ_ERRORS, LogFile

_READ_BYTES = 1024 * 1024
_MOST_CHARACTERS = 16 * 1024 * 1024
_SPACE = " \t\r\n"


def read_lists(file: LogFile) -> Iterator[tuple[str, int, Any]]:
    """(name of the list, number of the element from 1, element) for every list at the top.

    Members that are no list are passed over.

    Raises: LogUnreadable: after the last whole element, if this is no such JSON, an element is longer than 16 Mi
        characters, or the file is damaged.
    """
    text = _Text(file)
    text.expect("{")
    if text.next() == "}":
        return
    while True:
        name = text.value()
        if not isinstance(name, str):
            text.broken("the name of a member is no text")
        text.expect(":")
        if text.next() == "[":
            for number, element in enumerate(_elements(text), 1):
                yield name, number, element
        else:
            text.value()
        if text.next() == "}":
            return
        text.expect(",")


def _elements(text: _Text) -> Iterator[Any]:
    text.expect("[")
    if text.next() == "]":
        text.expect("]")
        return
    while True:
        yield text.value()
        if text.next() == "]":
            text.expect("]")
            return
        text.expect(",")


class _Text:
    """The text of the file, of which only a piece is held."""

    def __init__(self, file: LogFile) -> None:
        self._file = file
        # Bytes that are no text are kept apart as lone surrogates, which no event may hold: only their event is lost.
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")("surrogateescape")
        self._parser = json.JSONDecoder(parse_constant=_no_constant)
        self._held, self._at, self._passed, self._ended = "", 0, 0, False

    def next(self) -> str:
        """The next character that is no space; it stays. Empty at the end."""
        while True:
            while self._at < len(self._held):
                if self._held[self._at] not in _SPACE:
                    return self._held[self._at]
                self._at += 1
            if not self._more():
                return ""

    def expect(self, character: str) -> None:
        """Step over it. Raises: LogUnreadable: something else is there."""
        if self.next() != character:
            self.broken(f"expected `{character}`" if self.next() else "it ends too early")
        self._at += 1

    def value(self) -> Any:
        """The JSON value that begins here. Raises: LogUnreadable."""
        self.next()
        while True:
            try:
                found, end = self._parser.raw_decode(self._held, self._at)
            except (ValueError, RecursionError) as error:
                if isinstance(error, RecursionError) or len(self._held) - self._at > _MOST_CHARACTERS:
                    self.broken("an element is nested too deep or too long")
                if not self._more():
                    self.broken("not JSON")
                continue
            if end == len(self._held) and self._more():  # a number may go on
                continue
            self._at = end
            return found

    def broken(self, reason: str) -> NoReturn:
        """Raises: LogUnreadable: with the place, never with what stands there."""
        raise LogUnreadable(self._file.name, f"character {self._passed + self._at:,}", f"broken JSON: {reason}")

    def _more(self) -> bool:
        if self._ended:
            return False
        try:
            piece = self._file.chunk(_READ_BYTES)
            decoded = self._decoder.decode(piece, final=not piece)
        except READ_ERRORS as error:
            raise self._file.unreadable(f"character {self._passed + self._at:,}", error) from None
        self._ended = not piece
        self._passed += self._at
        self._held, self._at = self._held[self._at :] + decoded, 0
        return bool(piece)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)
