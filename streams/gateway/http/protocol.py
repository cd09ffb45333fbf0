"""uvicorn's HTTP protocol, which hangs up on clients that do not finish what they begin to say."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_WITHIN_S = 10.0
"""From the connection, or a request's first byte, to the end of its headers. Bodies have a time of their own."""


class Protocol(HttpToolsProtocol):
    """With a time for the head of each request: uvicorn has one only for connections on which nothing comes."""

    _hang_up: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """The first request has begun."""
        super().connection_made(transport)
        self._begin()

    def on_message_begin(self) -> None:
        """Another request has begun."""
        super().on_message_begin()
        self._begin()

    def on_headers_complete(self) -> None:
        """Its head is there."""
        self._end()
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
