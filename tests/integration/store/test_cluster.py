"""A store on a cluster of two shards says what a single server says.

What this is and is not: see cluster_front.py. Distributed tables, their sharding keys, inserts, FINAL on each shard and
what is added up over shards are the engine's own; replicas, Keeper and the network are not there.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from clickhouse_connect.driver.client import Client

from schemas.decoding import decode
from schemas.errors import ConfigError
from schemas.rows import period_start
from sinks.clickhouse.audiences import VIEWS
from sinks.clickhouse.cluster import CLIENT
from sinks.clickhouse.content_hash import content_hash
from sinks.clickhouse.migrate import migrate, migrations, require_current, schema_state
from sinks.clickhouse.promotions import Promotion, demote, promote
from sinks.clickhouse.queries.stored_rows import windows_unlike_evidence
from sinks.clickhouse.retry import Retry
from sinks.clickhouse.runs import delete_run, find_run, write_run
from sinks.clickhouse.settings import ClickHouseSettings, connect
from sinks.clickhouse.sharding import SHARDED_BY
from sinks.clickhouse.windows import Windows
from sinks.clickhouse.windows_sql import WINDOW
from tests.integration.store.cluster_front import NAME
from tests.integration.store.panel_rows import AS_OF, put_dead_letter, put_effects, put_measure, put_signals
from tests.integration.store.scenario import fill, history

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(
        bool(os.environ.get("TIELINE_TEST_CLICKHOUSE_URL")),
        reason="the two shards are two views of one embedded engine",
    ),
]
DATABASE, WEEKS = "tieline_two", 3
AT = f"{AS_OF - timedelta(weeks=2):%Y-%m-%dT%H:%M:%SZ}".encode()
SINCE = AS_OF - timedelta(weeks=WEEKS + 2)
ASIDE = [
    b"""{"specversion": "1.0", "id": "i1", "source": "team", "type": "tieline.intervention.started.v1",
    "time": "%s", "subject": "int-1", "process": "ed-to-ward", "data": {"name": "Huddle at shift change",
    "kind": "relational", "hypothesis": "fewer things missing", "owner_role": "ed-nurse"}}""",
    b"""{"specversion": "1.0", "id": "s1", "source": "team", "type": "tieline.survey.scored.v1",
    "time": "%s", "subject": "autumn", "process": "ed-to-ward", "data": {"rater_role": "ward-nurse",
    "rated_role": "ed-nurse", "dimension": "accuracy", "mean": 3.5, "n": 12}}""",
]
"""An intervention and a survey: views on the archive make tables of them."""
BY_THE_CLOCK = {
    "freshness": ["received_age_s", "written_age_s"],
    "auditor_runs": ["started_at", "written_at"],
    "open_handoffs": ["age_s", "overdue"],
}
"""Columns that say when something was written, or that change while two stores are asked."""
WITHOUT_ROWS = {"quality_promotions"}
"""Views that this scenario has nothing for."""


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickHouseSettings]:
    """The account of an administrator of a cluster of two shards."""
    folder = tmp_path_factory.mktemp("cluster")
    command = [sys.executable, "-m", "tests.integration.store.cluster_front", DATABASE, "--data", str(folder)]
    log = (folder / "front.log").open("wb")
    with log, subprocess.Popen([*command, "--port", "0"], stdout=subprocess.PIPE, stderr=log, text=True) as front:
        try:
            assert front.stdout is not None
            word, _, port = front.stdout.readline().partition(" ")
            assert word == "ready", (folder / "front.log").read_text()[-2000:]
            yield _settings(folder, int(port))
        finally:
            front.terminate()
            front.wait(timeout=20)


def _settings(folder: Path, port: int) -> ClickHouseSettings:
    password = json.loads((folder / "passwords.json").read_text())["tieline"]
    given = {"port": port, "user": "tieline", "password": password, "database": DATABASE, "cluster": NAME}
    return ClickHouseSettings.model_validate(given)


@pytest.fixture(scope="module")
def cluster(two: ClickHouseSettings) -> Iterator[Client]:
    """The whole scenario, on two shards."""
    client = connect(two)
    migrate(client, cluster=NAME)
    _fill(client)
    yield client
    client.close()


@pytest.fixture(scope="module")
def server(store: ClickHouseSettings) -> Iterator[Client]:
    """The same on a single server."""
    client = connect(store.model_copy(update={"database": "test_beside_a_cluster"}))
    migrate(client)
    _fill(client)
    yield client
    client.command(f"DROP DATABASE `{client.database}`", use_database=False)
    client.close()


def _fill(client: Client) -> None:
    events = [*history(AS_OF, WEEKS), *(decode(event % AT) for event in ASIDE)]
    fill(client, events, AS_OF)
    fill(client, events[: len(events) // 2], AS_OF - timedelta(days=3), run="again")
    put_dead_letter(client, AS_OF - timedelta(hours=3))
    put_measure(client, AS_OF - timedelta(hours=1))
    put_signals(client, AS_OF - timedelta(hours=1))
    put_effects(client, AS_OF - timedelta(hours=2))


def _said(client: Client, view: str) -> list[str]:
    """The rows of a view, without what depends on when they were written."""
    process = "ed-to-ward" if view == "survey_beside_proxy" else ""
    period = f"from='{SINCE:%Y-%m-%d}', to='{AS_OF + timedelta(days=1):%Y-%m-%d}', process='{process}', site=''"
    also = "".join(
        f", {name}='{value}'"
        for name, value in {"compare": "again", "survey": "autumn"}.items()
        if name in VIEWS[view].also_takes
    )
    asked = f"{view}(run='live', {period}{also})" if VIEWS[view].takes_period else view
    left_out = BY_THE_CLOCK.get(view, [])
    columns = f"* EXCEPT ({', '.join(left_out)})" if left_out else "*"
    lately = f"WHERE minute > '{AS_OF - timedelta(hours=23):%Y-%m-%d %H:%M}:00'" if view == "handoff_flow" else ""
    rows = client.query(f"SELECT toJSONString(tuple({columns})) FROM {asked} {lately}").result_rows
    return sorted(str(row[0]) for row in rows)


def test_migrating_again_changes_nothing(cluster: Client) -> None:
    assert migrate(cluster, cluster=NAME) == []
    assert schema_state(cluster).applied == [migration.name for migration in migrations()]
    require_current(cluster)


def test_tables_of_a_shard_are_those_of_a_server(cluster: Client, server: Client) -> None:
    """Columns, keys, indices and limits of time; the engine and its settings are others."""
    sql = """
