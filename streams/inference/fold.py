"""One work item in memory: its history, and what has been said of it so far. Says only what changed.

Pure but for its own state. Whatever the order, repeats, splits, evictions and restores, the rows it has said last are
those of `facts` on all the events.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import chain
from struct import Struct
from typing import NamedTuple, cast

from schemas.errors import InvariantError
from schemas.events import Event
from schemas.policy import PolicyBook
from schemas.rows import Row, WorkItemRow, revised, revision
from schemas.vocabulary import EARLIEST, Rule
from streams.inference.facts import LIVE, NO_FACTS, Facts, RowKey, facts_of, possible_keys, tombstone
from streams.inference.history import Added, Contents, History

OVERSIZE_EVENTS = 2**14 - 1
"""What an oversize item counts in `revision`: more than any other, so that its tombstones win for good."""
Order = tuple[datetime, int, str, str]
FIRST: Order = (EARLIEST, -1, "", "")


class WorkItemFold:
    """The fold of one work item.

    Attributes:
        next_deadline_at: when it changes by itself.
        closed: whether its last event closed it.
        last_arrival_at: when an event last arrived, which has nothing to do with event time.
    """

    __slots__ = (
        "_alone",
        "_contents",
        "_in_order",
        "_last_order",
        "_refused",
        "_repeats",
        "_restored",
        "_said",
        "_said_events",
        "_said_hashes",
        "closed",
        "history",
        "last_arrival_at",
        "next_deadline_at",
        "process",
        "subject",
    )

    def __init__(self, process: str, subject: str, last_arrival_at: datetime) -> None:
        self.process, self.subject = process, subject
        self.history = History()
        self.last_arrival_at = last_arrival_at
        self.next_deadline_at: datetime | None = None
        self.closed = False
        # None: not known what was said, because another worker may have said it. Then everything is said again.
        self._said: dict[RowKey, int] | None = {}
        self._said_events = 0
        # What was said as hashes of keys and rows, after a rest: the keys are found again when they are needed.
        self._said_hashes: dict[int, int] | None = None
        self._repeats = self._restored = self._alone = False
        # Whether events came in their own order so far: then no episode that began has gone, only evidence may have.
        self._in_order = True
        self._last_order: Order | None = FIRST  # None: not known since a rest
        # What somebody else may have told of, such as events that an oversize item has no room for.
        self._refused: set[RowKey] = set()
        # The decoded events, while it is hot; a new event is sorted in, so a busy item is never decoded again.
        self._contents: Contents | None = Contents((), ())

    @classmethod
    def restored(cls, row: WorkItemRow, encoded: bytes) -> WorkItemFold:
        """The fold as `state_row` left it; `encoded` is `row.state` decompressed.

        Raises: ValueError, InvalidEvent: the state was written by a newer version.
        """
        fold = cls(row.process, row.work_item, row.last_arrival_at)
        fold._restored, fold._said = True, None
        fold.history = History.encoded(encoded)
        fold._contents = None
        fold.next_deadline_at, fold.closed = row.next_deadline_at, row.closed
        return fold

    @classmethod
    def recomputed(cls, process: str, subject: str, events: Iterable[Event], as_of: datetime) -> WorkItemFold:
        """The fold of an item that had left memory, from all its archived events; its first word is everything."""
        fold = cls(process, subject, as_of)
        fold._said = None
        for event in events:
            fold.add(event, as_of)
        return fold

    def may_have_been_told(self) -> None:
        """Another worker may have folded more of this item, and spoken, before it died.

        What it said stands with a higher revision than what we say from fewer events, and what it said in between may
        be gone with the events that we read at once. So with every such event all rows are said again, and those taken
        back that could have been said: at the latest with the last of them it is ours that stand.
        """
        self._repeats = True

    def may_stand(self, keys: Iterable[RowKey]) -> None:
        """Rows that were said of this item, by whomever: they are taken back unless they are true."""
        self._refused.update(keys)

    def nobody_else_told(self) -> None:
        """The next event is new to everybody, and so is whatever follows: once it has said everything with that one, a
        restored item knows what stands, and says only what changes again. Otherwise each event of a large item would
        say all of its rows again, for as long as the worker lives.
        """
        self._alone = True

    def unite(self, row: WorkItemRow, encoded: bytes) -> None:
        """Take in another state of the same item: a union, so that no state record can take anything back."""
        for event in self.history.merge(encoded):
            self._refuse(event)
        self.last_arrival_at = max(self.last_arrival_at, row.last_arrival_at)
        self._contents = None

    def add(self, event: Event, arrived_at: datetime, content: bytes = b"") -> Added:
        """Take in one event of this work item; `content` are its canonical bytes, where they are known."""
        if self._last_order is None:
            self._last_order = self._recalled_order()
        added = self.history.add(event, content)
        self.last_arrival_at = max(self.last_arrival_at, arrived_at)
        if added.outcome == "new" and self._contents is not None:
            winners = list(self._contents.winners)
            insort(winners, event, key=lambda held: held.order)
            self._contents = Contents(tuple(winners), self._contents.losers)
        elif added.outcome != "known":
            self._contents = None
        self._note_order(event, added)
        if added.outcome == "oversize":
            self._refuse(event)
        return added

    def _note_order(self, event: Event, added: Added) -> None:
        if added.outcome != "known":
            self._in_order &= added.outcome == "new" and event.order > (self._last_order or FIRST)
            self._last_order = max(self._last_order or FIRST, event.order)

    def _refuse(self, event: Event) -> None:
        if self._said is None or self._restored or self._repeats:
            self._refused.update(possible_keys(Contents((event,), ())))

    def changes(self, policies: PolicyBook, as_of: datetime, run: str = LIVE) -> list[Row]:
        """The rows that are new or different since the last call, and tombstones for those that are gone.

        A restored item says everything, with a tombstone for every row that could ever have been said: at the first
        call and whenever it has grown, up to the first event that `nobody_else_told` of; so does one that
        `may_have_been_told` of.
        """
        grown = len(self.history) != self._said_events or bool(self._refused)
        if self._said_hashes is not None:
            self._said = self._recalled(self._said_hashes)
            self._said_hashes = None
        if grown and (self._restored or (self._repeats and not self._in_order)):
            self._said = None
        if self._said is None and self._alone:
            self._restored = False
        found = self._facts(policies, as_of, run)
        self.next_deadline_at, self.closed = found.next_deadline_at, found.closed
        said = self._said if self._said is not None else dict.fromkeys(self._possible(), 0)
        if grown and self._repeats and self._said is not None:
            said = dict.fromkeys(chain(said, self._evidence_of(found, policies)), 0)
        now = {key: hash(row) for key, row in found.rows.items()}
        gone = [tombstone(key, run, self.process, self.subject) for key in said if key not in now]
        changed = [row for key, row in found.rows.items() if said.get(key) != now[key]]
        self._said, self._said_events, self._repeats = now, len(self.history), False
        self._refused.clear()
        if self.history.oversize:
            self.history.forget()
        order = revision(OVERSIZE_EVENTS if self.history.oversize else len(self.history), as_of)
        return [revised(row, order) for row in (*changed, *gone)]

    def settled(self, as_of: datetime, linger: timedelta) -> bool:
        """Whether it may leave memory: closed, nothing outstanding, and quiet for `linger`."""
        quiet = self.last_arrival_at + linger <= as_of
        return quiet and (self.history.oversize or (self.closed and self.next_deadline_at is None))

    def state_row(self, compressed: bytes, as_of: datetime, run: str = LIVE, evicted: bool = False) -> WorkItemRow:
        """What has to be kept to `restore` it; `compressed` is the compressed `history.encode()`."""
        return WorkItemRow(
            run=run,
            process=self.process,
            work_item=self.subject,
            state=b"" if evicted else compressed,
            events=len(self.history),
            evicted=evicted,
            oversize=self.history.oversize,
            closed=self.closed,
            last_arrival_at=self.last_arrival_at,
            next_deadline_at=self.next_deadline_at,
            revision=revision(OVERSIZE_EVENTS if self.history.oversize else len(self.history), as_of),
        )

    def _facts(self, policies: PolicyBook, as_of: datetime, run: str) -> Facts:
        if self.history.oversize:
            return NO_FACTS
        if self._contents is None:
            self._contents = self.history.contents()
            if self.history.oversize:  # an earlier version let it have more
                return NO_FACTS
        return facts_of(self._contents, policies, as_of, run)

    def _evidence_of(self, found: Facts, policies: PolicyBook) -> Iterator[RowKey]:
        """The evidence that the episodes there are may have had while fewer of their events were known."""
        episodes = {key.episode_id for key in found.rows if not key.rule}
        if not episodes:
            return
        contents = self._contents or self.history.contents()
        policy = policies.in_force(self.process, contents.winners[0].time).process
        for key in possible_keys(contents):
            source = key.episode_id.partition("#")[0]
            if key.rule and key.episode_id in episodes and policy.observes_rule(cast(Rule, key.rule), source):
                yield key

    def _possible(self) -> list[RowKey]:
        contents = self._contents or self.history.contents()
        return [*possible_keys(contents), *self._refused]

    def cool(self) -> None:
        """Give back the decoded events: they are decoded again when needed, at 5 µs each."""
        self._contents = None

    @property
    def ending(self) -> bool:
        """Whether it leaves memory once nothing is outstanding and it has been quiet for long enough."""
        return self.closed or self.history.oversize

    @property
    def may_rest(self) -> bool:
        """Whether `rest` keeps everything there is."""
        return not self._refused

    def rest(self) -> bytes:
        """Everything as bytes, for this process only: hashes of rows mean nothing to another.

        Raises: InvariantError: something was refused since it last said what changed.
        """
        if self._refused:
            raise InvariantError("a fold rests only after it has said what changed")
        said = self._said_hashes or {hash(key): row for key, row in (self._said or {}).items()}
        flags = (self.closed, self.history.oversize, self._restored, self._said is not None, self._repeats)
        outline = _OUTLINE.pack(
            sum(1 << bit for bit, flag in enumerate((*flags, self._in_order)) if flag),
            _microseconds(self.last_arrival_at),
            _NO_DEADLINE if self.next_deadline_at is None else _microseconds(self.next_deadline_at),
            self._said_events,
            len(said),
        )
        return b"".join((outline, *(_SAID.pack(*one) for one in said.items()), self.history.encode()))

    @classmethod
    def woken(cls, process: str, subject: str, resting: bytes) -> WorkItemFold:
        """The fold that `rest` put away. Cost: 3 µs; events are decoded when they are needed."""
        flags, arrival, deadline, said_events, said = _OUTLINE.unpack_from(resting)
        fold = cls(process, subject, _instant(arrival))
        fold.next_deadline_at = None if deadline == _NO_DEADLINE else _instant(deadline)
        fold.closed, fold._restored, known, fold._repeats, fold._in_order = (bool(flags & 1 << bit) for bit in _FLAGS)
        fold._said, fold._said_events = ({} if known else None), said_events
        history_at = _OUTLINE.size + said * _SAID.size
        fold._said_hashes = dict(_SAID.iter_unpack(resting[_OUTLINE.size : history_at])) if known else None
        fold.history, fold._contents = History.encoded(resting[history_at:]), None
        fold._last_order = FIRST if fold._restored or not fold._in_order else None
        return fold

    def _recalled_order(self) -> Order:
        """The last place in the order of the item that any of its events has."""
        self._contents = self.history.contents()
        return max((event.order for event in chain(*self._contents)), default=FIRST)

    def _recalled(self, hashes: dict[int, int]) -> dict[RowKey, int] | None:
        """What was said before a rest. None, where it cannot be told any more; then everything is said again."""
        said = {key: hashes[hash(key)] for key in self._possible() if hash(key) in hashes}
        return said if len(said) == len(hashes) else None


class Outline(NamedTuple):
    """What can be seen of a resting fold without waking it; see `WorkItemFold`."""

    last_arrival_at: datetime
    next_deadline_at: datetime | None
    ending: bool


_OUTLINE, _SAID = Struct("<BqqHI"), Struct("<qq")
_FLAGS, _ENDING = (0, 2, 3, 4, 5), 0b11
_NO_DEADLINE = -(1 << 63)
_EPOCH, _MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)
OUTLINE_BYTES = _OUTLINE.size
"""How many of its bytes `outline` needs."""


def outline(resting: bytes) -> Outline:
    """What the first bytes of a resting fold say."""
    flags, arrival, deadline, *_ = _OUTLINE.unpack_from(resting)
    next_deadline_at = None if deadline == _NO_DEADLINE else _instant(deadline)
    return Outline(_instant(arrival), next_deadline_at, bool(flags & _ENDING))


def _microseconds(at: datetime) -> int:
    return (at - _EPOCH) // _MICROSECOND


def _instant(microseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=microseconds)
