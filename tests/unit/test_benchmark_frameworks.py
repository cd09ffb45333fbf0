"""The jobs that frameworks are compared on give the same answer however they are cut. Nothing here is timed."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from benchmarks.answer import answer_of, last_said
from benchmarks.flame import read
from benchmarks.frameworks.contenders import CONTENDERS, INFER, PAIRS, READ
from benchmarks.frameworks.contract import Entry, Keyed, Output
from benchmarks.frameworks.field import Field
from benchmarks.frameworks.infer_job import InferBatched, InferKeyed
from benchmarks.frameworks.measure import _order
from benchmarks.frameworks.pairs_job import ACCEPTED, OFFERED, PairsBatched, PairsKeyed, nothing_yet, pair, pairs_of
from benchmarks.load import Load, expected_of, simulated
from schemas.rows import EvidenceRow, ExchangeRow, HandoffRow, ProblemRow, Row
from streams.transport.batch import Record

ROWS: dict[str, type[Row]] = {
    "handoffs": HandoffRow,
    "exchanges": ExchangeRow,
    "problems": ProblemRow,
    "evidence": EvidenceRow,
}
AT_MS = 1_800_000_000_000


@pytest.fixture(scope="module")
def load() -> Load:
    whole = simulated(1)
    return Load(whole.events[:500], whole.sent[:500])


def records(load: Load) -> list[Record]:
    return [Record(one.key, one.value, 0, AT_MS, (), one.partition) for one in load.sent]


def rows(outputs: list[Output]) -> list[Row]:
    return [ROWS[output.table].model_validate_json(output.value) for output in outputs]


def one_by_one(make: type[InferKeyed] | type[PairsKeyed], load: Load, forgets_every: int) -> Iterator[Output]:
    """As a framework with state by key does it; every so many events another process goes on with what was kept."""
    kept: dict[bytes, bytes] = {}
    job: Keyed = make()
    for number, record in enumerate(records(load)):
        if number % forgets_every == 0:
            job = make()
        key = record.key or b""
        outputs, dump = job.fold(key, [record], lambda key=key: kept.get(key))  # type: ignore[misc]
        kept[key] = dump()
        yield from outputs


def test_the_whole_job_gives_facts_in_batches_and_one_by_one_across_restarts(load: Load) -> None:
    batched = InferBatched()
    said = list[Output]()
    for start in range(0, len(load), 150):
        batched.take(records(load)[start : start + 150])
        said.extend(batched.outputs())
    answer_of(last_said(rows(said))).require(expected_of(load))
    batched.answer().require(expected_of(load))
    answer_of(last_said(rows([*one_by_one(InferKeyed, load, 200)]))).require(expected_of(load))


def test_the_small_job_gives_the_same_pairs_in_batches_and_one_by_one_across_restarts(load: Load) -> None:
    right = pairs_of((one.key, one.value) for one in load.sent)
    batched = PairsBatched()
    batched.take(records(load))
    assert len(right) > 10
    assert {output.value for output in batched.outputs()} == right
    assert {output.value for output in one_by_one(PairsKeyed, load, 100)} == right


def test_a_pair_is_the_first_acceptance_of_an_offer() -> None:
    state = nothing_yet()
    event = {"process": "p", "subject": "s", "data": {"handoff_id": "h"}}
    assert pair(state, {**event, "type": ACCEPTED, "time": "2026-01-01T00:00:00Z"}) is None
    assert pair(state, {**event, "type": OFFERED, "time": "2026-01-01T00:00:01Z"}) is None
    assert pair(state, {**event, "type": OFFERED, "time": "2026-01-01T00:00:02Z"}) is None
    found = pair(state, {**event, "type": ACCEPTED, "time": "2026-01-01T00:00:03.500Z"})
    assert found is not None
    assert found["waited_ms"] == 2_500
    assert pair(state, {**event, "type": ACCEPTED, "time": "2026-01-01T00:00:04Z"}) is None


def test_every_contender_runs_once_in_each_round_and_not_always_after_the_same() -> None:
    for title in (INFER, PAIRS):
        rounds = [_order(title, number) for number in range(5)]
        assert all(sorted(one.name for _, one in order) == sorted(one.name for _, one in rounds[0]) for order in rounds)
        assert len({order[0][1].name for order in rounds}) > 2


def test_every_contender_has_its_file() -> None:
    for contender in CONTENDERS:
        assert contender.java or find_spec(f"benchmarks.frameworks.{contender.module}")
        assert set(contender.jobs) <= {INFER, READ, PAIRS}


def test_a_slow_contender_reads_one_copy(load: Load) -> None:
    field = Field(load, (PAIRS,), copies=2)
    by_name = {contender.name: contender for contender in CONTENDERS}
    sizes: dict[str, int] = defaultdict(int)
    for name in ("faust-table", "bytewax"):
        sizes[name] = len(field.course(by_name[name], PAIRS).sent)
    assert sizes == {"faust-table": len(load), "bytewax": 2 * len(load)}


def test_a_process_is_told_what_its_entry_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = Entry("a", PAIRS, "127.0.0.1:1", "bench.small", 7, tmp_path)
    monkeypatch.setattr("sys.argv", ["contender", *entry.arguments()])
    assert Entry.from_arguments() == entry
    entry.started()
    before = (tmp_path / "started.json").read_text()
    entry.started()
    assert (tmp_path / "started.json").read_text() == before
    entry.finished()
    assert json.loads((tmp_path / "finished.json").read_text())["cpu_s"] >= json.loads(before)["cpu_s"]


def test_a_flame_has_the_share_of_every_function_and_nothing_of_starting_up() -> None:
    folded = (
        "thread (1): MainThread;_run_once (asyncio/base_events.py:9);f (a.py:1);g (b.py:2) 3\n"
        "thread (1): MainThread;f (a.py:7) 1\n"
        "thread (1): MainThread;_find_and_load (<frozen importlib._bootstrap>:1);h (c.py:3) 5\n"
    )
    top = read(folded)
    assert (top.samples, list(top.inside)) == (4, ["f"])
    assert (top.inside["f"].samples, top.inside["f"].inside["g"].samples) == (4, 3)