SELECT table, groupArray((name, type, default_kind, default_expression, compression_codec, is_in_sorting_key))
FROM (SELECT * FROM system.columns WHERE database = {database:String} ORDER BY table, position)
WHERE table IN (SELECT name FROM system.tables WHERE database = {database:String} AND endsWith(engine, 'MergeTree'))
GROUP BY table ORDER BY table"""
    keys = """
SELECT name, sorting_key, partition_key, extract(create_table_query, 'TTL .*? (?:SETTINGS|$)'),
    extract(create_table_query, 'index_granularity = \\\\d+'), extract(create_table_query, 'CONSTRAINT .*? CHECK [^)]*')
FROM system.tables WHERE database = {database:String} AND endsWith(engine, 'MergeTree') ORDER BY name"""
    indices = """
SELECT table, name, type, expr FROM system.data_skipping_indices WHERE database = {database:String}
ORDER BY table, name"""
    for asked in (sql, keys, indices):
        found = [
            client.query(asked, parameters={"database": database}).result_rows
            for client, database in ((cluster, f"{DATABASE}_local"), (server, server.database))
        ]
        assert found[0] == found[1]
        assert found[0]


def test_views_have_the_same_columns(cluster: Client, server: Client) -> None:
    sql = """
SELECT table, name, type FROM system.columns WHERE database = currentDatabase() AND table IN {views:Array(String)}
ORDER BY table, position"""
    given = {"views": list(VIEWS)}
    assert cluster.query(sql, parameters=given).result_rows == server.query(sql, parameters=given).result_rows


def test_each_work_item_lies_on_one_shard_and_none_has_all(cluster: Client) -> None:
    for table, item in (("events", "subject"), ("handoffs", "work_item"), ("evidence", "work_item")):
        sql = f"SELECT process, {item}, uniqExact(_shard_num), any(_shard_num) FROM {table} GROUP BY process, {item}"
        rows = cluster.query(sql).result_rows
        assert {row[2] for row in rows} == {1}
        assert {row[3] for row in rows} == {1, 2}


def test_a_cluster_holds_what_a_server_holds(cluster: Client, server: Client) -> None:
    for run in ("live", "again"):
        assert content_hash(cluster, run) == content_hash(server, run)


def test_windows_of_a_cluster_are_what_its_evidence_adds_up_to(cluster: Client) -> None:
    assert windows_unlike_evidence(cluster, "live") == []


@pytest.mark.parametrize("view", sorted(set(VIEWS) - {"pipeline_tables"}))
def test_a_view_of_a_cluster_says_what_a_servers_says(view: str, cluster: Client, server: Client) -> None:
    said = _said(cluster, view)
    assert said == _said(server, view)
    assert bool(said) == (view not in WITHOUT_ROWS)


def test_windows_noted_by_hand_are_added_up_again(cluster: Client) -> None:
    """As docs/clickhouse-cluster.md says it, for the day on which a replica has died at the wrong moment."""
    lost = f"SELECT {WINDOW}, now64(6) FROM tie_windows FINAL WHERE run = 'live' LIMIT 3"
    cluster.command(f"INSERT INTO tie_windows ({WINDOW}, version) {lost}")
    assert len(windows_unlike_evidence(cluster, "live")) == 3
    text = (Path(__file__).parents[3] / "docs" / "clickhouse-cluster.md").read_text("utf-8")
    (noted,) = re.findall(r"^INSERT INTO tieline\.stale_windows .*?;", text, re.DOTALL | re.MULTILINE)
    noted = noted.rstrip(";").replace("tieline.", f"{DATABASE}.").replace("2026-11-01", f"{SINCE:%Y-%m-%d}")
    cluster.command(noted)
    asyncio.run(Windows(cluster, Retry(lambda trouble: None)).recover())
    assert windows_unlike_evidence(cluster, "live") == []


def test_without_asking_all_shards_a_view_would_be_refused(cluster: Client) -> None:
    """Why the setting is in every view: readers need not know of it."""
    sql = "SELECT count() FROM handoffs WHERE (run, process) IN (SELECT run, process FROM processes)"
    with pytest.raises(Exception, match="288"):
        cluster.query(sql, settings={"distributed_product_mode": "deny"})
    assert cluster.query(sql).result_rows[0][0] > 0


def test_a_run_is_promoted_and_deleted_on_all_shards(cluster: Client) -> None:
    record = find_run(cluster, "again")
    assert record is not None
    write_run(cluster, record.model_copy(update={"status": "finished"}))
    first = period_start(AS_OF - timedelta(weeks=3), "week")
    after = first + timedelta(weeks=2)
    before = _said(cluster, "ties")
    promote(cluster, Promotion("ed-to-ward", "again", first, after))
    assert _said(cluster, "quality_promotions")
    assert demote(cluster, "again") == 2
    assert _said(cluster, "ties") == before
    deleted = delete_run(cluster, "again")
    assert {"evidence", "handoffs", "tie_windows", "runs"} <= set(deleted)
    assert find_run(cluster, "again") is None
    for table in deleted:
        rows = cluster.query(f"SELECT count() FROM {table} WHERE run = 'again'").result_rows
        assert rows == [(0,)], table
    assert _said(cluster, "ties") == before


def test_a_store_on_a_cluster_is_asked_as_one(cluster: Client, two: ClickHouseSettings) -> None:
    """Or a row that has just been written might not be found."""
    client = connect(two.model_copy(update={"cluster": ""}))
    with pytest.raises(ConfigError, match="TIELINE_CLICKHOUSE_CLUSTER=two"):
        require_current(client)
    with pytest.raises(ConfigError, match="on cluster 'two'"):
        migrate(client)
    client.close()


def test_a_servers_store_is_not_made_a_clusters(two: ClickHouseSettings) -> None:
    alone = connect(two.model_copy(update={"database": "alone", "cluster": ""}))
    migrate(alone, migrations()[:1])
    with pytest.raises(ConfigError, match="that of a single server"):
        migrate(alone, cluster=NAME)
    alone.command("DROP DATABASE alone", use_database=False)
    alone.close()


def test_a_cluster_nobody_knows_is_refused(two: ClickHouseSettings) -> None:
    client = connect(two.model_copy(update={"database": "nowhere"}))
    with pytest.raises(ConfigError, match="knows no cluster 'three'"):
        migrate(client, cluster="three")
    client.close()


def test_a_store_whose_shards_have_changed_is_refused(cluster: Client) -> None:
    comment = "ALTER TABLE migrations MODIFY COMMENT '{}'"
    cluster.command(comment.format("weights 1 1 1"))
    with pytest.raises(ConfigError, match="weights 1 1, and had weights 1 1 1"):
        require_current(cluster)
    cluster.command(comment.format("weights 1 1"))
    require_current(cluster)


def test_the_engine_knows_every_setting_of_a_cluster(cluster: Client) -> None:
    rows = cluster.query(
        "SELECT name FROM system.settings WHERE name IN {names:Array(String)}", {"names": list(CLIENT)}
    )
    assert {row[0] for row in rows.result_rows} == set(CLIENT)


def test_every_table_of_a_cluster_has_its_shards(cluster: Client) -> None:
    sql = "SELECT name FROM system.tables WHERE database = currentDatabase() AND engine = 'Distributed'"
    assert {row[0] for row in cluster.query(sql).result_rows} == set(SHARDED_BY)
