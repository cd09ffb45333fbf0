"""Sending events to an instance, and knowing that its store has them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager

from deploy.composition.drain import drained
from deploy.composition.feed import Feed, feed_to
from deploy.composition.target import Target
from schemas.events import Event
from schemas.topics import event_key


def _ignored(_: int) -> None: ...


@asynccontextmanager
async def feed_of(target: Target, spooled: bool = True) -> AsyncIterator[Feed]:
    """A feed to this instance; with a spool on disk where its broker is the embedded one.

    Args:
        spooled: without, for what sends nothing.
    Raises: TransientError: the broker is away.
    """
    folder = target.instance.folder if target.instance is not None and spooled else None
    async with feed_to(target.broker, folder) as feed:
        yield feed


async def stored(target: Target, feed: Feed, behind: Callable[[int], None] = _ignored) -> None:
    """Wait until the store has all that was sent; the spool is then of no more use.

    Args:
        behind: told how many records are still ahead.
    Raises: TransientError: nothing moves; what was sent is safe on Kafka, and in the spool.
    """
    await drained(target.broker, feed.producer, behind)
    if feed.spool is not None:
        feed.spool.remove()


async def send(target: Target, events: Iterable[Event], behind: Callable[[int], None] = _ignored) -> int:
    """Produce the events as every other event, and wait until the store has them; returns how many.

    Raises: TransientError: the broker or the apps are away.
    """
    async with feed_of(target) as feed:
        sent = await feed.send([(event_key(event), event.canonical()) for event in events])
        await stored(target, feed, behind)
    return sent
