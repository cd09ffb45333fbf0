"""Migrations against a real store."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from clickhouse_connect.driver.client import Client

from schemas.errors import ConfigError
from sinks.clickhouse.insert import insert_rows
from sinks.clickhouse.migrate import Migration, migrate, migrations, require_current, schema_state
from tests.integration.store.rows import encoded, handoff

ONE = Migration(1, "0001_one", "CREATE TABLE IF NOT EXISTS one (a UInt8) ENGINE = MergeTree ORDER BY a;\n")
TWO = Migration(2, "0002_two", "CREATE TABLE IF NOT EXISTS two (a UInt8) ENGINE = MergeTree ORDER BY a;\n")


def tables(client: Client) -> set[str]:
    return {row[0] for row in client.query("SHOW TABLES").result_rows}


def test_migrating_twice_applies_each_migration_once(empty: Client) -> None:
    names = [migration.name for migration in migrations()]
    assert migrate(empty) == names
    assert migrate(empty) == []
    assert schema_state(empty) == (names, [])


def test_a_later_migration_is_added_to_those_applied(empty: Client) -> None:
    assert migrate(empty, [ONE]) == ["0001_one"]
    assert migrate(empty, [ONE, TWO]) == ["0002_two"]
    assert {"one", "two"} <= tables(empty)


def test_a_changed_migration_is_refused(empty: Client) -> None:
    migrate(empty, [ONE])
    with pytest.raises(ConfigError, match="0001_one has changed"):
        migrate(empty, [ONE._replace(sql=ONE.sql + "-- more\n")])


def test_a_store_of_a_newer_version_is_refused(empty: Client) -> None:
    migrate(empty, [ONE, TWO])
    with pytest.raises(ConfigError, match="newer Tieline"):
        migrate(empty, [ONE])


def test_a_missing_database_lacks_every_migration(empty: Client) -> None:
    assert schema_state(empty).missing == [migration.name for migration in migrations()]
    with pytest.raises(ConfigError, match="tieline migrate"):
        require_current(empty)


def test_concurrent_runs_leave_what_one_run_leaves(empty: Client) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: migrate(empty), range(4)))
    require_current(empty)
    names = [migration.name for migration in migrations()]
    rows = empty.query("SELECT name FROM migrations FINAL ORDER BY number").result_rows
    assert [row[0] for row in rows] == names


def test_a_run_waits_for_one_that_was_killed_and_then_does_it_all(empty: Client) -> None:
    migrate(empty, [ONE])
    empty.command("CREATE TABLE migrating (at DateTime64(6, 'UTC')) ENGINE = MergeTree ORDER BY at")
    assert migrate(empty, [ONE, TWO]) == ["0002_two"]
    assert tables(empty) == {"migrations", "one", "two"}


REMADE = next(migration for migration in migrations() if "handoffs_again" in migration.sql)


@pytest.mark.parametrize("done", range(len(REMADE.statements) + 1))
def test_remaking_the_handoffs_loses_no_row_wherever_it_stops(empty: Client, done: int) -> None:
    """A sink that writes all the while, and a migration that is killed after some statement and run again."""
    migrate(empty, [migration for migration in migrations() if migration.number < REMADE.number])
    insert_rows(empty, "handoffs", encoded([handoff("before")]))
    for number, statement in enumerate(REMADE.statements[:done]):
        empty.command(statement)
        insert_rows(empty, "handoffs", encoded([handoff(f"after-{number}")]))
    migrate(empty)
    found = {row[0] for row in empty.query("SELECT work_item FROM handoffs FINAL").result_rows}
    assert found == {"before", *(f"after-{number}" for number in range(done))}
    assert "index_granularity = 1024" in str(empty.command("SHOW CREATE TABLE handoffs"))
    assert "INDEX newest_at" in str(empty.command("SHOW CREATE TABLE handoffs"))
    assert "CONSTRAINT has_identity" in str(empty.command("SHOW CREATE TABLE handoffs"))
