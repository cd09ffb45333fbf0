"""Fixtures of the pipeline tests: a broker of one's own, because topics and groups have fixed names."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest

from schemas.events import Event
from streams.gateway.actors import ActorKey
from streams.simulation.scenario import Scenario
from tests import brokers
from tests.brokers import Broker
from tests.integration.pipeline.running import ROOT, Hash, undisturbed_hash

DEMO_POLICY = ROOT / "deploy" / "policies" / "demo.yaml"
KEY = ActorKey("test", bytes(range(32)))


@pytest.fixture(params=["tansu", pytest.param("kafka", marks=pytest.mark.kafka)])
def fresh_broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Broker]:
    """Each broker in turn, with nothing on it."""
    with ExitStack() as stack:
        start = brokers.tansu if request.param == "tansu" else brokers.kafka
        folder = tmp_path / "broker"
        folder.mkdir()
        yield stack.enter_context(start(folder))


@pytest.fixture(scope="session")
def scenario_events() -> list[Event]:
    """A week of the simulated scenario, in order of time."""
    return list(Scenario(3, datetime(2026, 3, 4, 10, tzinfo=UTC), KEY.hash_actor, weeks=1).history())


@pytest.fixture(scope="session")
def undisturbed(scenario_events: list[Event], tmp_path_factory: pytest.TempPathFactory) -> Hash:
    """The content hash of a run that nothing disturbed, on Tansu."""
    found = undisturbed_hash(scenario_events, tmp_path_factory.mktemp("undisturbed"), DEMO_POLICY)
    assert found["handoffs"][0] > 100
    return found
