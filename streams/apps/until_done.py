"""Writing to a broker that may be away: there is nothing sensible to do without it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable

from schemas.errors import TransientError
from streams.telemetry.values import Values
from streams.telemetry.worker_metrics import WRITE_FAILURES

_RETRY_MAX_S = 15.0
_log = logging.getLogger(__name__)


async def all_done(writes: Iterable[Awaitable[object]]) -> None:
    """Wait for every one of them, also where one fails: what is still under way would overtake its own repetition.

    Raises: the first error.
    """
    for found in await asyncio.gather(*writes, return_exceptions=True):
        if isinstance(found, BaseException):
            raise found


async def until_done(write: Callable[[], Awaitable[object]], values: Values) -> None:
    """Call `write` again and again until the broker has it; failures are counted and said."""
    attempt = 0
    while True:
        try:
            await write()
        except TransientError as error:
            attempt += 1
            values.add(WRITE_FAILURES)
            _log.warning("not written, attempt %d: %s", attempt, error)
            await asyncio.sleep(min(_RETRY_MAX_S, error.retry_after_s * 2 ** min(attempt - 1, 8)))
        else:
            return
