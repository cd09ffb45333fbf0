"""What is known of one work item: a set of event contents. Adding is a union, so order and repeats change nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from operator import attrgetter
from typing import Literal, NamedTuple

from schemas.decoding import decode, decode_with_canonical
from schemas.events import Event
from schemas.vocabulary import EventRef

MAX_EVENTS = 10_000
"""A work item with more distinct contents is `oversize`: a bug of its source or an attack, not work."""

_VERSION = b"1"
_ORDER = attrgetter("time", "sequence", "source", "id")  # `Envelope.order` in half the time


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

    Once oversize it keeps what it has and stores no more, so it is bounded by `MAX_EVENTS` events.
    """

    __slots__ = ("_losers", "_winners", "oversize")

    def __init__(self) -> None:
        self._winners: dict[EventRef, bytes] = {}
        self._losers: dict[EventRef, set[bytes]] = {}
        self.oversize = False

    def __len__(self) -> int:
        return len(self._winners) + sum(map(len, self._losers.values()))

    def add(self, event: Event) -> Added:
        """Take in one event. Cost: 3 µs."""
        return self._add(event.ref, event.canonical())

    def _add(self, ref: EventRef, content: bytes) -> Added:
        held = self._winners.get(ref)
        if held == content or content in self._losers.get(ref, ()):
            return Added("known")
        if self.oversize or len(self) >= MAX_EVENTS:
            self.oversize = True
            return Added("oversize")
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

    def contents(self) -> Contents:
        """The decoded events. Cost: 5 µs for each."""
        winners = sorted([decode(content) for content in self._winners.values()], key=_ORDER)
        return Contents(tuple(winners), tuple(decode(content) for content in sorted(self._lost())))

    def encode(self) -> bytes:
        """One line for each content after a version line; equal histories have equal bytes."""
        lines = sorted([*self._winners.values(), *self._lost()])
        return b"\n".join([_VERSION + (b" oversize" if self.oversize else b""), *lines])

    def merge(self, encoded: bytes) -> list[Event]:
        """Unite with what `encode` gave.

        Returns: the events for which there was no room, because both together are oversize.
        Raises: ValueError: written by a newer version.
        """
        header, *lines = encoded.split(b"\n")
        version, _, flag = header.partition(b" ")
        if version != _VERSION:
            raise ValueError("state of an unknown version")
        contents = [decode_with_canonical(line) for line in lines]
        refused = [event for event, content in contents if self._add(event.ref, content).outcome == "oversize"]
        self.oversize = self.oversize or flag == b"oversize"
        return refused

    def _lost(self) -> Iterator[bytes]:
        for contents in self._losers.values():
            yield from contents


def contents_of(events: Iterable[Event]) -> Contents:
    """The contents of any collection of events of one work item, whatever its order and repeats."""
    history = History()
    for event in events:
        history.add(event)
    return history.contents()
