"""Parts of history in a run: a period, a process, a role; and what cannot be read."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from deploy.composition.replay.request import RunExistsError
from schemas.events import Event
from sinks.clickhouse.insert import insert_rows
from sinks.clickhouse.runs import LIVE, chunks_done, delete_run, find_run, write_run
from sinks.clickhouse.settings import ClickHouseSettings
from tests.integration.replay.replaying import archive, replayed

_AT = {"handoffs": "offered_at", "exchanges": "sent_at", "problems": "raised_at", "evidence": "at"}


def said(client: Client, table: str, run: str, where: str = "true") -> set[tuple[Any, ...]]:
    sql = f"SELECT toJSONString(tuple(* EXCEPT (run, revision))) FROM {table} FINAL WHERE run = '{run}' AND ({where})"
    return {tuple(row) for row in client.query(sql).result_rows}


def test_a_part_of_a_run_is_what_the_whole_run_says_of_it(
    settings: ClickHouseSettings, client: Client, week: list[Event]
) -> None:
    archive(client, week)
    first, last = week[len(week) // 3].time, week[len(week) // 2].time
    asked: list[dict[str, Any]] = [
        {},
        {"from_at": first, "to_at": last},
        {"process": "incident"},
        {"role": "ward-nurse"},
    ]
    with ThreadPoolExecutor() as several:  # which is also several replays at once
        found = list(several.map(lambda number: replayed(settings, f"part-{number}", **asked[number]), range(4)))
    for table, at in _AT.items():
        in_period = f"{at} >= parseDateTime64BestEffort('{first}', 6) AND {at} < parseDateTime64BestEffort('{last}', 6)"
        assert said(client, table, "part-1") == said(client, table, "part-0", in_period)
        assert said(client, table, "part-2") == said(client, table, "part-0", "process = 'incident'")
    sides = "communicator_role = 'ward-nurse' OR experiencer_role = 'ward-nurse'"
    assert said(client, "evidence", "part-3") == said(client, "evidence", "part-0", sides)
    assert found[1].record.work_items < found[0].record.work_items
    declared = "SELECT DISTINCT process FROM processes FINAL WHERE run = 'part-2'"
    assert client.query(declared).result_rows == [("incident",)]


def test_what_cannot_be_read_is_counted_and_nothing_else_changes(
    settings: ClickHouseSettings, client: Client, week: list[Event]
) -> None:
    events = week[:300]
    archive(client, events)
    whole = replayed(settings, "whole")
    row = {"source": "s", "type": "tieline.work_item.worked.v1", "process": "incident", "subject": events[0].subject}
    damaged = [
        b'{"source":"s","id":"%d","type":"%s","time":"2026-03-01T00:00:00Z","process":"incident","subject":"%s",'
        b'"payload":%s,"received_at":"2026-03-01T00:00:00Z"}'
        % (number, row["type"].encode(), row["subject"].encode(), payload)
        for number, payload in enumerate([b'"{"', b'"not json"', b'"{\\"type\\": \\"tieline.new.thing.v9\\"}"'])
    ]
    insert_rows(client, "events", damaged)
    found = replayed(settings, "damaged")
    assert found.tally.unusable == {"not_json": 2, "unknown_type": 1}
    assert found.record.content_hash == whole.record.content_hash


def test_names_of_any_kind_are_cut_and_read(settings: ClickHouseSettings, client: Client, week: list[Event]) -> None:
    first = next(event for event in week if event.type == "tieline.work_item.opened.v1")
    names = [
        "a'b",
        'c"d',
        "e\\f",
        "g%sh",
        "{i:String}",
        "j\u00e9\U0001f642",
        "k -- l",
        "m\\tn",
        " o ",
        "\uffff",
        "?",
        "~",
    ]
    processes = names[::4]
    asked = [{"subject": name, "process": process} for name in names for process in processes]
    archive(client, [first.model_copy(update=named) for named in asked])
    found = replayed(settings, "names", chunk_events=1)
    assert (found.record.work_items, found.record.events) == (len(asked),) * 2
    assert len(chunks_done(client, "names")) == len(asked)
    assert replayed(settings, "just-one", process="{i:String}").record.work_items == len(names)


def test_a_run_is_made_once(settings: ClickHouseSettings, client: Client, week: list[Event]) -> None:
    archive(client, week[:50])
    replayed(settings, "once")
    for resume in (False, True):
        with pytest.raises(RunExistsError, match="finished"):
            replayed(settings, "once", resume=resume)
    sql = f"SELECT count() FROM handoffs WHERE run = '{LIVE}'"
    assert client.query(sql).result_rows == [(0,)]


def test_a_name_that_is_half_deleted_is_no_new_run(
    settings: ClickHouseSettings, client: Client, week: list[Event]
) -> None:
    archive(client, week)
    replayed(settings, "twice")
    found = find_run(client, "twice")
    assert found is not None
    write_run(client, found.model_copy(update={"is_deleted": 1}))
    assert chunks_done(client, "twice")
    with pytest.raises(RunExistsError, match="runs delete"):
        replayed(settings, "twice")
    delete_run(client, "twice")
    assert replayed(settings, "twice").record.content_hash == found.content_hash
