"""`/metrics` and health: answered where it was asked for, and whoever opens them to others is told what that means."""

from __future__ import annotations

import asyncio
import logging

import aiohttp
import pytest

from schemas.errors import ConfigError, TransientError
from streams.telemetry.endpoint import Address, Endpoint, listening
from streams.telemetry.values import Values
from streams.telemetry.worker_metrics import WORKER

ANY_PORT = Address("127.0.0.1", 0)


async def get(port: int, path: str) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}{path}") as answer:
        return answer.status, await answer.text()


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:9464", ("127.0.0.1", 9464)),
        ("localhost:0", ("localhost", 0)),
        ("[::1]:9464", ("::1", 9464)),
        ("0.0.0.0:1", ("0.0.0.0", 1)),
    ],
)
def test_address_is_host_and_port(text: str, address: tuple[str, int]) -> None:
    assert Address.of(text) == address


@pytest.mark.parametrize("text", ["9464", ":9464", "host:", "host:http", "host:65536", "host:-1", "::1:9464", "h:٣"])
def test_anything_else_is_no_address(text: str) -> None:
    with pytest.raises(ConfigError):
        Address.of(text)


async def test_worker_is_ready_once_all_its_checks_are_ok() -> None:
    checks = {"group": "ok", "store": "no_answer"}
    async with listening(Endpoint(Values(WORKER), lambda: checks), ANY_PORT) as port:
        status, text = await get(port, "/health/ready")
        assert (status, "no_answer" in text) == (503, True)
        assert "tieline_ready 0.0" in (await get(port, "/metrics"))[1]
        checks["store"] = "ok"
        assert (await get(port, "/health/ready"))[0] == 200
        assert "tieline_ready 1.0" in (await get(port, "/metrics"))[1]


async def test_process_that_answers_is_live_whatever_else_is_away() -> None:
    async with listening(Endpoint(Values(WORKER), lambda: {"store": "no_answer"}), ANY_PORT) as port:
        assert await get(port, "/health/live") == (200, '{"status": "live"}')
        assert (await get(port, "/"))[0] == 404


async def test_port_that_somebody_has_is_a_clear_error() -> None:
    endpoint = Endpoint(Values(WORKER), dict)
    async with listening(endpoint, ANY_PORT) as port:
        with pytest.raises(TransientError, match="somebody else"):
            async with listening(endpoint, Address("127.0.0.1", port)):
                pass


async def test_address_that_is_not_here_is_a_clear_error() -> None:
    with pytest.raises(ConfigError):
        async with listening(Endpoint(Values(WORKER), dict), Address("192.0.2.1", 9464)):
            pass


async def test_listening_to_others_is_said_with_what_it_means(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    async with listening(Endpoint(Values(WORKER), dict), ANY_PORT):
        assert "whoever" not in caplog.text
    async with listening(Endpoint(Values(WORKER), dict), Address("0.0.0.0", 0)):
        assert "whoever can reach that address" in caplog.text


async def test_many_may_ask_at_once() -> None:
    async with listening(Endpoint(Values(WORKER), dict), ANY_PORT) as port:
        answers = await asyncio.gather(*(get(port, "/metrics") for _ in range(10)))
    assert {status for status, _ in answers} == {200}
