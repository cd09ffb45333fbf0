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

_PORT_WITHIN_S = 5.0
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
        await _listen(runner, address)
        log.info("the board is at http://%s:%d/", address.host, address.port)
        await stop.wait()
    finally:
        await runner.cleanup()


async def _listen(runner: web.AppRunner, address: Address) -> None:
    """A port that was free a moment ago may belong to a passing connection: it is tried for some seconds."""
    loop = asyncio.get_running_loop()
    give_up_s = loop.time() + _PORT_WITHIN_S
    while True:
        site = web.TCPSite(runner, address.host, address.port)
        try:
            await site.start()
            return
        except OSError as error:
            await site.stop()
            said = f"the board cannot listen on {address.host}:{address.port}: {error.strerror}"
            if error.errno != errno.EADDRINUSE:
                raise ConfigError(said) from None
            if loop.time() > give_up_s:
                raise TransientError(said) from None
        await asyncio.sleep(0.2)
