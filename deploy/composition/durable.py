"""Where a gateway keeps what it accepts: on a broker that lasts, or through a spool until the store has archived it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path

from schemas.errors import TransientError
from streams.gateway.durable import EventLog, EventLogSettings
from streams.transport.broker import AnyBroker

Offsets = dict[tuple[str, int], int]
POLL_S, STALL_S = 1.0, 300.0
MIB = 1024 * 1024


def event_log(broker: AnyBroker, spool: Path, embedded: bool = False, max_bytes: int = 1024 * MIB) -> EventLog:
    """The log of a gateway.

    Args:
        spool: a folder of its own.
        embedded: the broker keeps nothing.
        max_bytes: of the spool.
    """
    settings = EventLogSettings(folder=spool, max_bytes=max_bytes)
    return EventLog(broker, settings, keep_until=Archived(broker) if embedded else None)


def embedded_spool(data: Path) -> Path:
    """The spool folder of the embedded gateway; beside those that feeds leave in `spool/`."""
    return data / "spool" / "gateway"


class Archived:
    """Waits until the sink has stored everything up to given offsets: its group has then committed them.

    Args:
        reached: what the sink's group has committed; asks `broker`, unless given.
    """

    def __init__(self, broker: AnyBroker, reached: Callable[[], Offsets] | None = None, poll_s: float = POLL_S) -> None:
        self._reached = reached or (lambda: _committed(broker))
        self._poll_s = poll_s

    async def __call__(self, ends: Mapping[tuple[str, int], int]) -> None:
        """Raises: TransientError: the broker is away, or the sink has not moved for five minutes."""
        waiting, idle_s = dict(ends), 0.0
        while True:
            reached = await asyncio.to_thread(self._reached)
            left = {place: end for place, end in waiting.items() if reached.get(place, 0) < end}
            if not left:
                return
            idle_s = idle_s + self._poll_s if len(left) == len(waiting) else 0.0
            if idle_s > STALL_S:
                raise TransientError(f"the sink has not stored what is on {len(left)} partitions")
            waiting = left
            await asyncio.sleep(self._poll_s)


def _committed(broker: AnyBroker) -> Offsets:
    from deploy.composition.drain import SINK_GROUP, committed  # half as long again to import as all else here

    return committed(broker, SINK_GROUP)
