"""uvicorn's HTTP protocol, which hangs up on clients that do not finish what they begin to say, or say too much."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_WITHIN_S = 10.0
"""From the connection, or a request's first byte, to the end of its headers. Bodies have a time of their own."""

MAX_HEADER_BYTES = 256 * 1024
"""Of all headers of a request, trailers included."""
MAX_HEAD_BYTES = 1024 * 1024
"""Read while a head is not complete: one endless header, or what came before it in the same piece."""


class Protocol(HttpToolsProtocol):
    """With a time and a size for the head of each request: uvicorn and httptools have none."""

    _hang_up: asyncio.TimerHandle | None = None
    _header_bytes = _head_bytes = 0

    def connection_made(self, transport: Any) -> None:
        """The first request has begun."""
        super().connection_made(transport)
        self._begin()

    def data_received(self, data: bytes) -> None:
        """More of a request, or of several."""
        super().data_received(data)
        if self._hang_up is not None:
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES:
                self.transport.abort()

    def on_message_begin(self) -> None:
        """Another request has begun."""
        super().on_message_begin()
        self._header_bytes = 0
        self._begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header, or one trailer."""
        super().on_header(name, value)
        self._header_bytes += len(name) + len(value)
        if self._header_bytes > MAX_HEADER_BYTES:
            self.transport.abort()

    def on_headers_complete(self) -> None:
        """Its head is there."""
        self._end()
        self._head_bytes = 0
        super().on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody to hang up on."""
        self._end()
        super().connection_lost(exc)

    def _begin(self) -> None:
        self._end()
        self._hang_up = self.loop.call_later(HEAD_WITHIN_S, self.transport.close)

    def _end(self) -> None:
        if self._hang_up is not None:
            self._hang_up.cancel()
            self._hang_up = None
