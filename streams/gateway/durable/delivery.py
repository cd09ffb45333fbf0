"""Records to Kafka: a round, and what became of each record."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from schemas.dead_letter import DeadLetter, dead_letter_id, payload_hash
from schemas.errors import TielineError
from schemas.topics import PARTITIONS
from streams.gateway.durable.counters import Counters
from streams.gateway.durable.courier import Courier, Ends, Place, Written
from streams.gateway.durable.frames import Pair
from streams.transport.partitioner import partition_for

Places = dict[Place, list[Pair]]
_log = logging.getLogger(__name__)


class Delivered(NamedTuple):
    """What is not on Kafka after a round: not acknowledged, and never taken by Kafka (too large)."""

    unsent: Places
    refused: list[tuple[Place, Pair]]


class Delivery:
    """Brings rounds to Kafka through a courier.

    Attributes:
        ends: by place, the offset after the last record that is known to be there.
        lives: of the broker: one more whenever it turns out to have forgotten what it had.
    """

    def __init__(self, courier: Courier, counters: Counters) -> None:
        self.ends: Ends = {}
        self.lives = 0
        self._courier, self._counters = courier, counters

    async def deliver(self, places: Places, timeout_s: float) -> Delivered:
        """Write one round. Never raises for what Kafka answers."""
        if not places:
            return Delivered({}, [])
        written = await self._write(places, timeout_s)
        unsent = {place: places[place] for place in written.failed}
        refused: list[tuple[Place, Pair]] = []
        for place in written.too_large:
            unsent[place], found = await self._one_by_one(place, places[place], timeout_s)
            refused += [(place, pair) for pair in found]
        return Delivered({place: pairs for place, pairs in unsent.items() if pairs}, refused)

    async def _one_by_one(self, place: Place, pairs: list[Pair], timeout_s: float) -> tuple[list[Pair], list[Pair]]:
        """What of a place was not acknowledged, and what is too large even alone."""
        refused: list[Pair] = []
        for index, pair in enumerate(pairs):
            try:
                await self._courier.connect(timeout_s)
            except TielineError:
                return pairs[index:], refused
            written = await self._write({place: [pair]}, timeout_s)
            if written.too_large:
                refused.append(pair)
            elif written.failed:
                return pairs[index:], refused
        with suppress(TielineError):  # the last one may have been refused, which disconnects
            await self._courier.connect(timeout_s)
        return [], refused

    async def _write(self, places: Places, timeout_s: float) -> Written:
        written = await self._courier.write(places, timeout_s)
        if any(end - len(places[place]) < self.ends.get(place, 0) for place, end in written.ends.items()):
            self.lives, self.ends = self.lives + 1, {}  # a broker that keeps what it has only ever counts on
        self.ends.update(written.ends)
        if written.failed:
            self._counters.broker_failures += 1
            why = ", ".join(sorted(written.why))
            _log.warning("Kafka did not acknowledge %d of %d partitions: %s", len(written.failed), len(places), why)
        return written


def places_of(requests: Iterable[tuple[str, Sequence[Pair]]]) -> Places:
    """Records by topic and partition, in order."""
    places: Places = defaultdict(list)
    for topic, pairs in requests:
        for pair in pairs:
            places[topic, _partition(pair[0])].append(pair)
    return places


def letter_pair(letter: DeadLetter) -> Pair:
    """A dead letter as a record."""
    return letter.id.encode(), letter.model_dump_json().encode()


def too_large(place: Place, value: bytes, at: datetime) -> DeadLetter:
    """The dead letter of a record that Kafka does not take."""
    topic, partition = place
    return DeadLetter(
        id=dead_letter_id("too_large", topic, partition, -1, value),
        stage="gateway",
        code="too_large",
        topic=topic,
        partition=partition,
        payload_sha256=payload_hash(value),
        payload_bytes=len(value),
        at=at,
    )


@lru_cache(maxsize=65_536)
def _partition(key: bytes) -> int:
    return partition_for(key, PARTITIONS)
