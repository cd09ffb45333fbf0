"""MLLP's frames: `<VT> message <FS><CR>` on a stream, read with bounded time and memory."""

from __future__ import annotations

import asyncio
from typing import Literal

START, END = b"\x0b", b"\x1c\r"

_CHUNK = 64 * 1024
_HEAD = 16 * 1024
_BETWEEN = b"\r\n"

Fault = Literal["idle", "slow_frame", "too_large", "not_mllp", "cut_off"]


class BadFrame(Exception):  # noqa: N818 - says what is wrong with what came in
    """The stream cannot be read any further: answer, if there is something to answer to, and hang up.

    Attributes:
        head: the beginning of a message that is too large; empty otherwise.
    """

    def __init__(self, fault: Fault, head: bytes = b"") -> None:
        super().__init__(fault)
        self.fault: Fault = fault
        self.head = head


class FrameReader:
    """The messages on one connection, one after the other.

    Args:
        max_bytes: of a message.
        idle_s: how long a sender may be silent between messages.
        frame_s: how long a message may take from its first byte to its last.
    """

    def __init__(self, reader: asyncio.StreamReader, max_bytes: int, idle_s: float, frame_s: float) -> None:
        self._reader, self._max_bytes = reader, max_bytes
        self._idle_s, self._frame_s = idle_s, frame_s
        self._buffer = bytearray()

    async def next(self) -> bytes | None:
        """The next message; None: the sender hung up between messages.

        Raises: BadFrame.
        """
        try:
            async with asyncio.timeout(self._idle_s):
                begun = await self._begin()
        except TimeoutError:
            raise BadFrame("idle") from None
        if not begun:
            return None
        try:
            async with asyncio.timeout(self._frame_s):
                return await self._rest()
        except TimeoutError:
            raise BadFrame("slow_frame") from None

    async def _begin(self) -> bool:
        """Up to and with the start of a frame. Line ends between frames are what some senders add."""
        while not (begun := self._buffer.lstrip(_BETWEEN)):
            chunk = await self._reader.read(_CHUNK)
            if not chunk:
                return False
            self._buffer[:] = chunk
        if not begun.startswith(START):
            raise BadFrame("not_mllp")
        self._buffer = begun[1:]
        return True

    async def _rest(self) -> bytes:
        searched = 0
        while (end := self._buffer.find(END, searched)) < 0 and len(self._buffer) <= self._max_bytes:
            searched = max(0, len(self._buffer) - 1)
            chunk = await self._reader.read(_CHUNK)
            if not chunk:
                raise BadFrame("cut_off")
            self._buffer += chunk
        if not 0 <= end <= self._max_bytes:
            raise BadFrame("too_large", bytes(self._buffer[:_HEAD]))
        message = bytes(self._buffer[:end])
        del self._buffer[: end + len(END)]
        return message


def framed(message: bytes) -> bytes:
    """A message as it goes over the wire."""
    return START + message + END
