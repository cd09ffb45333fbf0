"""Clients that do not finish what they begin: they are hung up on, and those that only pause are not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import uvicorn

from streams.gateway.http.protocol import Protocol
from tests.unit.gateway.gateways import World


async def test_client_that_does_not_finish_its_head_is_hung_up_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("streams.gateway.http.protocol.HEAD_WITHIN_S", 0.1)
    async with listening(tmp_path) as port:
        for begun in (b"", b"GET /health/live HTT", b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\nGET /hea"):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(begun)
            said = await asyncio.wait_for(reader.read(), 5)
            assert said.startswith(b"HTTP/1.1 200") == (b"Host" in begun)
            writer.close()


async def test_client_that_waits_between_requests_is_served_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("streams.gateway.http.protocol.HEAD_WITHIN_S", 0.1)
    async with listening(tmp_path) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(2):
            writer.write(b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n")
            assert await asyncio.wait_for(reader.readuntil(b'"live"}'), 5)
            await asyncio.sleep(0.2)
        writer.close()


async def test_client_whose_headers_do_not_end_is_hung_up_on(tmp_path: Path) -> None:
    head = b"GET /health/live HTTP/1.1\r\nHost: x\r\n"
    chunked = b"POST /v1/events HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"
    line = b"X: " + b"x" * 1000 + b"\r\n"
    endless = {head + b"X: ": b"x" * 100_000, head: line, chunked: line}
    async with listening(tmp_path) as port:
        for begun, more in endless.items():
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(begun)
            with pytest.raises(OSError):  # noqa: PT011 - reset or broken, as it happens
                await _send_forever(writer, more)


async def _send_forever(writer: asyncio.StreamWriter, more: bytes) -> None:
    async with asyncio.timeout(10):
        for _ in range(100_000_000 // len(more)):
            writer.write(more)
            await writer.drain()


@asynccontextmanager
async def listening(folder: Path) -> AsyncIterator[int]:
    """A gateway's application behind the server's own protocol; the port."""
    config = uvicorn.Config(World(folder).app, http=Protocol, lifespan="off", log_config=None, port=0)
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server._serve())
    async with asyncio.timeout(10):
        while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.01)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        await serving
