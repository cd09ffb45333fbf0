"""A loop of one's own over confluent-kafka, which is librdkafka. Keeps no state."""

from __future__ import annotations

import time

from confluent_kafka import Consumer, KafkaException, Message, Producer

from benchmarks.frameworks.contract import BATCH, COMMIT_EVERY_S, Entry, Output
from streams.transport.batch import Record


def run(entry: Entry) -> None:
    job, taken = entry.batched(), 0
    consumer = Consumer(
        {
            "bootstrap.servers": entry.broker,
            "group.id": entry.name,
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
        }
    )
    producer = Producer({"bootstrap.servers": entry.broker, "queue.buffering.max.messages": 1_000_000})
    consumer.subscribe([entry.source])
    committed_at_s = time.monotonic()
    while taken < entry.events:
        fetched = consumer.consume(BATCH, 0.2)
        if fetched:
            entry.started()
        job.take([record_of(message) for message in fetched])
        taken += len(fetched)
        for output in job.outputs():
            _send(producer, entry, output)
        producer.poll(0)
        if fetched and (taken >= entry.events or time.monotonic() - committed_at_s > COMMIT_EVERY_S):
            producer.flush()
            consumer.commit(asynchronous=False)
            committed_at_s = time.monotonic()
    entry.finished()
    consumer.close()


def record_of(message: Message) -> Record:
    """Raises: KafkaException: it is an error and no record."""
    if message.error():
        raise KafkaException(message.error())
    return Record(message.key(), message.value(), message.offset(), message.timestamp()[1], (), message.partition())


def _send(producer: Producer, entry: Entry, output: Output) -> None:
    def acknowledged(error: object, _message: Message) -> None:
        if error is not None:
            raise RuntimeError(f"not written: {error}")

    producer.produce(entry.topic(output.table), output.value, output.key, output.partition, on_delivery=acknowledged)


if __name__ == "__main__":
    run(Entry.from_arguments())
