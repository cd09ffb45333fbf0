"""Fixtures of the fault tests: brokers of one's own, events, and what a run without faults makes of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from schemas.events import Event
from tests import brokers
from tests.brokers import Broker
from tests.faults.rig import weeks_of_events
from tests.integration.pipeline.conftest import DEMO_POLICY
from tests.integration.pipeline.running import Hash, undisturbed_hash


@pytest.fixture
def fresh_kafka(tmp_path: Path) -> Iterator[Broker]:
    """An Apache Kafka with nothing on it."""
    with brokers.kafka(tmp_path / "kafka") as broker:
        yield broker


@pytest.fixture(scope="session")
def week() -> list[Event]:
    """A week of the simulated scenario: 3,490 events."""
    return weeks_of_events(1)


@pytest.fixture(scope="session")
def undisturbed(week: list[Event], tmp_path_factory: pytest.TempPathFactory) -> Hash:
    """What `week` leads to where nothing is disturbed."""
    return undisturbed_hash(week, tmp_path_factory.mktemp("undisturbed"), DEMO_POLICY)
