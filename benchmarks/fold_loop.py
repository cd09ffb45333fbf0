"""A child process with nothing but decode and fold, in memory or behind a raw aiokafka loop: what the rest is held
against.

Both do what `infer` does between its fetch and its outbox, with `infer`'s own functions and batch size: nothing is
produced, no state is kept, nothing is committed.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from datetime import datetime
from itertools import islice
from pathlib import Path

from aiokafka import AIOKafkaConsumer, TopicPartition

from benchmarks.answer import Answer, answer_of, last_said
from benchmarks.cost import Cost, own_peak_mib, report_self
from benchmarks.load import AS_OF, policies, read
from schemas import topics
from schemas.rows import Row
from schemas.topics import PARTITIONS
from streams.apps.infer.partition import Partition
from streams.apps.intake import read_content, received_at
from streams.inference.facts import facts_of
from streams.transport.batch import Record, records_of
from streams.transport.settings import TransportSettings

AS_OF_INSTANT = datetime.fromisoformat(AS_OF)


class Folding:
    """All partitions of one worker."""

    def __init__(self) -> None:
        self.policies = policies()
        self.partitions = [Partition(number, self.policies) for number in range(PARTITIONS)]

    def take(self, records: Iterable[Record]) -> None:
        """Decode and fold."""
        for record in records:
            partition = self.partitions[record.partition]
            event, content = read_content(record, partition.folds)
            partition.fold(event, received_at(record), content=content)

    def changes(self) -> Iterator[Row]:
        """The rows that changed, as `infer` says them after a batch."""
        for partition in self.partitions:
            for _, rows in partition.take_changes(AS_OF_INSTANT):
                yield from rows

    def change(self) -> None:
        """Work the changed rows out and drop them."""
        for _ in self.changes():
            pass

    def answer(self) -> Answer:
        """What the folds hold now, computed from their events."""
        held = (partition.folds[key] for partition in self.partitions for key in partition.folds)
        found = (facts_of(fold.history.contents(), self.policies, AS_OF_INSTANT) for fold in held)
        return answer_of(row for facts in found for row in facts.rows.values())


def in_memory(load: Path) -> tuple[Answer, Cost]:
    """Time one pass, then check by another what was said: keeping it all would cost memory and time."""
    timed, cpu_s = Folding(), 0.0
    for batch in _batches(load):
        began_s = time.process_time()
        timed.take(batch)
        timed.change()
        cpu_s += time.process_time() - began_s
    cost = Cost(cpu_s, own_peak_mib())
    checked, rows = Folding(), list[Row]()
    for batch in _batches(load):
        checked.take(batch)
        rows.extend(checked.changes())
    answer = answer_of(last_said(rows))
    answer.require(timed.answer())
    return answer, cost


def _batches(load: Path) -> Iterator[list[Record]]:
    now_ms = int(time.time() * 1000)
    records = (Record(key, value, 0, now_ms, (), partition) for partition, key, value in read(load))
    while batch := list(islice(records, TransportSettings.embedded().max_batch_records)):
        yield batch


async def behind_aiokafka(broker: str, events: int) -> tuple[Answer, Cost]:
    """`getmany` over all partitions of the topic, from the first record until `events` have come."""
    folding, taken = Folding(), 0
    async with _consumer(broker) as consumer:
        began_s = time.process_time()
        while taken < events:
            for records in (await consumer.getmany(timeout_ms=200)).values():
                folding.take(records_of(records))
                taken += len(records)
            folding.change()
        cpu_s = time.process_time() - began_s
    cost = Cost(cpu_s, own_peak_mib())
    return folding.answer(), cost


@asynccontextmanager
async def _consumer(broker: str) -> AsyncIterator[AIOKafkaConsumer]:
    """With the settings of `infer`'s own consumer, but outside any group."""
    ours = TransportSettings.embedded()
    consumer = AIOKafkaConsumer(
        bootstrap_servers=broker,
        auto_offset_reset="earliest",
        max_poll_records=ours.max_batch_records,
        max_partition_fetch_bytes=ours.max_partition_fetch_bytes,
        fetch_max_bytes=ours.fetch_max_bytes,
        fetch_max_wait_ms=ours.fetch_max_wait_ms,
    )
    await consumer.start()
    try:
        consumer.assign([TopicPartition(topics.EVENTS, number) for number in range(PARTITIONS)])
        yield consumer
    finally:
        await consumer.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--load", type=Path, help="fold this file in memory")
    parser.add_argument("--broker", help="or read from this broker")
    parser.add_argument("--events", type=int, default=0, help="how many there are on the broker")
    parser.add_argument("--result", type=Path, required=True)
    given = parser.parse_args()
    found = in_memory(given.load) if given.load else asyncio.run(behind_aiokafka(given.broker, given.events))
    answer, cost = found
    report_self(given.result, cost, answer)


if __name__ == "__main__":
    main()
