"""Equal events, policy, method and as_of: equal content, whoever folds it and however it is cut."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from clickhouse_connect.driver.client import Client

from schemas.events import Event
from sinks.clickhouse.runs import chunks_done, find_run
from sinks.clickhouse.settings import ClickHouseSettings
from streams.gateway.log_import import LogImport, Mapped, read_mapping
from tests.integration.replay.conftest import KEY
from tests.integration.replay.replaying import AS_OF, ROOT, archive, live_hash, replayed, stream


def shuffled(events: list[Event], seed: int, repeats: int = 0) -> list[Event]:
    dice = random.Random(seed)
    return dice.sample(events, len(events)) + dice.sample(events, repeats)


def test_a_replay_of_what_was_streamed_is_live(settings: ClickHouseSettings, client: Client, week: list[Event]) -> None:
    archive(client, week)
    stream(settings, shuffled(week, 1, repeats=300))
    before = live_hash(client)
    found = replayed(settings, "again")
    assert found.record.content_hash == before
    assert found.contents["evidence"].rows > 1_000
    assert (found.record.events, found.record.as_of, found.record.source) == (len(week), AS_OF, "archive")
    assert live_hash(client) == before, "live is never touched"
    priors = (
        "SELECT process, dimension, origin, mu, tau2, phi, k, n_eff FROM priors FINAL WHERE run = '{}' ORDER BY ALL"
    )
    live, again = (client.query(priors.format(run)).result_rows for run in ("live", "again"))
    assert live == again
    assert live
    names = "SELECT * EXCEPT run FROM tie_names FINAL WHERE run = '{}'"
    live, again = (client.query(names.format(run)).result_rows for run in ("live", "again"))
    assert set(again) <= set(live), "live still knows the names of rows that were corrected"
    assert again


def test_neither_workers_nor_chunks_nor_batches_change_the_hash(
    settings: ClickHouseSettings, client: Client, week: list[Event]
) -> None:
    archive(client, week)
    one = replayed(settings, "one").record
    two = replayed(settings, "two", workers=2, chunk_events=200, flush_rows=77).record
    assert one.content_hash == two.content_hash
    assert len(chunks_done(client, "one")) == 2 < len(chunks_done(client, "two"))


def test_neither_order_nor_repeats_of_the_archive_change_the_hash(
    settings: ClickHouseSettings, client: Client, week: list[Event]
) -> None:
    archive(client, week)
    first = replayed(settings, "first", as_of=None).record
    client.command("TRUNCATE TABLE events")
    many = shuffled(week, 2, repeats=500)
    for start in range(0, len(many), 900):
        archive(client, many[start : start + 900])
    second = replayed(settings, "second", as_of=None).record
    same = {"run", "started_at", "finished_at"}
    assert first.model_dump(exclude=same) == second.model_dump(exclude=same)
    assert first.as_of == week[-1].time, "the newest event, if nobody says otherwise"
    assert find_run(client, "second") == second


@pytest.mark.shared
def test_the_volvo_log_has_one_hash(settings: ClickHouseSettings, client: Client, shared_data: Path) -> None:
    mapping = read_mapping(ROOT / "deploy" / "mappings" / "volvo-problems.yaml")
    log = LogImport(shared_data / "data" / "bpic2013_closed_problems.xes.gz", mapping, None, KEY)
    events = [outcome.event for outcome in log if isinstance(outcome, Mapped)]
    archive(client, events)
    one = replayed(settings, "one-worker", as_of=None)
    client.command("TRUNCATE TABLE events")
    archive(client, shuffled(events, 3, repeats=1_000))
    four = replayed(settings, "four-workers", as_of=None, workers=4, chunk_events=1_000)
    assert one.record.content_hash == four.record.content_hash
    assert one.contents["handoffs"].rows == four.contents["handoffs"].rows == 655
