"""What was read of files, and what could not be used: where, a code, a field; never what it said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from streams.gateway.log_import.errors import LogUnreadable

MOST_KEPT = 200


class LeftOut(NamedTuple):
    """One event of a file that was not used.

    Attributes:
        file: its name without the folder.
        where: `line 3`, `line 3, data.role`, `row 17, time`, `event 5`.
    """

    file: str
    where: str
    code: str


@dataclass(slots=True)
class FileReport:
    """Grows while files are read.

    Attributes:
        events: used.
        not_folded: events of interventions and surveys: the inference takes them from the store.
        codes: how many were left out, by code.
        first: the first of those left out; all of them go to `told`.
        unreadable: files that could not be read to their end.
        hints: sentences about files that may not hold what a replay needs; nothing of their content is in them.
    """

    told: Callable[[LeftOut], None] | None = None
    events: int = 0
    not_folded: int = 0
    codes: Counter[str] = field(default_factory=Counter)
    first: list[LeftOut] = field(default_factory=list)
    unreadable: list[LogUnreadable] = field(default_factory=list)
    hints: list[str] = field(default_factory=list)

    @property
    def left_out(self) -> int:
        """How many events were not used."""
        return sum(self.codes.values())

    def leave_out(self, file: str, where: str, code: str) -> None:
        """Note an event that cannot be used."""
        found = LeftOut(file, where, code)
        self.codes[code] += 1
        if len(self.first) < MOST_KEPT:
            self.first.append(found)
        if self.told is not None:
            self.told(found)
