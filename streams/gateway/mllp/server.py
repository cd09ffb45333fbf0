"""The MLLP server: every message gets its acknowledgement, a positive one only for what is durable."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from schemas.errors import TransientError
from streams.gateway.connectors.connector import Delivery
from streams.gateway.connectors.hl7v2 import UNAVAILABLE, acknowledge, verdict_of
from streams.gateway.intake import Taken, place_of
from streams.gateway.mllp.frames import BadFrame, FrameReader, framed

_HANDSHAKE_S = 10.0
_HANG_UP_S = 2.0
_log = logging.getLogger("tieline.mllp")


class Takes(Protocol):
    """One source's way in; `Intake` is one."""

    async def take(self, delivery: Delivery) -> Taken:
        """Returns once what the delivery says is durable. Raises: TransientError."""
        ...


@dataclass(frozen=True, slots=True)
class MllpSettings:
    """How much a sender may ask for.

    Attributes:
        max_bytes: of a message.
        connections: at the same time; more are closed at once.
        idle_s: silence between messages; senders connect again by themselves.
        frame_s: from a message's first byte to its last.
        answer_s: for the sender to take its acknowledgement.
        grace_s: for messages in work when the server stops.
    """

    host: str = "127.0.0.1"
    port: int = 2575
    max_bytes: int = 1 << 20
    connections: int = 32
    idle_s: float = 3600.0
    frame_s: float = 30.0
    answer_s: float = 10.0
    grace_s: float = 10.0
    tls: ssl.SSLContext | None = field(default=None, repr=False)


class MllpServer:
    """Listens for one source. For one event loop.

    Args:
        name: the source, for the log.
        now: the clock, aware.
    """

    def __init__(self, name: str, intake: Takes, settings: MllpSettings, now: Callable[[], datetime]) -> None:
        self._name, self._intake, self._settings, self._now = name, intake, settings, now
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.Task[None]] = set()
        self._busy: set[asyncio.Task[None]] = set()
        self._stopping = False

    async def start(self) -> int:
        """Listen. Returns the port. Raises: OSError: the address cannot be had."""
        settings = self._settings
        self._server = await asyncio.start_server(
            self._accept,
            settings.host,
            settings.port,
            ssl=settings.tls,
            ssl_handshake_timeout=_HANDSHAKE_S if settings.tls else None,
        )
        return self.port

    @property
    def port(self) -> int:
        """Where it listens; 0 while it does not."""
        sockets = self._server.sockets if self._server is not None else ()
        return int(sockets[0].getsockname()[1]) if sockets else 0

    async def stop(self) -> None:
        """Stop listening; whoever has a message in work still gets its acknowledgement, for `grace_s`."""
        self._stopping = True
        if self._server is not None:
            self._server.close()
        for task in self._open - self._busy:
            task.cancel()
        if self._open:
            await asyncio.wait(self._open, timeout=self._settings.grace_s)
        for task in self._open:
            task.cancel()
        if self._open:
            await asyncio.wait(self._open)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._stopping or len(self._open) >= self._settings.connections:
            _log.warning("mllp %s: a connection was refused: %d are open", self._name, len(self._open))
            writer.transport.abort()
            return
        task = asyncio.create_task(self._serve(reader, writer))
        self._open.add(task)
        task.add_done_callback(self._open.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._answer_all(reader, writer)
        except (OSError, TimeoutError):
            _log.info("mllp %s: the sender was gone before its acknowledgement", self._name)
        except Exception as error:  # nothing of what it says may be repeated
            _log.error("mllp %s: a connection failed: %s", self._name, place_of(error))
        finally:
            await _hang_up(writer)

    async def _answer_all(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        settings = self._settings
        frames = FrameReader(reader, settings.max_bytes, settings.idle_s, settings.frame_s)
        task = asyncio.current_task()
        assert task is not None
        while not self._stopping:
            try:
                message = await frames.next()
            except BadFrame as bad:
                _log.warning("mllp %s: a connection was closed: %s", self._name, bad.fault)
                if bad.head:
                    await self._send(acknowledge(bad.head, "refused", bad.fault, at=self._now()), writer)
                return
            if message is None:
                return
            self._busy.add(task)
            try:
                await self._send(await self._answer(message), writer)
            finally:
                self._busy.discard(task)

    async def _answer(self, message: bytes) -> bytes:
        """The acknowledgement of a message, once it is decided; empty if its sender wants none."""
        now = self._now()
        taken = None
        try:
            taken = await self._intake.take(Delivery(message, received_at=now))
        except TransientError as error:
            _log.warning("mllp %s: a message could not be taken: %s", self._name, error.what)
        except Exception as error:  # nothing of what it says may be repeated
            _log.error("mllp %s: the intake failed: %s", self._name, place_of(error))
        return answer_to(message, taken, now)

    async def _send(self, answer: bytes, writer: asyncio.StreamWriter) -> None:
        if answer:
            writer.write(framed(answer))
            async with asyncio.timeout(self._settings.answer_s):
                await writer.drain()


async def _hang_up(writer: asyncio.StreamWriter) -> None:
    """Close, and do not wait long for the other side to do its part."""
    writer.close()
    with suppress(OSError, TimeoutError):
        async with asyncio.timeout(_HANG_UP_S):
            await writer.wait_closed()
    writer.transport.abort()


def answer_to(message: bytes, taken: Taken | None, at: datetime, *, always: bool = False) -> bytes:
    """The acknowledgement that says what became of a message: over MLLP, and as the body of an HTTP response.

    What was kept in part is accepted: the rest has its dead letters, and would fail again.

    Args:
        taken: None for what cannot be taken now.
        always: answer those who want no answer, too.
    """
    if taken is None:
        return acknowledge(message, "refused", UNAVAILABLE, at=at, always=always)
    wrong = taken.unreadable or (taken.invalid[0] if taken.invalid and not taken.kept else None)
    if wrong is None:
        return acknowledge(message, "accepted", at=at, always=always)
    return acknowledge(message, verdict_of(wrong.code), wrong.code, wrong.field, at=at, always=always)
