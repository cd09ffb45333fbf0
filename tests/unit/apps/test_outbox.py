"""What waits to be produced is kept until the broker has acknowledged it."""

from __future__ import annotations

import pytest

from schemas import topics
from schemas.errors import TransientError
from streams.apps.infer.outbox import Outbox, Pair
from streams.inference.facts import facts
from tests.builders import LONG_AFTER, assigned, policy_book


class Broker:
    """Acknowledges everything, but the first so many times nothing."""

    def __init__(self, failures: int = 0) -> None:
        self.failures = failures
        self.written: list[tuple[str, int, list[Pair]]] = []

    async def produce(self, topic: str, partition: int, records: list[Pair], /) -> int | None:
        if self.failures:
            self.failures -= 1
            raise TransientError("away")
        self.written.append((topic, partition, records))
        return len(records) - 1


def filled() -> Outbox:
    outbox = Outbox()
    rows = list(facts([assigned(0, "a"), assigned(10, "b")], policy_book(), LONG_AFTER).rows.values())
    outbox.add_rows(3, b"p/w1", rows)
    outbox.add_late(3, b"p/w2", b"{}")
    return outbox


async def test_rows_go_to_the_topic_of_their_table_and_the_partition_of_their_item() -> None:
    broker, outbox = Broker(), filled()
    await outbox.send(broker)
    assert {(topic, partition) for topic, partition, _ in broker.written} == {
        (topics.HANDOFFS, 3),
        (topics.EVIDENCE, 3),
        (topics.LATE, 3),
    }
    assert len(outbox) == 0


async def test_what_was_not_acknowledged_is_sent_again() -> None:
    broker, outbox = Broker(failures=1), filled()
    waiting = len(outbox)
    with pytest.raises(TransientError):
        await outbox.send(broker)
    assert len(outbox) == waiting
    await outbox.send(broker)
    assert sum(len(records) for _, _, records in broker.written) >= waiting
    assert len(outbox) == 0
