"""The audit finds what is wrong with `live`, and only that."""

from __future__ import annotations

from typing import Any

from clickhouse_connect.driver.client import Client

from deploy.composition.reconcile import Reconciled, reconcile
from schemas.events import Event
from sinks.clickhouse.content_hash import content_hash
from sinks.clickhouse.settings import ClickHouseSettings
from tests.integration.replay.replaying import AS_OF, BOOK, Unseen, archive, stream

_HANDOFF = "SELECT work_item, episode_id FROM handoffs FINAL WHERE run = 'live' ORDER BY work_item, episode_id LIMIT 1"


def audited(settings: ClickHouseSettings, **fields: Any) -> Reconciled:
    return reconcile(
        settings, BOOK, Unseen(), **{"clock": lambda: AS_OF, "lag_s": 0.0, "sleep": lambda _: None, **fields}
    )


def test_what_was_streamed_is_what_the_archive_says(
    settings: ClickHouseSettings, client: Client, week: list[Event]
) -> None:
    archive(client, week)
    stream(settings, week)
    before = content_hash(client)
    found = audited(settings)
    assert (found.differences, found.windows, found.unusable) == ([], [], 0)
    assert found.events == len(week)
    assert found.rows == sum(before[table].rows for table in ("handoffs", "exchanges", "problems", "evidence"))
    assert content_hash(client) == before, "an audit changes nothing"


def test_every_kind_of_difference_is_told(settings: ClickHouseSettings, client: Client, week: list[Event]) -> None:
    events = week[:900]
    archive(client, events)
    stream(settings, events)
    ((item, episode),) = client.query(_HANDOFF).result_rows
    of_it = f"run = 'live' AND work_item = '{item}' AND episode_id = '{episode}'"
    every = "SELECT * REPLACE ({}) FROM (SELECT * FROM handoffs FINAL WHERE " + of_it + ")"
    client.command("INSERT INTO handoffs " + every.format("revision + 1 AS revision, 'capacity' AS urgency"))
    client.command("INSERT INTO handoffs " + every.format("'made up' AS work_item"))
    client.command("INSERT INTO handoffs " + every.format("'nowhere' AS process, 'x' AS work_item"))
    ((lost,),) = client.query("SELECT episode_id FROM exchanges FINAL WHERE run = 'live' LIMIT 1").result_rows
    client.command(
        f"INSERT INTO exchanges SELECT * REPLACE (revision + 1 AS revision, 1 AS is_deleted) FROM exchanges FINAL"
        f" WHERE episode_id = '{lost}'"
    )
    ((window,),) = client.query("SELECT dimension FROM tie_windows FINAL ORDER BY ALL LIMIT 1").result_rows
    client.command(
        "INSERT INTO tie_windows SELECT * REPLACE (now64(6) AS version, n + 1 AS n) FROM tie_windows FINAL"
        f" WHERE dimension = '{window}' ORDER BY ALL LIMIT 1"
    )
    before = content_hash(client)
    found = audited(settings)
    told = {
        (each.table, each.kind, each.work_item if each.kind == "extra" else "", each.columns)
        for each in found.differences
    }
    assert told == {
        ("handoffs", "different", "", ("urgency",)),
        ("handoffs", "extra", "made up", ()),
        ("handoffs", "extra", "x", ()),
        ("exchanges", "missing", "", ()),
    }
    assert len(found.windows) == 1
    assert [each.process for each in audited(settings, process="nowhere").differences] == ["nowhere"]
    assert content_hash(client) == before, "an audit changes nothing"
