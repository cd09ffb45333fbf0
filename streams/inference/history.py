"""What is known of one work item: a set of event contents. Adding is a union, so order and repeats change nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Literal, NamedTuple, cast

from schemas.decoding import decode, decode_with_canonical
from schemas.errors import ConfigError, InvalidEvent
from schemas.events import CommunicationSent, Event, ProblemRaised, ProblemResponded
from schemas.vocabulary import EventRef
from streams.inference.acts import in_order

MAX_EVENTS = 10_000
MAX_BYTES = 8 * 1024 * 1024
"""A work item with more distinct contents, or more bytes of them, is `oversize`: a bug of its source or an attack, not
work. What is said to several roles counts once for each, as it leads to rows for each. Its state has to fit into one
record of 16 MiB, however badly it compresses."""

_VERSION = b"1"
_ADDRESSED = frozenset({CommunicationSent, ProblemRaised, ProblemResponded})


class Added(NamedTuple):
    """What adding an event did. `loser` is the content that lost against another of the same identity."""

    outcome: Literal["new", "known", "conflict", "oversize"]
    loser: bytes | None = None


class Contents(NamedTuple):
    """The events of a history: `winners` in the order of the work item, one for each identity, and the `losers`."""

    winners: tuple[Event, ...]
    losers: tuple[Event, ...]


class History:
    """The distinct contents of one work item, by identity; the smallest canonical bytes of an identity win.

    Once oversize it keeps what it has and stores no more, so it is bounded by `MAX_EVENTS` and `MAX_BYTES`. One that
    was `encoded` before is only read when somebody asks what is in it.
    """

    __slots__ = ("_counted", "_losers", "_size", "_unread", "_winners", "oversize")

    def __init__(self) -> None:
        self._winners: dict[EventRef, bytes] = {}
        self._losers: dict[EventRef, set[bytes]] = {}
        self._size = self._counted = 0
        self._unread: bytes | None = None
        self.oversize = False

    @classmethod
    def encoded(cls, encoded: bytes) -> History:
        """What `encode` gave, not decoded yet.

        Raises: ValueError: written by a newer version.
        """
        history = cls()
        if not _fits(encoded):
            history.merge(encoded)
            return history
        history.oversize = _flag(encoded)
        history._unread = encoded
        return history

    def __len__(self) -> int:
        if self._unread is not None:
            return self._unread.count(b"\n")
        return len(self._winners) + sum(map(len, self._losers.values()))

    def add(self, event: Event, content: bytes = b"") -> Added:
        """Take in one event.

        Args:
            content: its canonical bytes, where they are known; else they are made, at 3 µs.
        """
        return self._add(event, content or event.canonical())

    def _add(self, event: Event, content: bytes) -> Added:
        if self._unread is not None:
            self._read()
        ref, counts = event.ref, counts_as(event)
        held = self._winners.get(ref)
        if held == content or content in self._losers.get(ref, ()):
            return Added("known")
        if self.oversize or too_large(self._counted + counts, self._size + len(content)):
            self.oversize = True
            return Added("oversize")
        self._size += len(content)
        self._counted += counts
        if held is None:
            self._winners[ref] = content
            return Added("new")
        winner, loser = sorted((held, content))
        self._winners[ref] = winner
        self._losers.setdefault(ref, set()).add(loser)
        return Added("conflict", loser)

    def forget(self) -> None:
        """Drop what an oversize work item holds: nothing that comes can change that it has no rows."""
        self._winners.clear()
        self._losers.clear()
        self._size = self._counted = 0
        self._unread = None

    def contents(self) -> Contents:
        """The decoded events. Cost: 5 µs for each."""
        if self._unread is not None:
            events = self._read()
            if not self._losers:
                return Contents(in_order(events), ())
        winners = in_order([decode(content) for content in self._winners.values()])
        return Contents(winners, tuple([decode(content) for content in sorted(self._lost())]))

    def encode(self) -> bytes:
        """One line for each content after a version line; equal histories have equal bytes."""
        if self._unread is not None:
            return self._unread
        lines = sorted([*self._winners.values(), *self._lost()])
        return b"\n".join([_VERSION + (b" oversize" if self.oversize else b""), *lines])

    def merge(self, encoded: bytes) -> list[Event]:
        """Unite with what `encode` gave.

        Returns: the events for which there was no room, because both together are oversize.
        Raises: ValueError: written by a newer version.
        """
        flagged = _flag(encoded)
        if self._unread is not None:
            if not self.oversize and not flagged and self._one_holds_both(encoded):
                return []
            self._read()
        lines = encoded.split(b"\n")[1:]
        contents = [decode_with_canonical(line) for line in lines]
        refused = [event for event, content in contents if self._add(event, content).outcome == "oversize"]
        self.oversize = self.oversize or flagged
        return refused

    def _one_holds_both(self, encoded: bytes) -> bool:
        """Whether one of two unread histories is part of the other; then the larger is kept, still unread."""
        ours, theirs = (set(one.split(b"\n")) for one in (self._unread or b"", encoded))
        if ours <= theirs and _fits(encoded):
            self._unread = encoded
            return True
        return theirs <= ours

    def _read(self) -> list[Event]:
        """Decode what has not been read; returns the events.

        Raises: ConfigError: a newer version wrote it, with events that we do not know.
        """
        encoded, self._unread = self._unread or _VERSION, None
        lines = encoded.split(b"\n")[1:]
        try:
            events = [decode(line) for line in lines]
        except InvalidEvent as error:
            raise ConfigError(f"a state holds an event that this version cannot read: {error.code}") from None
        flagged, self.oversize, self._size, self._counted = self.oversize, False, 0, 0
        for event, line in zip(events, lines, strict=True):
            self._add(event, line)
        self.oversize = self.oversize or flagged
        return events

    def _lost(self) -> Iterator[bytes]:
        for contents in self._losers.values():
            yield from contents


def too_large(counted: int, size: int) -> bool:
    """Whether so many contents, addressees counted, or so many bytes of them, are more than a work item may have."""
    return counted > MAX_EVENTS or size > MAX_BYTES


def counts_as(event: Event) -> int:
    """How many of `MAX_EVENTS` an event takes up."""
    return max(1, len(cast(Any, event.data).to_roles)) if type(event) in _ADDRESSED else 1


def contents_of(events: Iterable[Event]) -> Contents:
    """The contents of any collection of events of one work item, whatever its order and repeats."""
    history = History()
    for event in events:
        history.add(event)
    return history.contents()


def _flag(encoded: bytes) -> bool:
    """Whether encoded bytes say that the item is oversize. Raises: ValueError: written by a newer version."""
    version, _, flag = encoded.partition(b"\n")[0].partition(b" ")
    if version != _VERSION:
        raise ValueError("state of an unknown version")
    return flag == b"oversize"


def _fits(encoded: bytes) -> bool:
    """Whether encoded bytes hold no more than a work item may have."""
    header, contents = len(encoded.partition(b"\n")[0]), encoded.count(b"\n")
    return not too_large(contents, len(encoded) - header - contents)
