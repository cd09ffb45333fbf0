"""Where a replay reads: whole work items, in parts that can be read again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol


class WorkItemEvents(NamedTuple):
    """One whole work item.

    Attributes:
        payloads: canonical bytes of every content that is known of it, in any order; repeats are allowed.
    """

    process: str
    subject: str
    payloads: Sequence[bytes]


class Chunk(NamedTuple):
    """A part of a source: the unit of work, and of resuming.

    Attributes:
        id: names the same work items whenever the same source is cut again; unique within its source.
        events: about how many it holds; for progress and for balance, never for correctness.
        first, last: where it begins and ends, as its source understands them; half-open, opaque to everybody else.
    """

    id: str
    events: int = 0
    first: tuple[str, ...] = ()
    last: tuple[str, ...] = ()


class Source(Protocol):
    """Events by work item. Sent to worker processes, so it pickles, and holds no open file or connection."""

    @property
    def name(self) -> str:
        """What `runs` says of where the events came from: `archive`, or names of files without their folders."""

    def latest_at(self) -> datetime | None:
        """Event time of the newest event, aware UTC: the `as_of` of a replay that is given none. None: no event."""

    def chunks(self) -> Sequence[Chunk]:
        """All of it, cut into parts; every work item lies in exactly one."""

    def read(self, chunk: Chunk) -> Iterator[WorkItemEvents]:
        """The work items of one part, each once.

        Raises: TransientError: the source is away for now. ConfigError: it cannot be read, or has changed.
        """
