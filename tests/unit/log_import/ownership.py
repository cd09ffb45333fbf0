"""An independent, simple count over the events of an import: the research logs' known facts are held against it.

Shares nothing with the inference but the definitions: sort by time and sequence, a handoff wherever the owner differs
from the one before, work is `worked` by a human while its role owns the item.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, NamedTuple

from streams.gateway.log_import import Mapped


class Tenure(NamedTuple):
    """One owner's time: when it began, when a human of it first worked, and whether the item had been closed before."""

    role: str
    start: datetime
    worked: datetime | None
    after_close: bool


class Handoff(NamedTuple):
    """From one tenure to the next."""

    giver: Tenure
    taker: Tenure

    @property
    def pair(self) -> tuple[str, str]:
        return self.giver.role, self.taker.role


def tenures_by_item(mapped: Iterable[Mapped]) -> dict[str, list[Tenure]]:
    """The tenures of each work item, in order."""
    items: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for one in mapped:
        event = json.loads(one.value)
        items[event["subject"]].append(event)
    return {item: list(_tenures(events)) for item, events in items.items()}


def handoffs(tenures: list[Tenure]) -> list[Handoff]:
    """Every change of owner of one work item."""
    return [Handoff(giver, taker) for giver, taker in pairwise(tenures)]


def there_and_back(tenures: list[Tenure]) -> list[Tenure]:
    """The B of every A → B → A of one work item."""
    return [b for a, b, again in zip(tenures, tenures[1:], tenures[2:], strict=False) if a.role == again.role]


def _tenures(events: list[dict[str, Any]]) -> Iterator[Tenure]:
    open_tenure: Tenure | None = None
    closed = False
    for event in sorted(events, key=lambda event: (datetime.fromisoformat(event["time"]), event["sequence"])):
        verb, data, at = event["type"].split(".")[2], event["data"], datetime.fromisoformat(event["time"])
        if verb == "assigned" and (open_tenure is None or data["role"] != open_tenure.role):
            if open_tenure is not None:
                yield open_tenure
            open_tenure = Tenure(data["role"], at, None, closed)
        human = data.get("actor", {}).get("kind") == "human"
        if verb == "worked" and human and open_tenure is not None and open_tenure.worked is None:
            open_tenure = open_tenure._replace(worked=at)
        closed = closed or verb == "closed"
    if open_tenure is not None:
        yield open_tenure


class Known(NamedTuple):
    """What the README of the research logs says of each of them."""

    handoffs: int
    work_items: int
    pairs: int
    there_and_back: int
    there_and_back_items: int


def counted(by_item: dict[str, list[Tenure]]) -> Known:
    """The same of our events."""
    pairs = pair_counts(by_item)
    back = [len(there_and_back(tenures)) for tenures in by_item.values()]
    return Known(
        sum(pairs.values()),
        sum(len(tenures) > 1 for tenures in by_item.values()),
        len(pairs),
        sum(back),
        sum(number > 0 for number in back),
    )


def pair_counts(by_item: dict[str, list[Tenure]]) -> Counter[tuple[str, str]]:
    """Handoffs by (giver, taker)."""
    return Counter(handoff.pair for tenures in by_item.values() for handoff in handoffs(tenures))


def accepted_within(taken: list[Handoff], limit: timedelta) -> int:
    """Handoffs whose taker first worked at most `limit` after it became the owner."""
    return sum(one.taker.worked is not None and one.taker.worked - one.taker.start <= limit for one in taken)
