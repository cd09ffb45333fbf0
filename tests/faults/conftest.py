"""Fixtures of the fault tests: events, and what a run without faults makes of them."""

from __future__ import annotations

import pytest

from schemas.events import Event
from tests.faults.rig import weeks_of_events
from tests.integration.pipeline.conftest import DEMO_POLICY
from tests.integration.pipeline.running import Hash, undisturbed_hash


@pytest.fixture(scope="session")
def week() -> list[Event]:
    """A week of the simulated scenario: 3,490 events."""
    return weeks_of_events(1)


@pytest.fixture(scope="session")
def undisturbed(week: list[Event], tmp_path_factory: pytest.TempPathFactory) -> Hash:
    """What `week` leads to where nothing is disturbed."""
    return undisturbed_hash(week, tmp_path_factory.mktemp("undisturbed"), DEMO_POLICY)
