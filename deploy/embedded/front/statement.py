"""What kind of statement a request carries, found from its first tokens.

Used to tell an insert with data from everything else, and to cut its head from the data. Permissions are never
decided here: `guard` asks the engine's own parser.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_TOKEN = re.compile(
    rb"""(?P<space>[\s\x00]+|--[^\n]*|\#[!\ ][^\n]*|/\*.*?\*/)
       |(?P<quoted>'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.|"")*"|`(?:[^`\\]|\\.|``)*`)
       |(?P<word>[A-Za-z_][A-Za-z0-9_]*)
       |(?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)
_AFTER_FORMAT = re.compile(rb"[ \t\r\f\v]*;?[ \t\r\f\v]*\n?")
HEAD_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class InsertHead:
    """`INSERT INTO t (columns)`, its `SETTINGS …` if any, the format of its data, and the data that came in the same
    bytes."""

    into: str
    settings: str
    input_format: str
    data: bytes

    def from_file(self, literal: str) -> str:
        """The same insert, its rows read from a file named by an SQL string literal."""
        return f"{self.into} FROM INFILE {literal} {self.settings} FORMAT {self.input_format}"


def _tokens(text: bytes) -> Iterator[tuple[str, bytes, int, int]]:
    """(kind, text, start, depth of round brackets), spaces and comments left out."""
    depth = 0
    for found in _TOKEN.finditer(text):
        kind = found.lastgroup or "other"
        if kind == "space":
            continue
        token = found.group()
        depth -= token == b")"
        yield kind, token, found.start(), depth
        depth += token == b"("


def first_words(text: bytes, count: int = 2) -> tuple[str, ...]:
    """The leading keywords, upper case."""
    words: list[str] = []
    for kind, token, _, _ in _tokens(text[:HEAD_BYTES]):
        if kind != "word" or len(words) == count:
            break
        words.append(token.decode("ascii").upper())
    return tuple(words)


def mentions(text: bytes, word: str) -> bool:
    """Whether the bare word stands anywhere outside quotes and comments."""
    wanted = word.upper().encode()
    return any(kind == "word" and token.upper() == wanted for kind, token, _, _ in _tokens(text))


def insert_with_data(text: bytes) -> InsertHead | None:
    """The head of an insert whose rows follow in a format; None for anything else (`INSERT … SELECT` too)."""
    head = text[:HEAD_BYTES]
    if first_words(head) != ("INSERT", "INTO"):
        return None
    takes_format = False
    sql_end, settings_at = 0, 0
    for kind, token, start, depth in _tokens(head):
        word = token.upper() if kind == "word" and depth == 0 else b""
        if takes_format:
            into_end = settings_at or sql_end
            settings = head[into_end:sql_end].decode()
            return InsertHead(head[:into_end].decode(), settings, token.decode(), _data(text, start + len(token)))
        if word in (b"SELECT", b"WITH", b"FROM", b"EXPLAIN"):
            return None
        if word == b"VALUES":
            into_end = settings_at or start
            settings = head[into_end:start].decode()
            return InsertHead(head[:into_end].decode(), settings, "Values", text[start + len(token) :])
        if word == b"SETTINGS":
            settings_at = start
        if word == b"FORMAT":
            takes_format, sql_end = True, start
    return None


def _data(text: bytes, position: int) -> bytes:
    skipped = _AFTER_FORMAT.match(text, position)
    return text[skipped.end() :] if skipped else text[position:]
