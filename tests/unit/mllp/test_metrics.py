"""MLLP counts as the gateway does, and says whether events can be kept."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass

import aiohttp
import pytest

from deploy.composition.mllp import watched
from streams.gateway.metrics import Metrics
from streams.telemetry.endpoint import Address


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    before = list(logging.getLogger().handlers)
    yield
    logging.getLogger().handlers[:] = before


@dataclass
class Log:
    state: str = "kafka"
    depth_bytes: int = 0
    oldest_s: float = 0.0
    damaged_segments: int = 0


@pytest.mark.parametrize(("state", "status"), [("kafka", 200), ("spool", 200), ("full", 503)])
async def test_mllp_is_ready_while_events_can_be_kept(state: str, status: int) -> None:
    async with (
        watched(Address("127.0.0.1", 0), Metrics(["ehr"]), Log(state)) as port,
        aiohttp.ClientSession() as session,
    ):
        async with session.get(f"http://127.0.0.1:{port}/health/ready") as answer:
            assert answer.status == status
        async with session.get(f"http://127.0.0.1:{port}/metrics") as answer:
            text = await answer.text()
    assert f"tieline_gateway_log_accepts {float(status == 200)}" in text
    assert 'tieline_gateway_breaker_open{source="ehr"} 0.0' in text


async def test_lines_of_the_log_are_counted() -> None:
    metrics = Metrics()
    async with watched(None, metrics, Log()) as port:
        logging.getLogger("tieline.mllp").error("a connection failed")
    assert port is None
    assert 'tieline_log_lines_total{level="error"} 1.0' in metrics.text().decode()
