"""CSV logs, row by row, in bounded memory. Rows of different work items may be mixed."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from schemas.errors import ConfigError
from streams.gateway.log_import.errors import LogUnreadable
from streams.gateway.log_import.log_file import READ_ERRORS, LogFile
from streams.gateway.log_import.mapping import CsvOptions
from streams.gateway.log_import.mapping_file import suggestion
from streams.gateway.log_import.row import Row, Skipped, Wanted

MAX_ROW_CHARACTERS = 1024 * 1024
_DELIMITERS = {",": "`,`", ";": "`;`", "\t": 'a tab ("\\t")', "|": "`|`"}


def read_csv(file: LogFile, options: CsvOptions, wanted: Wanted) -> Iterator[Row | Skipped]:
    """The rows after the header.

    A row that is too short, too long or has an oversized field is skipped (short_row, long_row, bad_row), as is one
    with bytes that are not text in the file's encoding (bad_text), if they are in a column that is used.

    Raises:
        ConfigError: a column that the mapping asks for is not in the header, or is there twice.
        LogUnreadable: no header, a row of more than 1 MiB, a damaged file.
    """
    lines = _Lines(file, options.encoding)
    try:
        # Not text in this encoding: kept apart as lone surrogates, so that only the rows that use it are lost.
        rows = csv.reader(lines, delimiter=options.delimiter, quotechar=options.quote)
        header = _header(rows, lines, file.name)
        columns = _columns(file.name, header, options.delimiter, sorted(wanted.event))
        while (found := _next(rows, lines)) is not None:
            if found:
                yield _row(found, lines.row_line, len(header), columns)
    finally:
        lines.release()


def _row(found: list[str] | str, line: int, width: int, columns: list[tuple[str, int]]) -> Row | Skipped:
    where = f"line {line}"
    if isinstance(found, str):
        return Skipped(found, where)
    if len(found) < width and any(index >= len(found) for _, index in columns):
        return Skipped("short_row", where)
    if any(found[width:]):  # an unquoted delimiter: nobody knows which columns moved
        return Skipped("long_row", where)
    kept = {name: found[index] for name, index in columns}
    if any(not value.isascii() and _damaged(value) for value in kept.values()):
        return Skipped("bad_text", where)
    return Row(kept, {}, line)


def _damaged(value: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in value)


def _next(rows: Iterator[list[str]], lines: _Lines) -> list[str] | str | None:
    """The next row, the reason why there is none here, or None at the end."""
    lines.row_starts()
    try:
        return next(rows, None)
    except csv.Error:
        return "bad_row"


def _header(rows: Iterator[list[str]], lines: _Lines, name: str) -> list[str]:
    header = _next(rows, lines)
    while header == []:  # blank lines
        header = _next(rows, lines)
    if not isinstance(header, list):
        raise LogUnreadable(name, "line 1", "there is no header row")
    return header


def _columns(name: str, header: list[str], delimiter: str, wanted: list[str]) -> list[tuple[str, int]]:
    problems = [problem for column in wanted if (problem := _problem(column, header))]
    if problems:
        # The header itself is not repeated: where a file has none, its first row is data.
        raise ConfigError("\n".join(f"{name}: {problem}" for problem in [*problems, *_hint(header, delimiter)]))
    return [(column, header.index(column)) for column in wanted]


def _problem(column: str, header: list[str]) -> str:
    if header.count(column) > 1:
        return f"the column {column!r} is in the header {header.count(column)} times"
    return "" if column in header else f"there is no column {column!r}{suggestion(column, header)}"


def _hint(header: list[str], delimiter: str) -> list[str]:
    if len(header) > 1:
        return []
    likely = max(_DELIMITERS, key=header[0].count)
    if likely == delimiter or likely not in header[0]:
        return []
    return [f"the header is one column; `csv.delimiter` may have to be {_DELIMITERS[likely]}"]


class _Lines:
    """The lines of the file, as the csv module wants them; refuses to collect a row without end."""

    def __init__(self, file: LogFile, encoding: str) -> None:
        self._file = file
        self._text = io.TextIOWrapper(file.stream, encoding, errors="surrogateescape", newline="")
        self._line = 0
        self._in_row = 0
        self.row_line = 1

    def row_starts(self) -> None:
        """The next line begins a row: `row_line`, from 1."""
        self._in_row = 0
        self.row_line = self._line + 1

    def release(self) -> None:
        """Leave the file open: the text layer would close it when it is dropped, and with it the progress."""
        self._text.detach()

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        try:
            line = self._text.readline(MAX_ROW_CHARACTERS + 1)
        except READ_ERRORS as error:
            raise self._file.unreadable(f"after line {self._line}", error) from None
        except UnicodeError:
            raise self._unreadable("this is not text in the encoding of the mapping") from None
        if not line:
            raise StopIteration
        self._line += 1
        self._in_row += len(line)
        if self._in_row > MAX_ROW_CHARACTERS:
            raise self._unreadable("a row of more than 1 MiB; is a quote not closed, or the delimiter another?")
        return line

    def _unreadable(self, reason: str) -> LogUnreadable:
        return LogUnreadable(self._file.name, f"after line {self._line}", reason)
