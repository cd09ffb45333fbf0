"""What the store knows of interventions: worries, receipts, and effects that were found."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from clickhouse_connect.driver.client import Client

from deploy.composition.effects import EffectOnTie, Place, SeriesName, effects, store_effects
from deploy.composition.interventions import registered
from deploy.composition.reading import ServerReader
from schemas.envelope import Envelope
from sinks.clickhouse.insert import insert_rows
from sinks.clickhouse.records import event_row
from streams.inference.effect.effect import effect_of
from tests.integration.store.rows import START, declare
from tests.integration.store.test_archive import event
from tests.integration.store.test_control import FIRST, window, write
from tests.unit.effect.histories import steady, stepped

MONDAY = datetime(FIRST.year, FIRST.month, FIRST.day, tzinfo=UTC)


def huddle(hypothesis: str = "answers come sooner", **fields: object) -> Envelope:
    ties = ({"communicator_role": "level-1", "experiencer_role": "level-2"},)
    told = {"name": "Huddle", "kind": "relational", "owner_role": "nurse", "ties": ties, "worry": "time"}
    return event(1, "intervention.started", hypothesis=hypothesis, **told).model_copy(update=fields)


def receive(client: Client, event: Envelope, at: datetime) -> None:
    insert_rows(client, "events", [event_row(event, received_at=at)])


def test_registration_is_when_the_shown_content_was_first_received(client: Client) -> None:
    later = START + timedelta(days=9)
    receive(client, huddle(), START)
    receive(client, huddle(), later)
    (row,) = registered(ServerReader(client))
    assert (row["registered_at"], row["worry"]) == (START, "time")
    receive(client, huddle("a thing nobody had thought of"), later)
    (row,) = registered(ServerReader(client))
    assert row["hypothesis"] == "a thing nobody had thought of"
    assert row["registered_at"] == later


def test_effect_on_what_the_store_shows_is_found_and_kept(client: Client, reader: Client) -> None:
    declare(client)
    for number, (role, series) in enumerate(
        [("level-1", stepped(steady(5, 30, value=0.7), 15, 0.2)), ("desk-1", steady(2, 30, value=0.7))]
    ):
        names = {"communicator_role": role, "experiencer_role": f"{role[:-1]}2"}
        write(client, [window(w.number, round(w.value * 50 + number), 50, **names) for w in series])
    at = MONDAY + timedelta(weeks=15)
    receive(client, huddle(process="incident", time=at), at)
    (found,) = effects(ServerReader(reader), intervention="s1")
    assert found.effect.ties_compared == 1
    assert found.effect.headline is not None
    assert found.effect.headline.low < 0.2 < found.effect.headline.high
    now = datetime(2026, 11, 1, tzinfo=UTC)
    store_effects(client, [found], now)
    (row,) = list(reader.query("SELECT * FROM quality_effects").named_results())
    assert (row["change"], row["low"], row["high"]) == pytest.approx(
        (found.effect.headline.estimate, found.effect.headline.low, found.effect.headline.high)
    )
    assert (row["basis"], row["verdict"]) == ("beside other ties", found.effect.verdict)


def test_series_that_is_no_longer_found_is_no_longer_kept(client: Client) -> None:
    first = datetime(2026, 11, 1, tzinfo=UTC)
    both = [
        EffectOnTie("live", "p", "", "i", "", "process", SeriesName("a", to, "accuracy", "explicit"), None, None, none)
        for to, none in (("b", effect_of([], 0)), ("c", effect_of([], 0)))
    ]
    store_effects(client, both, first)
    store_effects(client, both[:1], first + timedelta(days=1))
    assert client.query("SELECT count() FROM quality_effects").result_rows == [(2,)]
    place = Place("live", "p", "", "i")
    store_effects(client, both[:1], first + timedelta(days=2), whole=[place])
    assert client.query("SELECT experiencer_role, change FROM quality_effects").result_rows == [("b", None)]
    store_effects(client, [], first + timedelta(days=3), whole=[place])
    assert client.query("SELECT count() FROM quality_effects").result_rows == [(0,)]
