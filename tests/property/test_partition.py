"""The law of a partition: whoever dies whenever, what stands in the end is what the events of its log say."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.events import Event
from schemas.policy import PolicyBook
from schemas.rows import Row
from streams.apps.infer.partition import Partition
from streams.apps.state import decode_state
from streams.inference.facts import facts
from tests.builders import at
from tests.property.work_items import policy_books, work_items
from tests.unit.inference.test_fold_after_a_crash import kept

NEVER, END = at(10**7), at(10**6)
"""By the clocks of the workers everything arrives in years: only offsets tell what another may have read."""
steps = st.lists(
    st.tuples(
        st.sampled_from(["arrive", "arrive", "read", "read", "say", "say", "checkpoint", "crash", "jump"]),
        st.integers(0, 3),
    ),
    min_size=3,
    max_size=24,
)


class Log:
    """A partition's log with a worker that reads it, dies, and begins anew from the last checkpoint."""

    def __init__(self, events: list[Event], book: PolicyBook) -> None:
        self.coming, self.book = list(events), book
        self.log: list[Event] = []
        self.states: dict[bytes, bytes] = {}
        self.words: list[list[Row]] = []
        self.clock = self.read_up_to = self.saved_up_to = 0
        self.crash()

    def arrive(self) -> None:
        if self.coming:
            self.log.append(self.coming.pop(0))

    def read(self, most: int) -> None:
        for event in self.log[self.read_up_to : self.read_up_to + most]:
            self.partition.fold(event, NEVER, self.read_up_to)
            self.read_up_to += 1

    def say(self) -> None:
        self.partition.tick(at(self.clock))
        self.words.append([row for _, rows in self.partition.take_changes(at(self.clock)) for row in rows])

    def checkpoint(self) -> None:
        self.say()
        self.states.update(self.partition.take_states(at(self.clock)))
        self.partition.states_kept()
        self.saved_up_to = self.read_up_to

    def crash(self) -> None:
        self.partition = Partition(0, self.book)
        for state in self.states.values():
            self.partition.restore(decode_state(state))
        self.partition.start(end_offset=len(self.log))
        self.read_up_to = self.saved_up_to

    def take(self, what: str, number: int) -> None:
        self.clock += 20 * number
        if what == "read":
            self.read(number + 1)
        elif what == "jump":
            self.clock += 600 if number % 2 else -400
        else:
            {"arrive": self.arrive, "say": self.say, "checkpoint": self.checkpoint, "crash": self.crash}[what]()

    def end(self) -> None:
        """Everything arrives and is read, and all deadlines pass."""
        self.log += self.coming
        while self.read_up_to < len(self.log):
            self.read(2)
            self.say()
        self.clock = 10**6
        self.say()


@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(work_items, policy_books, steps)
def test_crashes_and_clocks_that_jump_leave_what_the_events_say(
    events: list[Event], book: PolicyBook, plan: list[tuple[str, int]]
) -> None:
    log = Log(events, book)
    for what, number in plan:
        log.take(what, number)
    log.end()
    assert kept(*log.words) == facts(events, book, END).rows
