"""What a report is made of, before it is a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

Cell = str


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph; `note` is set apart as a caution."""

    text: str
    note: bool = False
    kind: Literal["text"] = "text"


@dataclass(frozen=True, slots=True)
class Items:
    """A list of sentences."""

    items: tuple[str, ...]
    kind: Literal["items"] = "items"


@dataclass(frozen=True, slots=True)
class Table:
    """The first `headers` cells of a row name it; the first row of all, `columns`, names the columns."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    headers: int = 1
    narrow: bool = False
    kind: Literal["table"] = "table"


@dataclass(frozen=True, slots=True)
class Picture:
    """An SVG without declaration, its caption, and what it shows in words and numbers."""

    svg: str
    caption: str
    alternative: str
    kind: Literal["picture"] = "picture"


Block = Text | Items | Table | Picture


@dataclass(frozen=True, slots=True)
class Section:
    """A heading, what stands below it, and the sections within."""

    title: str
    blocks: Sequence[Block] = ()
    sections: Sequence[Section] = ()
    key: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """All about one process."""

    title: str
    sections: tuple[Section, ...] = field(default=())
