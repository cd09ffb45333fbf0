"""The store as a child process."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

import aiohttp

from deploy.embedded.child import ChildSpec

NAME = "store"


def store_spec(folder: Path, port: int, host: str = "127.0.0.1") -> ChildSpec:
    """The ClickHouse front over the folder's store, on `port`."""
    return ChildSpec(
        name=NAME,
        argv=(
            sys.executable,
            "-m",
            "deploy.embedded.front",
            "--data",
            str(folder),
            "--host",
            host,
            "--port",
            str(port),
        ),
        ready=partial(answers_ping, host, port),
        ready_timeout_s=60.0,
        stop_timeout_s=15.0,
    )


async def answers_ping(host: str, port: int) -> bool:
    """Whether a ClickHouse HTTP interface answers there."""
    timeout = aiohttp.ClientTimeout(total=2.0)
    async with (
        aiohttp.ClientSession(timeout=timeout) as session,
        session.get(f"http://{host}:{port}/ping") as response,
    ):
        return response.status == 200 and await response.text() == "Ok.\n"
