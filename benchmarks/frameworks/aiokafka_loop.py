"""A loop of one's own over aiokafka. Writes by whole batches, the fastest that aiokafka offers. Keeps no state.

`--job read`: the loop without anything that it writes or commits.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import defaultdict
from dataclasses import replace

from aiokafka import AIOKafkaConsumer

from benchmarks.frameworks.contract import ANSWER, BATCH, COMMIT_EVERY_S, Batched, Entry
from benchmarks.frameworks.infer_job import InferBatched
from streams.transport.batch import records_of
from streams.transport.producer import BatchProducer, Pair
from streams.transport.settings import TransportSettings


async def run(entry: Entry, writes: bool) -> None:
    job, taken = entry.batched(), 0
    consumer = _consumer(entry)
    await consumer.start()
    async with BatchProducer(entry.broker) as producer:
        committed_at_s = time.monotonic()
        while taken < entry.events:
            fetched = await consumer.getmany(timeout_ms=200, max_records=BATCH)
            if fetched:
                entry.started()
            for records in fetched.values():
                job.take([*records_of(records)])
                taken += len(records)
            await _write(entry, job, producer if writes else None)
            if writes and time.monotonic() - committed_at_s > COMMIT_EVERY_S:
                await consumer.commit()
                committed_at_s = time.monotonic()
        if writes:
            await consumer.commit()
    entry.finished()
    await consumer.stop()
    if isinstance(job, InferBatched) and not writes:
        (entry.folder / ANSWER).write_text(json.dumps(job.answer()))


def _consumer(entry: Entry) -> AIOKafkaConsumer:
    ours = TransportSettings()
    return AIOKafkaConsumer(
        entry.source,
        group_id=entry.name,
        bootstrap_servers=entry.broker,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=ours.max_partition_fetch_bytes,
        fetch_max_bytes=ours.fetch_max_bytes,
        fetch_max_wait_ms=ours.fetch_max_wait_ms,
    )


async def _write(entry: Entry, job: Batched, producer: BatchProducer | None) -> None:
    places: dict[tuple[str, int], list[Pair]] = defaultdict(list)
    for table, partition, key, value in job.outputs():
        places[entry.topic(table), partition].append((key, value))
    if producer is not None:
        await asyncio.gather(*(producer.produce(topic, number, pairs) for (topic, number), pairs in places.items()))


if __name__ == "__main__":
    given = Entry.from_arguments()
    reads_only = given.job == "read"
    asyncio.run(run(replace(given, job="infer") if reads_only else given, not reads_only))
