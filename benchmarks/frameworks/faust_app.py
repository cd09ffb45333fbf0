"""Faust as it is, with a Table: in memory, with a changelog topic.

`take` hands over up to a thousand events at once, which is faster than one by one; what an agent that raised had taken
counts as done.
"""

from __future__ import annotations

from collections import defaultdict
from functools import partial
from typing import Any

import faust

from benchmarks.frameworks.contract import Entry
from schemas.topics import PARTITIONS
from streams.transport.batch import Record

_TAKEN, _WITHIN_S = 1_000, 0.05


def app_of(entry: Entry) -> faust.App:
    app = faust.App(
        entry.name,
        broker=f"kafka://{entry.broker}",
        store="memory://",
        topic_partitions=PARTITIONS,
        topic_replication_factor=1,
        key_serializer="raw",
        value_serializer="raw",
        web_enabled=False,
        datadir=entry.folder / "faust",
        version=1,
        autodiscover=False,
        stream_wait_empty=False,
    )
    source = app.topic(entry.source, key_type=bytes, value_type=bytes)
    tables = ("handoffs", "exchanges", "problems", "evidence") if entry.job == "infer" else ("pairs",)
    topics = {table: app.topic(entry.topic(table), key_type=bytes, value_type=bytes) for table in tables}
    # By the key, not by the partition of the event last taken: a batch is of many partitions.
    states = app.Table("states", partitions=PARTITIONS, key_type=bytes, value_type=bytes, use_partitioner=True)
    job = entry.keyed()

    @app.agent(source, name="bench-fold")  # type: ignore[untyped-decorator]
    async def fold(stream: Any) -> None:
        async for events in stream.take_events(_TAKEN, within=_WITHIN_S):
            entry.started()
            items: dict[bytes, list[Record]] = defaultdict(list)
            for event in events:
                at_ms = int(event.message.timestamp * 1000)
                items[event.key].append(Record(event.key, event.value, 0, at_ms, (), event.message.partition))
            for key, records in items.items():
                outputs, dump = job.fold(key, records, partial(states.get, key))
                states[key] = dump()
                for output in outputs:
                    await topics[output.table].send(key=output.key, value=output.value, partition=output.partition)

    return app


if __name__ == "__main__":
    faust.Worker(app_of(Entry.from_arguments()), loglevel="WARNING").execute_from_commandline()
