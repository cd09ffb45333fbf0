"""bytewax: state by key in memory, snapshots of it and of the offsets in SQLite files. It commits nothing to Kafka."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

import bytewax.operators as op
from bytewax.connectors.kafka import KafkaSink, KafkaSinkMessage, KafkaSource, KafkaSourceMessage
from bytewax.dataflow import Dataflow
from bytewax.operators import StatefulBatchLogic
from bytewax.recovery import RecoveryConfig, init_db_dir
from bytewax.run import cli_main

from benchmarks.frameworks.contract import BATCH, COMMIT_EVERY_S, Dump, Entry, Keyed
from streams.transport.batch import Record

Message = KafkaSourceMessage[bytes, bytes]
Written = KafkaSinkMessage[bytes, bytes]


class WorkItemLogic(StatefulBatchLogic[Message, Written, bytes]):
    """One work item."""

    def __init__(self, entry: Entry, job: Keyed, stored: bytes | None) -> None:
        self._entry, self._job, self._stored = entry, job, stored
        self._dump: Dump | None = None

    def on_batch(self, values: list[Message]) -> tuple[Iterable[Written], bool]:
        records = [
            Record(
                one.key, one.value, one.offset or 0, one.timestamp[1] if one.timestamp else 0, (), one.partition or 0
            )
            for one in values
        ]
        outputs, self._dump = self._job.fold(records[0].key or b"", records, self.snapshot)
        return [KafkaSinkMessage(out.key, out.value, self._entry.topic(out.table)) for out in outputs], False

    def snapshot(self) -> bytes:
        if self._dump is not None:
            self._stored, self._dump = self._dump(), None
        return self._stored or b""


def flow_of(entry: Entry) -> Dataflow:
    job = entry.keyed()

    def key_of(message: Message) -> str:
        entry.started()
        return message.key.decode()

    flow = Dataflow(entry.name)
    read = op.input("read", flow, KafkaSource([entry.broker], [entry.source], tail=False, batch_size=BATCH))
    keyed = op.key_on("key", read, key_of)
    folded = op.stateful_batch("fold", keyed, lambda stored: WorkItemLogic(entry, job, stored))
    sink = KafkaSink([entry.broker], None, {"partitioner": "murmur2_random"})
    op.output("write", op.key_rm("values", folded), sink)
    return flow


def run(entry: Entry) -> None:
    recovery = entry.folder / "recovery"
    recovery.mkdir()
    init_db_dir(recovery, 1)
    cli_main(
        flow_of(entry),
        workers_per_process=1,
        epoch_interval=timedelta(seconds=COMMIT_EVERY_S),
        recovery_config=RecoveryConfig(recovery),
    )
    entry.finished()


if __name__ == "__main__":
    run(Entry.from_arguments())
