"""A child process that folds whole work items as a replay does: bytes in, rows as JSON out, nothing read or written."""

from __future__ import annotations

import argparse
import json
import time
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import TypeAdapter

from benchmarks.answer import Answer, answer_of
from benchmarks.cost import Cost, own_peak_mib
from benchmarks.load import AS_OF, policies, read
from schemas.decoding import decode_strictly
from schemas.rows import EvidenceRow, ExchangeRow, HandoffRow, ProblemRow, Row
from streams.inference.facts import LIVE, facts_of
from streams.replay.encode import encoded
from streams.replay.known import known
from streams.replay.process import replay
from streams.replay.scope import Scope
from streams.replay.source import WorkItemEvents

_READ: dict[str, TypeAdapter[Any]] = {
    HandoffRow.table: TypeAdapter(list[HandoffRow]),
    ExchangeRow.table: TypeAdapter(list[ExchangeRow]),
    ProblemRow.table: TypeAdapter(list[ProblemRow]),
    EvidenceRow.table: TypeAdapter(list[EvidenceRow]),
}


class Parts(NamedTuple):
    """CPU-seconds of all events, step by step; `by_models` is decoding without the grammar of canonical bytes."""

    decode_s: float
    fold_s: float
    encode_s: float
    by_models_s: float


class Dropped:
    """Takes rows and drops them."""

    def add(self, table: str, rows: bytes, count: int) -> None:
        """Not even kept."""


class Parsed(Dropped):
    """Reads the rows again, as the store would."""

    def __init__(self) -> None:
        self.rows: list[Row] = []

    def add(self, table: str, rows: bytes, count: int) -> None:
        """Raises: AssertionError: there are not so many."""
        found = _READ[table].validate_json(b"[" + rows + b"]")
        assert len(found) == count
        self.rows.extend(found)


def items_of(load: Path) -> list[WorkItemEvents]:
    """The load by work item."""
    items: dict[bytes, list[bytes]] = defaultdict(list)
    for sent in read(load):
        items[sent.key].append(sent.value)
    split = ((*key.decode().partition("/"), payloads) for key, payloads in items.items())
    return [WorkItemEvents(process, subject, payloads) for process, _, subject, payloads in split]


def whole_items(items: Sequence[WorkItemEvents]) -> tuple[Answer, Cost, Parts]:
    """Time one pass, then check by another what it gave, and time the steps in a third."""
    scope = Scope(LIVE, policies(), datetime.fromisoformat(AS_OF))
    began_s = time.process_time()
    replay(items, scope, Dropped())
    cost = Cost(time.process_time() - began_s, own_peak_mib())
    parsed = Parsed()
    replay(items, scope, parsed)
    return answer_of(parsed.rows), cost, _parts(items, scope)


def _parts(items: Sequence[WorkItemEvents], scope: Scope) -> Parts:
    """The same steps as `streams.replay.fold`, with a look at the clock between them."""
    clock, sums = time.process_time, [0.0, 0.0, 0.0, 0.0]
    for item in items:
        stops = [clock()]
        contents = known(item.payloads).contents
        stops.append(clock())
        rows = facts_of(contents, scope.policies, scope.as_of, scope.run).rows
        stops.append(clock())
        tables = defaultdict(list)
        for row in rows.values():
            tables[row.table].append(row)
        for found in tables.values():
            encoded(found, 1)
        stops.append(clock())
        for payload in item.payloads:
            decode_strictly(payload)
        stops.append(clock())
        sums = [total + end - start for total, start, end in zip(sums, stops, stops[1:], strict=False)]
    return Parts(*sums)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--load", type=Path, required=True, help="fold this file")
    parser.add_argument("--result", type=Path, required=True)
    given = parser.parse_args()
    answer, cost, parts = whole_items(items_of(given.load))
    given.result.write_text(json.dumps({"cost": cost, "answer": answer, "parts": parts}))


if __name__ == "__main__":
    main()
