"""Running one app as a process: until a signal or a crash."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress

from schemas.errors import ConfigError
from streams.transport.app import BatchApp
from streams.transport.refusal import connecting

_log = logging.getLogger(__name__)
CRASHED_EXIT_CODE = 1
STUCK_EXIT_CODE = 75
_SIGNALS = (signal.SIGTERM, signal.SIGINT)


async def run_app(app: BatchApp, *, stop: asyncio.Event | None = None) -> int:
    """Run `app` until SIGTERM, SIGINT or a crash, and stop it.

    A clean stop finishes the batch in work, runs the `on_revoked` hooks and commits what is safe; a crash does not.

    Args:
        stop: ends the app when set; signals are then left to the caller.
    Returns: the process's exit code: 0 after a clean stop, 1 after a crash, 78 after one that a setting caused. A stop
        that takes longer than `stop_timeout_s` ends the process with 75.
    """
    with nullcontext(stop) if stop else _set_by_signal() as stopping:
        crashed = await _until_stop_or_crash(app, stopping)
        if not crashed:
            _log.info("%s is told to stop, draining", app.conf.id)
        began_s = time.monotonic()
        await _stop_within(app, app.transport_settings.stop_timeout_s)
    if crashed and isinstance(app.crash_reason, ConfigError):
        _log.error("%s: %s", app.conf.id, app.crash_reason)
        return ConfigError.exit_code
    if crashed:
        _log.error("%s crashed: %r", app.conf.id, app.crash_reason)
        return CRASHED_EXIT_CODE
    _log.info("%s drained in %.1f s", app.conf.id, time.monotonic() - began_s)
    return 0


@contextmanager
def _set_by_signal() -> Iterator[asyncio.Event]:
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in _SIGNALS:
        loop.add_signal_handler(number, stop.set)
    try:
        yield stop
    finally:
        for number in _SIGNALS:
            loop.remove_signal_handler(number)


async def _until_stop_or_crash(app: BatchApp, stop: asyncio.Event) -> bool:
    """True when it was a crash."""
    starting = asyncio.create_task(app.start())
    stopping = asyncio.create_task(stop.wait())
    crashing = asyncio.create_task(app._crashed.wait())
    try:
        done, _ = await asyncio.wait([starting, stopping, crashing], return_when=asyncio.FIRST_COMPLETED)
        if starting in done:
            async with connecting(app.kafka):
                starting.result()
            await asyncio.wait([stopping, crashing], return_when=asyncio.FIRST_COMPLETED)
        return app.has_crashed
    except ConfigError as error:
        app._crash(error)  # `crash` would say where it was raised, which helps nobody to correct a setting
        return True
    except Exception as error:
        await app.crash(error)
        return True
    finally:
        for task in (starting, stopping, crashing):
            task.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await task


async def _stop_within(app: BatchApp, timeout_s: float) -> None:
    """Stop, or end the process: a consumer thread that does not come back would keep it alive for ever."""
    try:
        await asyncio.wait_for(app.stop(), timeout_s)
    except TimeoutError:
        _log.critical(
            "%s is not drained after %.0f s, ending; what was not written is read again", app.conf.id, timeout_s
        )
        os._exit(STUCK_EXIT_CODE)
