"""Records waiting to be produced, per topic and partition; written side by side and acknowledged together."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Awaitable
from typing import Protocol

from schemas import topics
from schemas.dead_letter import DeadLetter
from schemas.rows import Row
from streams.apps.until_done import all_done
from streams.row_json import row_json

Pair = tuple[bytes | None, bytes | None]

_TABLE_TOPIC = {
    "handoffs": topics.HANDOFFS,
    "exchanges": topics.EXCHANGES,
    "problems": topics.PROBLEMS,
    "evidence": topics.EVIDENCE,
}


class Producer(Protocol):
    """What the outbox needs of a producer; `BatchProducer` is one."""

    def produce(self, topic: str, partition: int, records: list[Pair], /) -> Awaitable[int | None]: ...


class Outbox:
    """Keeps everything until it is acknowledged: a failed `send` can be called again and writes it all again.

    Attributes:
        row_bytes: of rows that no `send` has taken yet.
    """

    def __init__(self) -> None:
        self.row_bytes = 0
        self._waiting: dict[tuple[str, int], list[Pair]] = defaultdict(list)
        self._sending: dict[tuple[str, int], list[Pair]] = defaultdict(list)

    def __len__(self) -> int:
        return sum(map(len, self._waiting.values())) + sum(map(len, self._sending.values()))

    def waiting(self) -> Counter[str]:
        """By topic, how many records no `send` has taken yet."""
        counts: Counter[str] = Counter()
        for (topic, _), records in self._waiting.items():
            counts[topic] += len(records)
        return counts

    def add_rows(self, partition: int, key: bytes, rows: list[Row]) -> None:
        """Rows for their topics, under the key of their work item."""
        for row in rows:
            written = row_json(row)
            self.row_bytes += len(written)
            self._waiting[_TABLE_TOPIC[row.table], partition].append((key, written))

    def add_dead_letter(self, letter: DeadLetter) -> None:
        """A dead letter; it stays in the partition that the refused record was in."""
        record = (letter.id.encode(), letter.model_dump_json().encode())
        self._waiting[topics.DEAD_LETTERS, letter.partition].append(record)

    def add_late(self, partition: int, key: bytes, content: bytes) -> None:
        """An event of an evicted work item, for the sink to repair."""
        self._waiting[topics.LATE, partition].append((key, content))

    async def send(self, producer: Producer) -> None:
        """Produce everything and forget it; what is added meanwhile waits for the next call.

        Raises: TransientError: not all of it was acknowledged; nothing is forgotten.
        """
        waiting, self._waiting, self.row_bytes = self._waiting, defaultdict(list), 0
        for place, records in waiting.items():
            self._sending[place].extend(records)
        sending = self._sending.items()
        await all_done(producer.produce(topic, partition, records) for (topic, partition), records in sending)
        self._sending.clear()
