"""What every reader yields: one event of the log, still in the log's own words."""

from __future__ import annotations

from typing import NamedTuple

from streams.gateway.log_import.mapping import Level

Attributes = dict[str, str]


class Row(NamedTuple):
    """One event of the log: only the attributes that the mapping asks for, and the line it began on."""

    event: Attributes
    trace: Attributes
    line: int

    def text(self, attribute: str, level: Level | None) -> str:
        """The value, or the empty text."""
        return (self.trace if level == "trace" else self.event).get(attribute, "")


class Skipped(NamedTuple):
    """An event of the log that became nothing: a stable reason code, and where it is; never what it said."""

    reason: str
    where: str


class Wanted(NamedTuple):
    """The attributes that a mapping asks for; nothing else of a log is ever kept."""

    event: frozenset[str]
    trace: frozenset[str]
