"""A fake Grafana for each test, held to Grafana's published API."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.grafana.api import Grafana
from deploy.grafana.settings import GrafanaSettings
from tests.integration.grafana.fake.contract import Contract
from tests.integration.grafana.fake.server import FakeGrafana, serving
from tests.integration.store.conftest import client, empty, migrated, reader, store, store_folder  # noqa: F401 - fixtures


@pytest.fixture(scope="session")
def contract(shared_data: Path) -> Contract:
    return Contract(shared_data / "grafana")


@pytest.fixture
def fake(contract: Contract) -> Iterator[FakeGrafana]:
    """An empty Grafana. Whatever it did not understand, or answered as no Grafana does, fails the test."""
    with serving(FakeGrafana(contract)) as running:
        yield running
    assert running.violations == []


@pytest.fixture
def grafana(fake: FakeGrafana) -> Grafana:
    """Pushed to as an administrator."""
    return as_role(fake, "admin")


def as_role(fake: FakeGrafana, role: str, **more: object) -> Grafana:
    """Pushed to with the token of a role."""
    settings = GrafanaSettings.model_validate({"url": fake.url, "token": f"glsa_{role}", **more})
    return Grafana(settings)
