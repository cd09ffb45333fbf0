"""A loop of one's own over kafka-python. Keeps no state."""

from __future__ import annotations

import time

from kafka import KafkaConsumer, KafkaProducer

from benchmarks.frameworks.contract import BATCH, COMMIT_EVERY_S, Entry
from streams.transport.batch import records_of


def run(entry: Entry) -> None:
    job, taken = entry.batched(), 0
    consumer = KafkaConsumer(
        entry.source,
        group_id=entry.name,
        bootstrap_servers=entry.broker,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_poll_records=BATCH,
    )
    producer = KafkaProducer(bootstrap_servers=entry.broker, acks="all")
    committed_at_s = time.monotonic()
    while taken < entry.events:
        fetched = consumer.poll(timeout_ms=200)
        if fetched:
            entry.started()
        for records in fetched.values():
            job.take([*records_of(records)])
            taken += len(records)
        for table, partition, key, value in job.outputs():
            producer.send(entry.topic(table), key=key, value=value, partition=partition)
        if taken >= entry.events or time.monotonic() - committed_at_s > COMMIT_EVERY_S:
            producer.flush()
            consumer.commit()
            committed_at_s = time.monotonic()
    entry.finished()
    producer.close()
    consumer.close()


if __name__ == "__main__":
    run(Entry.from_arguments())
