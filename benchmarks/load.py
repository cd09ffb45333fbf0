"""The load of all benchmarks: weeks of the simulated scenario, under their real keys and in their real partitions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from heapq import merge
from pathlib import Path
from typing import NamedTuple

from benchmarks.answer import Answer, from_scratch
from deploy.policy_files import load_policy_book
from schemas.events import Event, HandoffOffered
from schemas.policy import PolicyBook
from schemas.topics import PARTITIONS, event_key
from streams.gateway.actors import ActorKey
from streams.simulation.scenario import Scenario
from streams.transport.partitioner import partition_for

POLICY = Path(__file__).parents[1] / "deploy" / "policies" / "demo.yaml"
AS_OF = "2027-06-01T00:00:00Z"
"""Every run looks at the same instant, long after the last event, so that all runs must give the same rows."""
_END = datetime(2026, 3, 4, 10, tzinfo=UTC)
_SEED = 3
ACTOR_KEY = ActorKey("bench", bytes(range(32)))
_EVENTS_PER_WEEK = 2_700


class Sent(NamedTuple):
    """One event as it travels."""

    partition: int
    key: bytes
    value: bytes


@dataclass(frozen=True)
class Load:
    """Events of one scenario in order of time."""

    events: list[Event]
    sent: list[Sent]

    def __len__(self) -> int:
        return len(self.sent)

    def ends(self) -> dict[int, int]:
        """How many events each partition gets: where a group that has handled them all stands."""
        return dict(Counter(one.partition for one in self.sent))

    def write(self, path: Path) -> None:
        """For a child process: `partition TAB key TAB value` lines."""
        with path.open("wb") as file:
            file.writelines(b"%d\t%b\t%b\n" % one for one in self.sent)


def read(path: Path) -> Iterator[Sent]:
    """What `Load.write` wrote, a line at a time."""
    with path.open("rb") as file:
        for line in file:
            partition, key, value = line.rstrip(b"\n").split(b"\t")
            yield Sent(int(partition), key, value)


def simulated(weeks: int) -> Load:
    """About 2,800 events for each week."""
    events = list(Scenario(_SEED, _END, ACTOR_KEY.hash_actor, weeks).history())
    keys = {key: partition_for(key, PARTITIONS) for key in map(event_key, events)}
    return Load(events, [Sent(keys[event_key(event)], event_key(event), event.canonical()) for event in events])


def policies() -> PolicyBook:
    """The policy of the demonstration, as the apps load it."""
    return load_policy_book([POLICY])


def expected_of(load: Load) -> Answer:
    """The right answer for a load."""
    return from_scratch(load.events, policies(), datetime.fromisoformat(AS_OF))


class Live(NamedTuple):
    """An event to be sent at a time of our choosing; `offers` where it starts a handoff, which makes a row."""

    event: Event
    offers: bool

    def at(self, instant: datetime) -> Event:
        """The event as if it happened then; due times keep their distance."""
        moved = {"time": instant}
        shift = instant - self.event.time
        data = self.event.data
        due = {
            name: value + shift
            for name in ("due_at", "needed_at", "reply_due_at", "respond_by")
            if (value := getattr(data, name, None)) is not None
        }
        return self.event.model_copy(update={**moved, "data": data.model_copy(update=due)} if due else moved)


def live(number: int) -> list[Live]:
    """So many events of fresh work items, several worlds side by side so that a work item lasts for seconds."""
    worlds = -(-number // _EVENTS_PER_WEEK)
    histories = (_renamed(seed, Scenario(seed, _END, ACTOR_KEY.hash_actor, 1).history()) for seed in range(worlds))
    merged = list(merge(*histories, key=lambda event: event.time))[:number]
    return list(_marked(merged))


def _renamed(world: int, events: Iterable[Event]) -> Iterator[Event]:
    for event in events:
        yield event.model_copy(update={"subject": f"w{world}-{event.subject}", "id": f"w{world}-{event.id}"})


def _marked(events: Iterable[Event]) -> Iterator[Live]:
    seen: set[tuple[str, str]] = set()
    for event in events:
        handoff = (event.subject, event.data.handoff_id) if isinstance(event, HandoffOffered) else None
        yield Live(event, handoff is not None and handoff not in seen)
        if handoff is not None:
            seen.add(handoff)
