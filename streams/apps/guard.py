"""Background loops of the apps: one that fails ends the worker, because silence would look like calm."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from streams.transport.app import BatchApp

Loop = Callable[[], Awaitable[None]]
_log = logging.getLogger(__name__)


def run_beside(app: BatchApp, *loops: Loop) -> None:
    """Have each endless `loop` run as long as `app` does; an exception crashes the app."""
    for loop in loops:
        app.task(_guarded(app, loop))


def _guarded(app: BatchApp, loop: Loop) -> Loop:
    async def run() -> None:
        try:
            await loop()
        except Exception as error:
            _log.exception("%s failed", app.conf.id)
            await app.crash(error)

    return run
