"""A store whose archive holds a week of the scenario, and what live said of it at one instant."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from clickhouse_connect.driver.client import Client

from schemas.events import Event
from sinks.clickhouse.settings import ClickHouseSettings
from streams.gateway.actors import ActorKey
from streams.simulation.scenario import Scenario
from tests.integration.store.conftest import client, migrated, store, store_folder

__all__ = ["client", "migrated", "store", "store_folder"]
KEY = ActorKey("test", bytes(range(32)))


@pytest.fixture(scope="session")
def week() -> list[Event]:
    """A week of the simulated scenario, in order of time."""
    return list(Scenario(3, datetime(2026, 3, 4, 10, tzinfo=UTC), KEY.hash_actor, weeks=1).history())


@pytest.fixture
def settings(migrated: ClickHouseSettings, client: Client) -> ClickHouseSettings:
    """The account of `client`, for those who connect themselves."""
    assert client.database == migrated.database
    return migrated
