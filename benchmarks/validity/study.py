"""What a study is: a pure computation to figures that JSON can hold, and what the page makes of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from matplotlib.figure import Figure

Found = dict[str, Any]


@dataclass(frozen=True)
class Plan:
    """How much is simulated. A quick plan shows that a study works and gives no figures worth reading."""

    quick: bool = False
    say: Callable[[str], None] = field(default=lambda _: None)

    def pick(self, full: int, quick: int) -> int:
        """The size for this plan."""
        return quick if self.quick else full


class Verdict(NamedTuple):
    """One promise, what was found, and whether it is kept."""

    promise: str
    found: str
    kept: bool


class Study(NamedTuple):
    """One question.

    Attributes:
        run: figures of the study; nothing but the plan decides them.
        verdicts: what they say about each promise.
        section: the page's section as Markdown, without its heading.
        drawings: name of the picture to what draws it.
    """

    name: str
    title: str
    run: Callable[[Plan], Found]
    verdicts: Callable[[Found], list[Verdict]]
    section: Callable[[Found], str]
    drawings: Mapping[str, Callable[[Found, Figure], None]]


def table(head: list[str], rows: list[list[str]], left: int = 1) -> str:
    """Markdown; the first `left` columns are texts, the others figures."""
    ruler = ["---"] * left + ["--:"] * (len(head) - left)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, ruler, *rows))


def prose(name: str, **parts: object) -> str:
    """The text of `prose/<name>.txt` with figures put into it."""
    text = (Path(__file__).parent / "prose" / f"{name}.txt").read_text(encoding="utf-8")
    return text.format(**parts).rstrip("\n")


def percent(share: float, digits: int = 1) -> str:
    """As a percentage without the sign."""
    return f"{100 * share:.{digits}f}"
