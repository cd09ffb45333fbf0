"""A courier whose Kafka is a dictionary: it can go away, forget, and find things too large."""

from __future__ import annotations

import asyncio

from schemas.errors import ConfigError, TransientError
from streams.gateway.durable.courier import Place, Round, Written
from streams.gateway.durable.frames import Pair


class KafkaInMemory:
    """What was written is in `log`, in order.

    Attributes:
        away: neither answers nor takes anything.
        refuses: lets nobody in.
        most_bytes: of a value.
        gate: writes wait until it is set.
        rounds: what each write was about.
    """

    def __init__(self) -> None:
        self.log: dict[Place, list[Pair]] = {}
        self.away = self.refuses = self.loses_answers = self.connected = False
        self.most_bytes = 1_000_000
        self.gate = asyncio.Event()
        self.gate.set()
        self.rounds: list[Round] = []

    @property
    def values(self) -> list[bytes]:
        """All values, partition by partition."""
        return [value for pairs in self.log.values() for _, value in pairs]

    def forget(self) -> None:
        """A broker that keeps nothing has started again."""
        self.log = {}

    async def connect(self, timeout_s: float) -> None:
        await asyncio.sleep(0)
        if self.refuses:
            raise ConfigError("no such user")
        if self.away:
            raise TransientError("away")
        self.connected = True

    async def write(self, records: Round, timeout_s: float) -> Written:
        if not self.connected:
            return Written(failed=set(records))
        self.rounds.append(records)
        try:
            await asyncio.wait_for(self.gate.wait(), timeout_s)
        except TimeoutError:
            return self._failed(records)
        if self.away:
            return self._failed(records)
        written = Written()
        for place, pairs in records.items():
            if any(len(value) > self.most_bytes for _, value in pairs):
                written.failed.add(place)
                written.too_large.add(place)
                continue
            self.log.setdefault(place, []).extend(pairs)
            written.ends[place] = len(self.log[place])
        if self.loses_answers:
            return self._failed(records)
        self.connected = not written.failed
        return written

    def _failed(self, records: Round) -> Written:
        self.connected = False
        return Written(failed=set(records), why={"TimeoutError"})

    async def close(self) -> None:
        self.connected = False
