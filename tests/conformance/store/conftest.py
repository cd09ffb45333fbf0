"""Stores for the tests: one per module, or several of a test's own."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from clickhouse_connect.driver.client import Client

from tests.conformance.store.running_store import Starter, Store, start_store


@pytest.fixture
def new_store() -> Iterator[Starter]:
    """Starts fronts that are gone at the end of the test."""
    started: list[Store] = []

    def start(folder: Path) -> Store:
        started.append(start_store(folder))
        return started[-1]

    yield start
    for store in started:
        if store.process.poll() is None:
            store.end(signal.SIGKILL)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """One front for the tests of a module, with a base table, a granted view and a parameterised one."""
    running = start_store(tmp_path_factory.mktemp("store") / "data")
    writer = running.client()
    for statement in (
        "CREATE DATABASE tieline",
        "CREATE TABLE tieline.evidence (id UInt32, role String) ENGINE = MergeTree ORDER BY id",
        "INSERT INTO tieline.evidence VALUES (1, 'ward'), (2, 'ed'), (3, 'ed')",
        "CREATE VIEW tieline.quality_by_role AS SELECT role, count() AS n FROM tieline.evidence GROUP BY role",
        "CREATE VIEW tieline.ties AS SELECT * FROM tieline.evidence WHERE role = {role:String}",
        "CREATE VIEW tieline.auditor_evidence AS SELECT * FROM tieline.evidence",
    ):
        writer.command(statement)
    writer.close()
    yield running
    running.end(signal.SIGKILL)


@pytest.fixture
def writer(store: Store) -> Iterator[Client]:
    client = store.client()
    yield client
    client.close()


@pytest.fixture
def reader(store: Store) -> Iterator[Client]:
    client = store.client("reader", database="tieline")
    yield client
    client.close()
