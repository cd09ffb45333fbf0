"""HTML that is escaped unless it was made here."""

from __future__ import annotations

from html import escape
from typing import Final

_VOID: Final = frozenset({"br", "hr", "input", "link", "meta"})


class Html(str):
    """Markup: put into other markup as it is."""

    __slots__ = ()


Content = Html | str | int | None


def text(value: object) -> Html:
    """Escaped, also inside attributes."""
    return value if isinstance(value, Html) else Html(escape(str(value), quote=True))


def joined(*parts: Content) -> Html:
    """One after the other; None is left out."""
    return Html("".join(text(part) for part in parts if part is not None))


def tag(element: str, /, *children: Content, **attributes: object) -> Html:
    """An element. `class_` and `for_` lose their last underline, other underlines become hyphens; True is an attribute
    without a value, None and False leave it out."""
    written = "".join(_attribute(key, value) for key, value in attributes.items())
    opening = f"<{element}{written}>"
    return Html(opening if element in _VOID else f"{opening}{joined(*children)}</{element}>")


def _attribute(key: str, value: object) -> str:
    if value is None or value is False:
        return ""
    name = key.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{text(value)}"'


def prose(written: str) -> Html:
    """A sentence of ours: what stands between backticks is something to type or a name of the system."""
    parts = written.split("`")
    return joined(*(tag("code", part) if place % 2 else part for place, part in enumerate(parts)))
