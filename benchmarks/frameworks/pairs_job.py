"""The small job, small enough to be written in Java too: the first acceptance of each offered handoff.

State of a work item, as JSON: when something last happened, and the offers without an acceptance. Only JSON, a clock
and a map: `kafka_streams/` does the same, line by line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from pydantic_core import from_json, to_json

from benchmarks.frameworks.contract import Dump, Output
from streams.transport.batch import Record

PAIRS = "pairs"
OFFERED, ACCEPTED = "tieline.handoff.offered.v1", "tieline.handoff.accepted.v1"
State = dict[str, Any]


def pair(state: State, event: dict[str, Any]) -> dict[str, Any] | None:
    """Take one event in; the pair that it completes, if it does."""
    at_ms = round(datetime.fromisoformat(event["time"]).timestamp() * 1000)
    state["last_ms"] = max(state["last_ms"], at_ms)
    if event["type"] == OFFERED:
        state["offers"].setdefault(event["data"]["handoff_id"], at_ms)
    elif event["type"] == ACCEPTED:
        handoff = event["data"]["handoff_id"]
        offered_ms = state["offers"].pop(handoff, None)
        if offered_ms is not None:
            return {
                "process": event["process"],
                "work_item": event["subject"],
                "handoff_id": handoff,
                "offered_ms": offered_ms,
                "accepted_ms": at_ms,
                "waited_ms": at_ms - offered_ms,
            }
    return None


def nothing_yet() -> State:
    """Of a work item that is new."""
    return {"last_ms": 0, "offers": {}}


def pairs_of(values: Iterable[tuple[bytes, bytes]]) -> set[bytes]:
    """The right answer for (key, event) in order: the pairs, as JSON."""
    states: dict[bytes, State] = {}
    found = (pair(states.setdefault(key, nothing_yet()), from_json(value)) for key, value in values)
    return {to_json(one) for one in found if one is not None}


class PairsBatched:
    """All work items in memory."""

    def __init__(self) -> None:
        self.states: dict[bytes, State] = {}
        self._outputs: list[Output] = []

    def take(self, records: Sequence[Record]) -> None:
        for record in records:
            key = record.key or b""
            state = self.states.get(key)
            if state is None:
                state = self.states[key] = nothing_yet()
            found = pair(state, from_json(record.value or b""))
            if found is not None:
                self._outputs.append(Output(PAIRS, record.partition, key, to_json(found)))

    def outputs(self) -> Iterator[Output]:
        outputs, self._outputs = self._outputs, []
        return iter(outputs)


class PairsKeyed:
    """One work item at a time, its state read from and given back to the framework."""

    def fold(
        self, key: bytes, records: Sequence[Record], load: Callable[[], bytes | None]
    ) -> tuple[list[Output], Dump]:
        stored = load()
        state = from_json(stored) if stored else nothing_yet()
        outputs = []
        for record in records:
            found = pair(state, from_json(record.value or b""))
            if found is not None:
                outputs.append(Output(PAIRS, record.partition, key, to_json(found)))
        return outputs, lambda: to_json(state)
