"""Fixtures for every test: brokers and the research event logs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import brokers
from tests.brokers import Broker

os.environ["COLUMNS"] = "200"  # tables are cut to the terminal's width, which must not decide what a test sees


@pytest.fixture(scope="session")
def tansu_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """One Tansu broker for the whole session: use topics and groups of your own."""
    with brokers.tansu(tmp_path_factory.mktemp("tansu")) as broker:
        yield broker


@pytest.fixture(scope="session")
def kafka_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """One Apache Kafka broker for the whole session: use topics and groups of your own."""
    with brokers.kafka(tmp_path_factory.mktemp("kafka")) as broker:
        yield broker


@pytest.fixture
def fresh_tansu(tmp_path: Path) -> Iterator[Broker]:
    """A Tansu broker with nothing on it, for topics and groups that have fixed names."""
    with brokers.tansu(tmp_path / "tansu") as broker:
        yield broker


@pytest.fixture
def fresh_kafka(tmp_path: Path) -> Iterator[Broker]:
    """An Apache Kafka with nothing on it, for topics and groups that have fixed names."""
    with brokers.kafka(tmp_path / "kafka") as broker:
        yield broker


@pytest.fixture(params=["tansu", pytest.param("kafka", marks=pytest.mark.kafka)])
def broker(request: pytest.FixtureRequest) -> Broker:
    """Each broker in turn."""
    started: Broker = request.getfixturevalue(f"{request.param}_broker")
    return started


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of the research event logs: `TIELINE_SHARED`, else `shared` beside the checkout."""
    chosen = os.environ.get("TIELINE_SHARED")
    folder = Path(chosen) if chosen else Path(__file__).parents[2] / "shared"
    if folder.is_dir():
        return folder
    reason = f"no research event logs at {folder}; set TIELINE_SHARED"
    if brokers.must_run():
        pytest.fail(reason)
    pytest.skip(reason)
