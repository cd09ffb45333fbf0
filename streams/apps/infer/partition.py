"""One partition's work items in memory, and what has to be written of them. No I/O."""

from __future__ import annotations

import heapq
import sys
from collections.abc import Container, Iterable, Iterator
from datetime import datetime, timedelta

from schemas.errors import InvalidEvent
from schemas.events import Event
from schemas.policy import PolicyBook
from schemas.rows import Row, WorkItemRow
from schemas.topics import event_key, split_key, work_item_key
from schemas.vocabulary import EARLIEST
from streams.apps.infer.items import HOT_EVENTS, Hot, Items, Packing
from streams.apps.infer.stubs import Stubs
from streams.apps.state import encode_state, history_of
from streams.inference.fold import Outline, WorkItemFold

WITH_EPISODES = ("handoff", "work_item", "communication", "problem")
_MOST_REPLACED = 1_000
"""Instants in a heap of alarms that were replaced since; as many again as there are keys, besides."""


class Partition:
    """The folds of one partition of `tieline.events`, under one assignment.

    Attributes:
        number: the partition.
        assignment: which holding of it this is; see `PartitionBatch.assignment`.
        next_offset: where reading goes on; everything before is folded.
        written_offset: everything before has its rows acknowledged.
        stubs: evicted work items.
    """

    def __init__(
        self, number: int, policies: PolicyBook, hot_events: int = HOT_EVENTS, packing: Packing | None = None
    ) -> None:
        self.number, self.policies = number, policies
        self.assignment = -1
        self.next_offset = 0
        self._began_at, self._began_at_offset = EARLIEST, 0
        self.written_offset = 0
        self.folds = Items(packing)
        self.stubs = Stubs()
        self._unsaid: dict[bytes, WorkItemFold] = {}
        self._saying: dict[bytes, WorkItemFold] = {}
        self._unsaved: dict[bytes, WorkItemFold] = {}
        self._leaving: dict[bytes, WorkItemFold] = {}
        self._evicted: dict[bytes, WorkItemFold] = {}
        self._deadlines = Alarms()
        self._lingering = Alarms()
        self._hot = Hot(hot_events)
        self._united: set[bytes] = set()

    def restore(self, row: WorkItemRow) -> None:
        """Take in a state record. Records are united, so an older one that comes later takes nothing back."""
        key = work_item_key(row.process, row.work_item)
        self._united.discard(key)
        if row.evicted:
            self.stubs.add(key)
            self.folds.drop(key)
            return
        self.stubs.discard(key)
        held = self.folds.get(key)
        if held is None:
            held = self.folds.add(key, WorkItemFold.restored(row, history_of(row)))
        else:
            encoded = history_of(row)
            held.unite(row, encoded)
            held.next_deadline_at, held.closed = row.next_deadline_at, row.closed
            if held.history.encode() != encoded:
                self._united.add(key)
        self.folds.put_to_rest(key)

    def start(self, began_at: datetime = EARLIEST, say_again: bool = False, end_offset: int = 0) -> None:
        """All state is read: watch deadlines and lingering items again; say everything again, if asked to.

        Args:
            began_at: now. Events that arrived before may have been read and told of by another.
            end_offset: where the partition ends now, as the broker says: the same, whatever clocks say. 0: not known.
        """
        self._began_at, self._began_at_offset = began_at, end_offset
        for key, item in self.folds.outlines():
            self._watch(key, item)
        # The last record of these lacks something, and compaction will leave only that one: they are written anew, with
        # the deadline of what they hold.
        for key in self._united:
            self._unsaid[key] = self._unsaved[key] = self.folds[key]
        self._united.clear()
        if say_again:
            self._unsaid.update((key, self.folds[key]) for key in self.folds)

    def fold(self, event: Event, arrived_at: datetime, offset: int = sys.maxsize, content: bytes = b"") -> bytes | None:
        """Take in one event. Returns the content that lost, if two contents claim its identity.

        Args:
            content: its canonical bytes, where they are known.
        Raises: InvalidEvent: `oversize`, its work item has too many events already.
        """
        if event.type.split(".")[1] not in WITH_EPISODES:
            return None
        key = event_key(event)
        held = self.folds.get(key)
        if held is None:
            held = self.folds.add(key, WorkItemFold(event.process, event.subject, arrived_at))
        if offset < self._began_at_offset or arrived_at < self._began_at:  # perhaps read before, by a worker that died
            held.may_have_been_told()
        else:
            held.nobody_else_told()
        added = held.add(event, arrived_at, content)
        self._stay(key, held)
        if added.outcome != "known":
            self._unsaid[key] = self._unsaved[key] = held
        elif not any(key in used for used in self._in_use()):
            self.folds.put_to_rest(key)
        if added.outcome == "oversize":
            raise InvalidEvent("oversize")
        return added.loser

    def is_stub(self, key: bytes) -> bool:
        """Whether the work item was evicted: its events go to `tieline.late`."""
        return key not in self.folds and key in self.stubs

    def unsaid(self) -> int:
        """How many work items have changes that are not written yet."""
        return len(self._unsaid)

    def take_changes(self, as_of: datetime) -> Iterator[tuple[bytes, list[Row]]]:
        """The changed rows of every work item that changed, each once. Cost: about 100 µs for each."""
        self._saying, self._unsaid = self._unsaid, {}
        for key, fold in self._saying.items():
            rows = fold.changes(self.policies, as_of)
            self._unsaved[key] = fold
            self._watch(key, fold)
            self._hot.keep(key, fold)
            yield key, rows
        self._saying = {}

    def tick(self, now: datetime) -> None:
        """Look at the clock: items whose deadline has passed change; settled ones leave."""
        for key in self._deadlines.passed(now):
            fold = self.folds.get(key)
            if fold is not None and fold.next_deadline_at is not None and fold.next_deadline_at <= now:
                self._unsaid[key] = fold
        for key in self._lingering.passed(now):
            fold = self.folds.get(key)
            if fold is None or key in self._unsaid:
                continue
            if fold.settled(now, self._linger(key)):
                self._leaving[key] = self._unsaved[key] = fold
            else:
                self._watch(key, fold)

    def take_states(self, as_of: datetime) -> list[tuple[bytes, bytes]]:
        """The state records of all items that changed since the last call."""
        changed, self._unsaved = self._unsaved, {}
        self._evicted |= self._leaving
        self._leaving.clear()
        states = [(key, encode_state(fold, as_of, evicted=key in self._evicted)) for key, fold in changed.items()]
        self.folds.rest(*self._in_use())
        return states

    def has_unsaved(self) -> bool:
        """Whether a checkpoint would write anything."""
        return bool(self._unsaved)

    def states_kept(self) -> None:
        """The state records last taken are acknowledged: items that leave are now stubs."""
        for key in self._evicted:
            self.stubs.add(key)
            self.folds.drop(key)
            self._hot.drop(key)
            self._deadlines.drop(key)
            self._lingering.drop(key)
        self._evicted.clear()

    def states_not_kept(self, keys: Iterable[bytes]) -> None:
        """The state records last taken, of these items, were not written: nobody leaves, all are taken again."""
        self._unsaved.update((key, self.folds[key]) for key in keys)
        self._leaving.update(self._evicted)
        self._evicted.clear()

    def _in_use(self) -> tuple[Container[bytes], ...]:
        """Keys of the folds that something else than `folds` holds, so that they must not rest."""
        return self._hot, self._unsaid, self._saying, self._unsaved, self._leaving, self._evicted

    def _stay(self, key: bytes, fold: WorkItemFold) -> None:
        """An event came for an item that was about to leave: it is kept, and its state is written again."""
        if self._leaving.pop(key, None) or self._evicted.pop(key, None):
            self._unsaved[key] = fold
            self._watch(key, fold)

    def _watch(self, key: bytes, item: WorkItemFold | Outline) -> None:
        if item.next_deadline_at is not None:
            self._deadlines.set(key, item.next_deadline_at)
        elif item.ending:
            self._lingering.set(key, item.last_arrival_at + self._linger(key))

    def _linger(self, key: bytes) -> timedelta:
        return timedelta(seconds=self.policies.newest(split_key(key)[0]).process.linger_s)


class Alarms:
    """For each key at most one instant to look at it again; setting it anew replaces it."""

    def __init__(self) -> None:
        self._heap: list[tuple[datetime, bytes]] = []
        self._set: dict[bytes, datetime] = {}

    def set(self, key: bytes, at: datetime) -> None:
        if self._set.get(key) != at:
            self._set[key] = at
            heapq.heappush(self._heap, (at, key))
            if len(self._heap) > 2 * len(self._set) + _MOST_REPLACED:
                self._heap = [(at, key) for key, at in self._set.items()]
                heapq.heapify(self._heap)

    def drop(self, key: bytes) -> None:
        """Do not look at it again."""
        self._set.pop(key, None)

    def passed(self, now: datetime) -> list[bytes]:
        """The keys whose instant is not after `now`, in that order; they are no longer set."""
        keys: list[bytes] = []
        while self._heap and self._heap[0][0] <= now:
            at, key = heapq.heappop(self._heap)
            if self._set.get(key) == at:
                del self._set[key]
                keys.append(key)
        return keys
