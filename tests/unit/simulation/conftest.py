"""One simulated world for all tests of the simulation."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from deploy.policy_files import load_policy_book
from schemas.events import Event
from schemas.policy import PolicyBook
from streams.simulation.scenario import Scenario

END = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
DEMO_POLICY = Path(__file__).parents[3] / "deploy" / "policies" / "demo.yaml"


def hashed(name: str) -> str:
    """Stands for the gateway's keyed hash."""
    return "test:" + hashlib.sha256(name.encode()).hexdigest()[:32]


@pytest.fixture(scope="session")
def scenario() -> Scenario:
    return Scenario(seed=7, end=END, hash_actor=hashed)


@pytest.fixture(scope="session")
def simulated(scenario: Scenario) -> tuple[Event, ...]:
    """Six weeks of events."""
    return tuple(scenario.history())


@pytest.fixture(scope="session")
def demo_policies() -> PolicyBook:
    return load_policy_book([DEMO_POLICY])
