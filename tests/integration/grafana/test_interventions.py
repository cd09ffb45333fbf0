"""Interventions as annotations: each once, its end added later, and nobody else's touched."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime, timedelta

import pytest
from clickhouse_connect.driver.client import Client

from deploy.grafana.api import Grafana
from deploy.grafana.interventions import Intervention, read_interventions
from schemas.decoding import decode
from schemas.errors import TielineError
from sinks.clickhouse.insert import insert_rows
from sinks.clickhouse.records import event_row
from tests.integration.grafana.fake.server import FakeGrafana
from tests.integration.grafana.wanted import kinds, push, wanted

START = datetime(2026, 3, 2, 8, tzinfo=UTC)
HUDDLE = Intervention("ed-to-ward", "", "int-1", START, None, "Huddle", "relational", "fewer things missing")
ENDED = dataclasses.replace(HUDDLE, ended_at=START + timedelta(days=60))
OTHER = dataclasses.replace(HUDDLE, site="ward-3", name="Huddle of ward 3")


def test_each_is_written_once(fake: FakeGrafana, grafana: Grafana) -> None:
    for _ in range(2):
        push(grafana, wanted(interventions=[HUDDLE, OTHER]))
    assert len(fake.notes.notes) == 2
    note = fake.notes.notes[1]
    assert note["time"] == int(START.timestamp() * 1000)
    assert note["text"] == "Huddle (relational: fewer things missing)"
    assert {"tieline", "intervention", "intervention:ed-to-ward/int-1", "process:ed-to-ward"} == set(note["tags"])


def test_its_end_is_added_when_it_ends(fake: FakeGrafana, grafana: Grafana) -> None:
    push(grafana, wanted(interventions=[HUDDLE]))
    changes = push(grafana, wanted(interventions=[ENDED]))
    assert kinds(changes) == {"annotation Huddle": "update"}
    assert fake.notes.notes[1]["timeEnd"] == int((START + timedelta(days=60)).timestamp() * 1000)
    assert kinds(push(grafana, wanted(interventions=[ENDED]))) == {}


def test_an_edited_one_is_restored(fake: FakeGrafana, grafana: Grafana) -> None:
    push(grafana, wanted(interventions=[HUDDLE]))
    fake.notes.notes[1]["text"] = "Huddle!"
    assert kinds(push(grafana, wanted(interventions=[HUDDLE]))) == {"annotation Huddle": "update"}
    assert fake.notes.notes[1]["text"].startswith("Huddle (")


def test_prune_removes_ours_and_nothing_else(fake: FakeGrafana, grafana: Grafana) -> None:
    push(grafana, wanted(interventions=[HUDDLE, OTHER]))
    theirs = [
        fake.notes.put_note(time=1, text="release", tags=["tieline"]),
        fake.notes.put_note(time=1, text="theirs", tags=["intervention", "intervention:ed-to-ward/int-1"]),
        fake.notes.put_note(time=1, text="no mark", tags=["tieline", "intervention"]),
    ]
    changes = push(grafana, wanted(interventions=[HUDDLE]))
    assert [change.kind for change in changes if change.what == "annotation"] == ["unchanged", "kept"]
    push(grafana, wanted(interventions=[HUDDLE]), prune=True)
    assert set(fake.notes.notes) == {1, *theirs}


def test_one_that_is_there_twice_is_pruned_to_one(fake: FakeGrafana, grafana: Grafana) -> None:
    push(grafana, wanted(interventions=[HUDDLE]))
    fake.notes.put_note(**{key: fake.notes.notes[1][key] for key in ("time", "text", "tags")})
    push(grafana, wanted(interventions=[HUDDLE]), prune=True)
    assert set(fake.notes.notes) == {1}


def test_many_are_all_found_again(fake: FakeGrafana, grafana: Grafana) -> None:
    many = [dataclasses.replace(HUDDLE, id=f"int-{number}") for number in range(150)]
    push(grafana, wanted(interventions=many))
    push(grafana, wanted(interventions=many))
    assert len(fake.notes.notes) == 150


def test_a_long_id_fits_into_a_tag(fake: FakeGrafana, grafana: Grafana) -> None:
    long = [dataclasses.replace(HUDDLE, id="i" * 200), dataclasses.replace(HUDDLE, id="i" * 201)]
    for _ in range(2):
        push(grafana, wanted(interventions=long))
    assert len(fake.notes.notes) == 2


def test_they_are_read_from_the_store(client: Client, reader: Client) -> None:
    start = {"name": "Huddle", "kind": "relational", "hypothesis": "fewer things missing", "owner_role": "nurse"}
    said = {"started": start, "ended": {}}
    for (verb, data), at in zip(said.items(), (START, START + timedelta(days=60)), strict=True):
        raw = {
            "specversion": "1.0",
            "id": verb,
            "source": "team",
            "type": f"tieline.intervention.{verb}.v1",
            "time": at.isoformat(),
            "subject": "int-1",
            "process": "ed-to-ward",
            "data": data,
        }
        insert_rows(client, "events", [event_row(decode(json.dumps(raw).encode()), received_at=at)])
    assert read_interventions(reader) == [ENDED]


def test_a_store_that_does_not_tell_says_what_to_do(empty: Client) -> None:
    with pytest.raises(TielineError, match="tieline migrate"):
        read_interventions(empty)


def test_without_them_annotations_are_not_looked_at(fake: FakeGrafana, grafana: Grafana) -> None:
    push(grafana, wanted(), prune=True)
    assert not [request for request in fake.requests if "annotations" in request.path]
