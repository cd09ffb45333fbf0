"""`python -m deploy.embedded.front --data DIR --port P`: the store of one data folder until SIGTERM or Ctrl-C."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import sys
from functools import partial
from pathlib import Path

from aiohttp import web

from deploy.embedded.front.accounts import Accounts
from deploy.embedded.front.engine import Engine
from deploy.embedded.front.errors import StoreError
from deploy.embedded.front.server import Front, require_loopback
from deploy.embedded.front.work import Lanes
from deploy.embedded.parent import watch_parent
from deploy.log_lines import configure
from schemas.errors import ConfigError

GRACE_S = 2.0
log = logging.getLogger("tieline.store")


def main(arguments: list[str] | None = None) -> int:
    options = _options(arguments)
    try:
        configure(options.log_level)
        host = require_loopback(options.host)
        options.data.mkdir(parents=True, exist_ok=True, mode=0o700)
        return asyncio.run(_serve(options.data, host, options.port))
    except (ConfigError, StoreError) as error:
        print(f"store: {error}", file=sys.stderr)
        return ConfigError.exit_code


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tieline-store", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the data folder")
    parser.add_argument("--port", type=int, required=True, help="loopback port; 0: any free one, printed")
    parser.add_argument("--host", default="127.0.0.1", help="a loopback address")
    parser.add_argument("--log-level", default="info", choices=("debug", "info", "warning", "error"))
    return parser.parse_args(arguments)


async def _serve(data: Path, host: str, port: int) -> int:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    watch_parent(partial(_stop_soon, loop, stopping))
    engine = Engine(data / "store")
    try:
        await _run(engine, data, host, port, stopping)
    finally:
        engine.close()
    return 0


def _stop_soon(loop: asyncio.AbstractEventLoop, stopping: asyncio.Event) -> None:
    loop.call_soon_threadsafe(stopping.set)


async def _run(engine: Engine, data: Path, host: str, port: int, stopping: asyncio.Event) -> None:
    front = Front(engine, Accounts(data), Lanes())
    engine.warm()
    front.detached_parts = engine.detached_parts()
    for part in front.detached_parts:
        log.error("the engine set aside a part that it could not read, its rows are missing: %s", part)
    runner = web.AppRunner(front.application(), access_log=None, handle_signals=False, shutdown_timeout=5.0)
    await runner.setup()
    site = web.TCPSite(runner, host, port)
    await site.start()
    log.info("store ready on http://%s:%d version=%s", host, runner.addresses[0][1], engine.version)
    print(f"ready {runner.addresses[0][1]}", flush=True)
    await stopping.wait()
    await _end(runner, engine)


async def _end(runner: web.AppRunner, engine: Engine) -> None:
    """Let running requests finish for a moment, then cancel their queries; what was acknowledged is on disk anyway."""
    ending = asyncio.create_task(runner.cleanup())
    for _ in range(5):
        done, _pending = await asyncio.wait({ending}, timeout=GRACE_S)
        if done:
            return
        await asyncio.to_thread(engine.cancel_queries)
    log.error("queries do not end: leaving without closing the engine")
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main())
