"""Runs in the store: written down, found, compared and deleted."""

from __future__ import annotations

from typing import Any

from clickhouse_connect.driver.client import Client

from sinks.clickhouse.content_hash import combined_hash, run_contents
from sinks.clickhouse.records import RunRecord
from sinks.clickhouse.runs import LIVE, ChunkDone, chunks_done, delete_run, find_run, list_runs, write_chunk, write_run
from sinks.clickhouse.windows import reaggregate_all, refresh_priors
from tests.integration.store.rows import START, evidence, handoff, put, random_evidence


def run_record(run: str = "replay-1", **fields: Any) -> RunRecord:
    kind = "live" if run == LIVE else "replay"
    given = {"run": run, "kind": kind, "status": "finished", "method_version": "1", "started_at": START}
    return RunRecord.model_validate(given | fields)


def test_a_run_comes_back_as_it_was_written(client: Client) -> None:
    record = run_record(
        processes=("ed-to-ward",), from_at=START, as_of=START, policy="[]", role="nurse", source="archive",
        events=12, work_items=3, content_hash="ab", policy_versions=("1", "2"),
    )  # fmt: skip
    write_run(client, run_record(status="running"))
    write_run(client, record)
    assert find_run(client, "replay-1") == record
    assert find_run(client, "other") is None


def test_runs_are_listed_live_first_then_by_name(client: Client) -> None:
    for run in ("b", LIVE, "a"):
        write_run(client, run_record(run))
    assert [record.run for record in list_runs(client)] == [LIVE, "a", "b"]


def test_a_chunk_that_was_written_twice_is_done_once(client: Client) -> None:
    write_chunk(client, "a", "c1", ChunkDone(10, 2))
    write_chunk(client, "a", "c1", ChunkDone(10, 2))
    write_chunk(client, "b", "c1", ChunkDone(9, 9))
    assert chunks_done(client, "a") == {"c1": ChunkDone(10, 2)}


def fill(client: Client, run: str) -> None:
    put(client, "evidence", [row.model_copy(update={"run": run}) for row in random_evidence(5, rows=300)])
    put(client, "handoffs", [handoff("w1", run=run), handoff("w2", run=run)])
    keys = "run, process, site, communicator_role, experiencer_role, dimension, origin, period, period_start"
    client.command(f"INSERT INTO tie_windows ({keys}) SELECT DISTINCT {keys} FROM evidence WHERE run = '{run}'")
    reaggregate_all(client, run)
    refresh_priors(client, run)
    write_run(client, run_record(run))


def test_two_runs_with_the_same_rows_have_one_content(client: Client) -> None:
    fill(client, LIVE)
    fill(client, "replay-1")
    assert run_contents(client, LIVE) == run_contents(client, "replay-1")
    put(client, "evidence", [evidence("another", run="replay-1")])
    assert combined_hash(run_contents(client, LIVE)) != combined_hash(run_contents(client, "replay-1"))


def test_the_content_of_one_process_is_not_that_of_another(client: Client) -> None:
    fill(client, LIVE)
    before = run_contents(client, LIVE, "incident")
    put(client, "evidence", [evidence("another", process="ed-to-ward")])
    assert run_contents(client, LIVE, "incident") == before
    put(client, "evidence", [evidence("another", process="incident")])
    assert run_contents(client, LIVE, "incident") != before


def rows_of(client: Client, run: str) -> dict[str, int]:
    tables = ("evidence", "handoffs", "tie_windows", "priors", "runs", "run_chunks")
    return {
        table: int(client.query(f"SELECT count() FROM {table} WHERE run = '{run}'").result_rows[0][0])
        for table in tables
    }


def test_a_deleted_run_leaves_no_row_and_no_other_run_loses_one(client: Client) -> None:
    fill(client, LIVE)
    fill(client, "replay-1")
    write_chunk(client, "replay-1", "c1", ChunkDone(1, 1))
    live, contents = rows_of(client, LIVE), run_contents(client, LIVE)
    assert delete_run(client, "replay-1")["evidence"] > 0
    assert set(rows_of(client, "replay-1").values()) == {0}
    assert (rows_of(client, LIVE), run_contents(client, LIVE)) == (live, contents)
    assert delete_run(client, "replay-1") == {}


def test_a_delete_that_was_cut_short_is_finished_by_the_next(client: Client) -> None:
    fill(client, "replay-1")
    record = find_run(client, "replay-1")
    assert record is not None
    write_run(client, record.model_copy(update={"is_deleted": 1}))
    client.command("DELETE FROM tie_windows WHERE run = 'replay-1'")
    assert find_run(client, "replay-1") is None
    assert delete_run(client, "replay-1")["evidence"] > 0
    assert set(rows_of(client, "replay-1").values()) == {0}


def test_a_name_may_be_used_again_after_its_run_was_deleted(client: Client) -> None:
    fill(client, "replay-1")
    contents = run_contents(client, "replay-1")
    delete_run(client, "replay-1")
    fill(client, "replay-1")
    assert run_contents(client, "replay-1") == contents
    assert find_run(client, "replay-1") is not None
