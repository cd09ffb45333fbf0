"""The whole job: decode, fold, what changed as JSON. All of it by the functions that `infer` uses."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from benchmarks.answer import Answer, answer_of
from benchmarks.frameworks.contract import Dump, Output
from benchmarks.load import AS_OF, policies
from schemas.topics import PARTITIONS
from streams.apps.infer.partition import WITH_EPISODES, Partition
from streams.apps.intake import read_content, received_at
from streams.apps.state import decode_state, encode_state, history_of
from streams.inference.facts import facts_of
from streams.inference.fold import WorkItemFold
from streams.row_json import row_json
from streams.transport.batch import Record

AS_OF_INSTANT = datetime.fromisoformat(AS_OF)


class InferBatched:
    """All partitions in memory."""

    def __init__(self) -> None:
        self._policies = policies()
        self._partitions = [Partition(number, self._policies) for number in range(PARTITIONS)]

    def take(self, records: Sequence[Record]) -> None:
        for record in records:
            partition = self._partitions[record.partition]
            event, content = read_content(record, partition.folds)
            partition.fold(event, received_at(record), content=content)

    def outputs(self) -> Iterator[Output]:
        for partition in self._partitions:
            for key, rows in partition.take_changes(AS_OF_INSTANT):
                for row in rows:
                    yield Output(row.table, partition.number, key, row_json(row))

    def answer(self) -> Answer:
        """What the folds hold, computed from their events: for a loop that writes nothing."""
        held = (partition.folds[key] for partition in self._partitions for key in partition.folds)
        found = (facts_of(fold.history.contents(), self._policies, AS_OF_INSTANT) for fold in held)
        return answer_of(row for facts in found for row in facts.rows.values())


class InferKeyed:
    """One work item at a time. Folds stay in memory, as in `infer`, so that what the framework keeps is read once."""

    def __init__(self) -> None:
        self._policies = policies()
        self._folds: dict[bytes, WorkItemFold] = {}

    def fold(
        self, key: bytes, records: Sequence[Record], load: Callable[[], bytes | None]
    ) -> tuple[list[Output], Dump]:
        fold = self._folds.get(key) or self._loaded(key, load())
        known = () if fold is None else (key,)
        for record in records:
            event, content = read_content(record, known)
            if event.type.split(".")[1] not in WITH_EPISODES:
                continue
            if fold is None:
                fold = self._folds[key] = WorkItemFold(event.process, event.subject, received_at(record))
            fold.add(event, received_at(record), content)
        if fold is None:
            return [], bytes
        held = fold
        rows = held.changes(self._policies, AS_OF_INSTANT)
        outputs = [Output(row.table, records[0].partition, key, row_json(row)) for row in rows]
        return outputs, lambda: encode_state(held, AS_OF_INSTANT)

    def _loaded(self, key: bytes, stored: bytes | None) -> WorkItemFold | None:
        if not stored:
            return None
        row = decode_state(stored)
        fold = self._folds[key] = WorkItemFold.restored(row, history_of(row))
        return fold
