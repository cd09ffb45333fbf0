"""A store to test against: the embedded front, or the server that TIELINE_TEST_CLICKHOUSE_URL names."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from clickhouse_connect.driver.client import Client

from sinks.clickhouse.audiences import write_grants
from sinks.clickhouse.migrate import migrate
from sinks.clickhouse.settings import ClickHouseSettings, connect

_URL_ENV = "TIELINE_TEST_CLICKHOUSE_URL"


@pytest.fixture(scope="session")
def store_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the embedded front keeps its data, passwords and grants."""
    return tmp_path_factory.mktemp("store")


@pytest.fixture(scope="session")
def store(store_folder: Path) -> Iterator[ClickHouseSettings]:
    """The account of an administrator; tests make databases of their own."""
    given = os.environ.get(_URL_ENV)
    if given:
        yield ClickHouseSettings.from_url(given)
        return
    folder = store_folder
    command = [sys.executable, "-m", "deploy.embedded.front", "--data", str(folder), "--port", "0"]
    log = (folder / "front.log").open("wb")
    with log, subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True) as front:
        try:
            assert front.stdout is not None
            word, _, port = front.stdout.readline().partition(" ")
            assert word == "ready", (folder / "front.log").read_text()[-2000:]
            yield _account(folder, int(port))
        finally:
            front.terminate()
            front.wait(timeout=20)


def _account(folder: Path, port: int, user: str = "tieline") -> ClickHouseSettings:
    password = json.loads((folder / "passwords.json").read_text())[user]
    return ClickHouseSettings.model_validate({"port": port, "user": user, "password": password})


@contextmanager
def reading_as(user: str, client: Client, store: ClickHouseSettings, folder: Path) -> Iterator[Client]:
    """A client of the same database as somebody who may read views only. On a server: as its administrator."""
    settings = store.model_copy(update={"database": client.database})
    if not os.environ.get(_URL_ENV):
        write_grants(folder / "grants.json", str(client.database))
        settings = _account(folder, store.port, user).model_copy(update={"database": client.database})
    reader = connect(settings)
    try:
        yield reader
    finally:
        reader.close()


@pytest.fixture
def reader(client: Client, store: ClickHouseSettings, store_folder: Path) -> Iterator[Client]:
    """The account of dashboards, on the database of `client`."""
    with reading_as("reader", client, store, store_folder) as found:
        yield found


@pytest.fixture
def empty(store: ClickHouseSettings) -> Iterator[Client]:
    """A client whose database does not exist yet; dropped afterwards."""
    client = connect(store.model_copy(update={"database": f"test_{uuid.uuid4().hex[:12]}"}))
    yield client
    client.command(f"DROP DATABASE IF EXISTS `{client.database}`", use_database=False)
    client.close()


@pytest.fixture(scope="session")
def migrated(store: ClickHouseSettings) -> Iterator[ClickHouseSettings]:
    """A database with all tables and views, of no test in particular: migrating takes longer than most tests."""
    settings = store.model_copy(update={"database": f"test_{uuid.uuid4().hex[:12]}"})
    client = connect(settings)
    migrate(client)
    yield settings
    client.command(f"DROP DATABASE IF EXISTS `{client.database}`", use_database=False)
    client.close()


@pytest.fixture
def client(migrated: ClickHouseSettings) -> Iterator[Client]:
    """A client of a migrated database without rows."""
    client = connect(migrated)
    for table in _filled_tables(client):
        client.command(f"TRUNCATE TABLE `{table}`")
    yield client
    client.close()


def _filled_tables(client: Client) -> list[str]:
    """Tables that another test has left rows in; not those that migrations fill."""
    sql = """
SELECT DISTINCT table FROM system.parts
WHERE database = currentDatabase() AND active AND table NOT IN ('migrations', 'here')"""
    return [str(row[0]) for row in client.query(sql).result_rows]
