"""The CSV file of a survey: one line for each rater role, rated role and dimension, with mean and number of raters.

All or nothing: a file with a line that nobody can read is refused whole, and every problem is named with its line. No
message ever holds a value of the file.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple, get_args

from pydantic import TypeAdapter, ValidationError

from schemas.errors import TielineError
from schemas.vocabulary import RoleName, SiteName, SurveyDimension

Column = Literal["rater_role", "rated_role", "dimension", "mean", "n", "site"]
COLUMNS: tuple[Column, ...] = get_args(Column)
REQUIRED: tuple[Column, ...] = ("rater_role", "rated_role", "dimension", "mean", "n")
MAX_BYTES = 1024 * 1024
MAX_ROWS = 10_000
MOST_SAID = 20
"""Problems that a message names; the rest are counted."""

_DELIMITERS = (",", ";", "\t", "|")
_MEAN = re.compile(r"[1-5](?:\.[0-9]{1,15})?")
_COUNT = re.compile(r"[0-9]{1,9}")
_FORMULA = ("=", "+", "-", "@")
_ROLE: TypeAdapter[str] = TypeAdapter(RoleName)
_SITE: TypeAdapter[str] = TypeAdapter(SiteName)
_DIMENSIONS = frozenset(get_args(SurveyDimension))


class SurveyUnusable(TielineError):  # noqa: N818 - says what is wrong with the file
    """The file is not a survey as docs/surveys.md describes it. Nothing of it was sent.

    Operator action: correct the lines or columns that the message names.
    """


class SurveyRow(NamedTuple):
    """One line: the mean (1..5) of `n` raters of one role about another role, on one dimension."""

    line: int
    rater_role: str
    rated_role: str
    dimension: SurveyDimension
    mean: float
    n: int
    site: str = ""


def read_survey(path: Path) -> list[SurveyRow]:
    """All lines of the file, in its order.

    Takes UTF-8 with or without a byte order mark, with commas, semicolons, tabs or bars between the columns, and, where
    the comma does not separate, a decimal comma.

    Raises: SurveyUnusable: a file that is too large, no text, without the columns, with columns that nobody knows, or
        with a line that cannot be read.
    """
    lines = _text(path).splitlines()
    delimiter, header = _header(path, lines)
    problems: list[str] = []
    rows = list(_rows(lines, delimiter, header, problems))
    if not rows and not problems:
        problems.append("there is no line after the header")
    _refuse(path, problems)
    return rows


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise SurveyUnusable(f"{path}: cannot be read: {error.strerror}") from None
    if len(raw) > MAX_BYTES:
        raise SurveyUnusable(f"{path}: more than 1 MiB: results are added up by roles before they are imported")
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise SurveyUnusable(f"{path}: this is UTF-16; save it as CSV in UTF-8")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise SurveyUnusable(f"{path}: this is not text in UTF-8; save it as CSV in UTF-8") from None
    if "\0" in text:
        raise SurveyUnusable(f"{path}: this is not text: it holds null characters")
    return text


def _header(path: Path, lines: list[str]) -> tuple[str, list[str]]:
    """The delimiter, and the columns in their order.

    Unknown columns are named only where the known ones are there too: else the first line may be data.
    """
    first = next((line for line in lines if line.strip()), "")
    delimiter = max(_DELIMITERS, key=first.count)
    try:
        names = next(csv.reader([first], delimiter=delimiter), [])
    except csv.Error:
        raise SurveyUnusable(f"{path}: line 1: this is no header") from None
    header = [name.strip().lower().replace(" ", "_") for name in names]
    missing = [column for column in REQUIRED if column not in header]
    if missing:
        raise SurveyUnusable(
            f"{path}: line 1: there is no column {', '.join(missing)}; a survey has {', '.join(REQUIRED)}, and may have"
            " site"
        )
    unknown = sorted({name[:40] for name in header if name not in COLUMNS})
    if unknown:
        raise SurveyUnusable(
            f"{path}: line 1: unknown columns: {', '.join(map(repr, unknown))}. Only results that are added up by roles"
            " are taken; remove them, above all where they are about single people"
        )
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise SurveyUnusable(f"{path}: line 1: columns that are there twice: {', '.join(twice)}")
    return delimiter, header


def _rows(lines: list[str], delimiter: str, header: list[str], problems: list[str]) -> Iterator[SurveyRow]:
    """What can be read; what cannot is added to `problems`. Quoted line breaks are not taken: no role has any."""
    started, found = False, 0
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        if not started:
            started = True
            continue
        found += 1
        if found > MAX_ROWS:
            problems.append(f"more than {MAX_ROWS:,} lines")
            return
        try:
            yield _row(number, _cells(line, delimiter, header), delimiter)
        except ValueError as error:
            problems.append(f"line {number}: {error}")


def _cells(line: str, delimiter: str, header: list[str]) -> dict[str, str]:
    try:
        cells = next(csv.reader([line], delimiter=delimiter, strict=True))
    except csv.Error:
        raise ValueError("a quotation mark is not closed, or stands within a cell") from None
    if len(cells) != len(header):
        raise ValueError(f"{len(cells)} cells under {len(header)} columns")
    return {name: cell.strip() for name, cell in zip(header, cells, strict=True)}


def _row(number: int, cells: dict[str, str], delimiter: str) -> SurveyRow:
    """Raises: ValueError: in words, without the value."""
    return SurveyRow(
        number,
        _name("rater_role", cells["rater_role"], _ROLE),
        _name("rated_role", cells["rated_role"], _ROLE),
        _dimension(cells["dimension"]),
        _mean(cells["mean"], delimiter),
        _count(cells["n"]),
        _name("site", cells.get("site", ""), _SITE),
    )


def _name(column: Column, cell: str, kind: TypeAdapter[str]) -> str:
    if cell.startswith(_FORMULA):
        raise ValueError(f"{column}: begins with = + - or @, which a spreadsheet takes for a formula")
    try:
        return kind.validate_python(cell, strict=True)
    except ValidationError:
        raise ValueError(f"{column}: empty, longer than 128 characters, or with control characters") from None


def _dimension(cell: str) -> SurveyDimension:
    name = re.sub(r"[\s-]+", "_", cell.lower())
    if name not in _DIMENSIONS:
        raise ValueError(f"dimension: not one of {', '.join(get_args(SurveyDimension))}")
    return name  # type: ignore[return-value]  # just found among them


def _mean(cell: str, delimiter: str) -> float:
    written = cell if delimiter == "," else cell.replace(",", ".", 1)
    mean = float(written) if _MEAN.fullmatch(written) else 0.0
    if not 1 <= mean <= 5:
        raise ValueError("mean: not a number from 1 to 5")
    return mean


def _count(cell: str) -> int:
    if not _COUNT.fullmatch(cell) or int(cell) < 1:
        raise ValueError("n: not a whole number of raters")
    return int(cell)


def _refuse(path: Path, problems: list[str]) -> None:
    if problems:
        said = [f"{path}: {problem}" for problem in problems[:MOST_SAID]]
        more = [f"and {len(problems) - MOST_SAID:,} more"] if len(problems) > MOST_SAID else []
        raise SurveyUnusable("\n".join([*said, *more]))
