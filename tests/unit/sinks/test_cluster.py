"""Migrations as a cluster needs them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from schemas.errors import InvariantError
from sinks.clickhouse.audiences import VIEWS
from sinks.clickhouse.cluster import CLIENT, READING, Cluster, rendered
from sinks.clickhouse.migrate import first_statements, migrations, statements_for
from sinks.clickhouse.sharding import SHARDED_BY

CLUSTER = Cluster("hospital", "tieline", "weights 1 1")
GOLDEN = Path(__file__).parents[2] / "golden" / "cluster" / "tables.txt"
SUMS = {"source_hours", "role_months"}
"""Filled by views on events: read by adding up, never as whole rows."""


def all_statements() -> list[str]:
    found = first_statements(CLUSTER.database, CLUSTER)
    return found + [text for migration in migrations() for text in statements_for(migration, CLUSTER)]


def local_tables() -> dict[str, str]:
    tables = (re.match(r"CREATE TABLE IF NOT EXISTS `tieline_local`.`(\w+)`", text) for text in all_statements())
    return {found[1]: found.string for found in tables if found}


def sort_key(statement: str) -> str:
    found = re.search(r"\bORDER BY (?:(\w+)|\((.+)\))$", statement.replace("\nTTL", "\n\nTTL"), re.MULTILINE)
    assert found
    return found[1] or found[2]


def test_every_table_of_a_server_is_a_replicated_one_and_a_distributed_one() -> None:
    created = re.findall(r"CREATE TABLE IF NOT EXISTS (\w+)", "\n".join(m.sql for m in migrations()))
    over = {
        found[1] for text in all_statements() if (found := re.search(r"Distributed\('hospital', '\w+', '(\w+)'", text))
    }
    assert set(local_tables()) == over == {*created, "migrations"} - {"handoffs_again"} == set(SHARDED_BY)


@pytest.mark.parametrize("table", sorted(set(SHARDED_BY) - SUMS))
def test_the_shard_of_a_row_follows_from_its_sort_key(table: str) -> None:
    """Or two versions of it could lie on two shards, and both would count."""
    columns = re.findall(r"\w+", SHARDED_BY[table].removeprefix("cityHash64"))
    assert set(columns) <= set(re.findall(r"\w+", sort_key(local_tables()[table])))


@pytest.mark.parametrize("table", sorted(SUMS))
def test_sums_have_no_shard_of_their_own(table: str) -> None:
    assert SHARDED_BY[table] == "rand()"
    assert "AggregatingMergeTree" in local_tables()[table]


def test_what_lies_together_is_sharded_alike() -> None:
    """A work item's events and rows, and what views make of events where those are."""
    per_item = ("events", "interventions", "intervention_receipts", "surveys", "work_items", "handoffs", "evidence")
    assert {re.sub(r", \w+\)", ", item)", SHARDED_BY[table]) for table in per_item} == {"cityHash64(process, item)"}


def test_no_insert_is_taken_for_a_repeat() -> None:
    for statement in local_tables().values():
        assert "replicated_deduplication_window = 0" in statement


def test_statements_name_their_database_and_change_every_node() -> None:
    for statement in all_statements():
        if not statement.startswith("INSERT"):
            assert " ON CLUSTER `hospital`" in statement.split("\n")[0]
        for table in re.findall(r"\b(?:FROM|JOIN|TO|INTO|TABLE|VIEW)\s+(?:IF NOT EXISTS )?([\w`]+)", statement):
            assert table.strip("`") not in {*SHARDED_BY, *VIEWS}, statement[:200]


def test_every_view_asks_all_shards_and_goes_without_none() -> None:
    views = [text for text in all_statements() if text.startswith("CREATE OR REPLACE VIEW")]
    assert {text.split("`")[3] for text in views} >= set(VIEWS)
    for statement in views:
        for setting, value in READING.items():
            assert f"{setting} = {value!r}" in statement.rpartition("SETTINGS")[2]


def test_readers_and_writers_agree_on_what_a_shard_is() -> None:
    assert CLIENT.items() >= READING.items()


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE events DROP COLUMN site",
        "CREATE TABLE more (a UInt8) ENGINE = MergeTree ORDER BY a",
        "CREATE DICTIONARY names (id UInt64) PRIMARY KEY id SOURCE(NULL()) LIFETIME(0) LAYOUT(FLAT())",
        "DELETE FROM events WHERE 1",
    ],
)
def test_a_form_nobody_has_thought_about_is_refused(statement: str) -> None:
    with pytest.raises(InvariantError, match="no form for a cluster"):
        rendered(statement, CLUSTER)


def test_the_tables_of_a_cluster_are_those_written_down() -> None:
    """Golden: whoever edits it moves rows between shards, and stores that there are have to be made anew."""
    lines = [f"{'table':<22}{'engine':<45}{'shard':<58}sort key"]
    for table, statement in sorted(local_tables().items()):
        found = re.search(r"ENGINE = Replicated(\w+)\(.*?'\{replica\}'(?:, )?(.*?)\)", statement)
        assert found
        engine = f"{found[1]}({found[2]})" if found[2] else found[1]
        lines.append(f"{table:<22}{engine:<45}{SHARDED_BY[table]:<58}{sort_key(statement)}")
    assert lines == GOLDEN.read_text("utf-8").splitlines()
