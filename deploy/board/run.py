"""Running the board until it is stopped."""

from __future__ import annotations

import asyncio
import errno
import logging
import signal
from contextlib import suppress

from aiohttp import web

from deploy.board.address import Address
from deploy.board.server import Board
from schemas.errors import ConfigError, TransientError
from sinks.clickhouse.settings import ClickHouseSettings

log = logging.getLogger("tieline.board")


def run_board(settings: ClickHouseSettings, address: Address) -> None:
    """Until SIGINT or SIGTERM.

    Raises:
        TransientError: another process has the port; it may let go of it.
        ConfigError: the host is not an address of this machine.
    """
    asyncio.run(_run(settings, address))


async def _run(settings: ClickHouseSettings, address: Address) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with suppress(NotImplementedError):
            loop.add_signal_handler(number, stop.set)
    # No access log: links hold what somebody chose, and a log-in link holds the token.
    runner = web.AppRunner(Board(settings, address).app(), access_log=None, shutdown_timeout=2.0)
    await runner.setup()
    try:
        site = web.TCPSite(runner, address.host, address.port)
        try:
            await site.start()
        except OSError as error:
            said = f"the board cannot listen on {address.host}:{address.port}: {error.strerror}"
            raise (TransientError if error.errno == errno.EADDRINUSE else ConfigError)(said) from None
        log.info("the board is at http://%s:%d/", address.host, address.port)
        await stop.wait()
    finally:
        await runner.cleanup()
