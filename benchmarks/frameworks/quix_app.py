"""quixstreams: state by key in RocksDB, with a changelog topic."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from quixstreams import Application, State, message_context
from quixstreams.models import Serializer, TopicConfig

from benchmarks.frameworks.contract import COMMIT_EVERY_S, Entry, Output
from schemas.topics import PARTITIONS
from streams.transport.batch import Record

_TABLES = {"infer": ("handoffs", "exchanges", "problems", "evidence"), "pairs": ("pairs",)}


class ValueOf(Serializer):
    """Writes the value of an `Output`, which is bytes already."""

    def __call__(self, value: Output, *_args: Any, **_options: Any) -> bytes:
        return value.value


def run(entry: Entry) -> None:
    app = Application(
        entry.broker,
        consumer_group=entry.name,
        auto_offset_reset="earliest",
        commit_interval=COMMIT_EVERY_S,
        state_dir=entry.folder / "state",
        loglevel="WARNING",
    )
    shape = TopicConfig(num_partitions=PARTITIONS, replication_factor=1)
    source = app.topic(entry.source, value_deserializer="bytes", config=shape)
    written = {
        table: app.topic(entry.topic(table), value_serializer=ValueOf(), config=shape) for table in _TABLES[entry.job]
    }
    job = entry.keyed()

    def fold(value: bytes, key: bytes, timestamp: int, _headers: Any, state: State) -> Iterator[Output]:
        entry.started()
        record = Record(key, value, 0, timestamp, (), message_context().partition)
        outputs, dump = job.fold(key, [record], lambda: state.get_bytes("state"))
        state.set_bytes("state", dump())
        return iter(outputs)

    frame = app.dataframe(source)
    frame = frame.apply(fold, stateful=True, expand=True, metadata=True)
    frame.to_topic(lambda output, *_: written[output.table])
    app.run()


if __name__ == "__main__":
    run(Entry.from_arguments())
