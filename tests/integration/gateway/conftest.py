"""Fixtures of the gateway's tests: brokers of one's own, to be killed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from deploy.kafka.broker import KafkaBroker
from deploy.kafka.jars import missing_tools
from streams.apps.topic_admin import create_topics
from tests import brokers
from tests.brokers import Broker, must_run


@pytest.fixture
def own_kafka(tmp_path: Path) -> Iterator[KafkaBroker]:
    """An Apache Kafka with Tieline's topics, to be killed and started again: its log stays."""
    if (missing := missing_tools()) and not must_run():
        pytest.skip(f"Apache Kafka needs {' and '.join(missing)}, not found here")
    broker = KafkaBroker(tmp_path / "kafka")
    try:
        broker.start()
        create_topics(broker.address)
        yield broker
    finally:
        broker.stop()


@pytest.fixture(params=[pytest.param("tansu", marks=pytest.mark.long), pytest.param("kafka", marks=pytest.mark.kafka)])
def own_broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Broker]:
    """Each broker in turn, with Tieline's topics and nothing on them."""
    folder = tmp_path / "broker"
    folder.mkdir()
    with ExitStack() as stack:
        broker = stack.enter_context((brokers.tansu if request.param == "tansu" else brokers.kafka)(folder))
        create_topics(broker.address)
        yield broker
