"""The archive of events, what is filled from it, and the operations and auditor views."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta

import pytest
from clickhouse_connect.driver.client import Client

from schemas.envelope import Envelope
from schemas.events import EVENT_ADAPTER
from sinks.clickhouse.audiences import VIEWS
from sinks.clickhouse.insert import insert_rows
from sinks.clickhouse.records import event_row
from tests.integration.store.rows import START, declare, evidence, handoff, put


def event(number: int, type_: str, **fields: object) -> Envelope:
    return EVENT_ADAPTER.validate_python(
        {
            "specversion": "1.0",
            "id": str(number),
            "source": "test",
            "type": f"tieline.{type_}.v1",
            "time": START + timedelta(minutes=number),
            "process": "ed-to-ward",
            "subject": "s1",
            "data": fields,
        }
    )


def survey(number: int, n: int, mean: float = 4.0) -> Envelope:
    fields = {"rater_role": "nurse", "rated_role": "porter", "dimension": "accuracy", "mean": mean, "n": n}
    return event(number, "survey.scored", **fields)


def archive(client: Client, events: Sequence[Envelope]) -> None:
    insert_rows(client, "events", [event_row(event, received_at=START, topic="t", partition=1) for event in events])


def test_an_event_archived_twice_is_kept_once_and_another_content_beside_it(client: Client) -> None:
    one, other = event(1, "work_item.opened"), event(1, "work_item.opened", actor=None)
    changed = one.model_copy(update={"time": START + timedelta(days=400)})
    archive(client, [one, changed])
    archive(client, [other, one])
    rows = client.query("SELECT ref, payload FROM events FINAL ORDER BY time").result_rows
    assert [row[0] for row in rows] == ["test#1", "test#1"]
    assert [row[1].encode() for row in rows] == [one.canonical(), changed.canonical()]


def test_a_survey_of_few_raters_is_hidden(client: Client) -> None:
    declare(client)
    archive(client, [survey(1, n=4), survey(2, n=5)])
    rows = client.query("SELECT communicator_role, mean, n, status FROM quality_surveys").result_rows
    assert rows == [("porter", None, None, "hidden: too few people"), ("porter", 4.0, 5, "shown")]


def test_a_survey_of_a_process_without_policy_is_held_to_the_default(client: Client) -> None:
    archive(client, [survey(1, n=4)])
    assert client.query("SELECT status FROM quality_surveys").result_rows == [("hidden: too few people",)]


def test_of_two_contents_of_a_survey_event_the_smaller_counts(client: Client) -> None:
    low, high = survey(1, n=9, mean=2.0), survey(1, n=9, mean=5.0)
    archive(client, [high, low])
    expected = 2.0 if low.canonical() < high.canonical() else 5.0
    assert client.query("SELECT mean FROM quality_surveys").result_rows == [(expected,)]


def test_an_intervention_runs_from_its_start_to_its_end(client: Client) -> None:
    start = event(
        1,
        "intervention.started",
        name="Huddle",
        kind="relational",
        hypothesis="answers come sooner",
        owner_role="nurse",
        ties=({"communicator_role": "nurse", "experiencer_role": "porter"},),
    )
    archive(client, [start])
    columns = "name, kind, ties, expected_loss, owner_role, started_at, ended_at"
    (row,) = client.query(f"SELECT {columns} FROM quality_interventions").result_rows
    ties = row[2]
    assert [tuple(tie.values()) if isinstance(tie, dict) else tuple(tie) for tie in ties] == [("nurse", "porter")]
    assert (row[:2], row[3:]) == (("Huddle", "relational"), (None, "nurse", start.time, None))
    archive(client, [event(5, "intervention.ended")])
    (ended,) = client.query("SELECT ended_at FROM quality_interventions").result_rows
    assert ended == (START + timedelta(minutes=5),)


def test_only_handoffs_that_wait_are_open(client: Client) -> None:
    waiting = handoff("w1", accept_due_at=START + timedelta(hours=1))
    put(client, "handoffs", [waiting, handoff("w2"), handoff("w3"), handoff("w4", state="accepted")])
    put(client, "handoffs", [handoff("w2", state="accepted", revision=2), handoff("w3", closed_at=START, revision=2)])
    rows = list(client.query("SELECT work_item, overdue, age_s FROM open_handoffs").named_results())
    assert [(row["work_item"], row["overdue"]) for row in rows] == [("w1", True)]
    assert rows[0]["age_s"] > 0


def test_a_handoff_offered_again_by_a_late_event_is_open(client: Client) -> None:
    put(client, "handoffs", [handoff("w1", state="accepted")])
    put(client, "handoffs", [handoff("w1", state="offered", revision=2)])
    assert client.query("SELECT count() FROM open_handoffs").result_rows == [(1,)]
    put(client, "handoffs", [handoff("w1", state="offered", revision=3, is_deleted=1)])
    assert client.query("SELECT count() FROM open_handoffs").result_rows == [(0,)]


@pytest.mark.parametrize("view", VIEWS)
def test_no_view_shows_an_actor(client: Client, view: str) -> None:
    put(client, "evidence", [evidence()])
    put(client, "handoffs", [handoff()])
    more = "".join(f", {name}='live'" for name in VIEWS[view].also_takes)
    asked = (
        f"{view}(run='live', from='2026-01-01', to='2026-12-31', process='', site=''{more})"
        if VIEWS[view].takes_period
        else view
    )
    text = client.raw_query(f"SELECT * FROM {asked}", fmt="JSONCompactEachRow").decode()
    assert not re.search(r"[a-z0-9_-]+:[0-9a-f]{32}", text)


def test_auditors_find_the_events_of_a_figure(client: Client) -> None:
    put(client, "evidence", [evidence(event_ids=("test#1",))])
    archive(client, [event(1, "work_item.opened")])
    sql = "SELECT e.ref, e.time FROM auditor_evidence AS v JOIN auditor_events AS e ON has(v.event_ids, e.ref)"
    assert client.query(sql).result_rows == [("test#1", START + timedelta(minutes=1))]


@pytest.mark.parametrize("table", ["evidence", "handoffs", "exchanges", "problems", "runs", "dead_letters"])
def test_auditors_see_every_column_that_a_table_has_by_now(client: Client, table: str) -> None:
    """A view keeps the columns of the day it was created; actors are counted for auditors, never listed."""
    named = "SELECT groupArray(name) FROM system.columns WHERE database = currentDatabase() AND table = {table:String}"
    ((stored,),) = client.query(named, parameters={"table": table}).result_rows
    ((seen,),) = client.query(named, parameters={"table": f"auditor_{table}"}).result_rows
    assert set(seen) == set(stored) - {"is_deleted"}
