"""A store to test against: the embedded front, or the server that TIELINE_TEST_CLICKHOUSE_URL names."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from clickhouse_connect.driver.client import Client

from sinks.clickhouse.migrate import migrate
from sinks.clickhouse.settings import ClickHouseSettings, connect

_URL_ENV = "TIELINE_TEST_CLICKHOUSE_URL"


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickHouseSettings]:
    """The account of an administrator; tests make databases of their own."""
    given = os.environ.get(_URL_ENV)
    if given:
        yield ClickHouseSettings.from_url(given)
        return
    folder = tmp_path_factory.mktemp("store")
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


def _account(folder: Path, port: int) -> ClickHouseSettings:
    password = json.loads((folder / "passwords.json").read_text())["tieline"]
    return ClickHouseSettings.model_validate({"port": port, "user": "tieline", "password": password})


@pytest.fixture
def empty(store: ClickHouseSettings) -> Iterator[Client]:
    """A client whose database does not exist yet; dropped afterwards."""
    client = connect(store.model_copy(update={"database": f"test_{uuid.uuid4().hex[:12]}"}))
    yield client
    client.command(f"DROP DATABASE IF EXISTS `{client.database}`", use_database=False)
    client.close()


@pytest.fixture
def client(empty: Client) -> Client:
    """A client of a freshly migrated database of its own."""
    migrate(empty)
    return empty
