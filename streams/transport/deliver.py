"""The loop between a stream of batches and the code that handles them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, cast

from schemas.errors import TransientError
from streams.telemetry.worker_metrics import BATCH_RETRIES
from streams.transport.batch import PartitionBatch

if TYPE_CHECKING:
    from streams.transport.app import BatchApp

Handle = Callable[[PartitionBatch], Awaitable[None]]
_STALE_PAUSE_S = 0.05
_log = logging.getLogger(__name__)


async def deliver(stream: Any, handle: Handle) -> None:
    """Call `handle` with every batch of `stream`, in order, one at a time.

    TransientError: the same batch again after a growing pause, until it succeeds or its partition is given up;
    nothing is skipped or overtaken. Any other exception, and a batch that was dropped before it came here: the worker
    crashes and ends non-zero; nothing of the batch is committed, because only offsets that `handle` itself marked safe
    ever are. A batch waits while our membership is not fresh; a handler that works longer than the session timeout
    asks `app.membership.is_fresh()` again before it writes.
    """
    app = cast("BatchApp", stream.app)
    async for batch in stream:
        try:
            app.offsets.taken_up(batch)
            await _handle_until_done(app, batch, handle)
        except (Exception, asyncio.CancelledError) as error:
            if isinstance(error, asyncio.CancelledError) and is_wanted():
                raise
            _log.exception(
                "handler failed on %s partition %d at offset %d",
                batch.topic,
                batch.partition,
                batch.first_offset,
                extra=_place(batch),
            )
            await app.crash(error)
            # Never return or raise here: Faust would start the agent anew and go on with the next batch.
            await asyncio.Event().wait()


def is_wanted() -> bool:
    """Whether somebody cancelled the task that runs. Else its CancelledError comes out of what it waited for, and
    Faust, which takes it for its own, would go on as if nothing had been skipped."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _place(batch: PartitionBatch) -> dict[str, object]:
    return {"topic": batch.topic, "partition": batch.partition, "offset": batch.first_offset}


async def _handle_until_done(app: BatchApp, batch: PartitionBatch, handle: Handle) -> None:
    attempt = 0
    while app.offsets.is_current(batch) and not app.in_flight.handing_over.is_set():
        if not app.membership.is_fresh():
            # A worker that was frozen, or is cut off, may have lost the partition without knowing yet.
            await app.in_flight.pause(_STALE_PAUSE_S)
            continue
        try:
            with app.in_flight.working():
                await handle(batch)
            return
        except TransientError as error:
            attempt += 1
            app.values.add(BATCH_RETRIES, 1, batch.topic)
            pause_s = retry_pause_s(error.retry_after_s, attempt, app.transport_settings.retry_max_s)
            _log.warning(
                "%s partition %d at offset %d, attempt %d: %s",
                batch.topic,
                batch.partition,
                batch.first_offset,
                attempt,
                error,
                extra=_place(batch),
            )
            await app.in_flight.pause(pause_s)


def retry_pause_s(retry_after_s: float, attempt: int, longest_s: float) -> float:
    """Doubles from what the error asked for up to `longest_s`, counted from attempt 1."""
    return min(longest_s, retry_after_s * 2.0 ** min(attempt - 1, 16))
