"""One attempt to deliver one message. What the receiver says is not read, and never logged."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from types import TracebackType
from typing import Literal, NamedTuple, Protocol, Self

import aiohttp

from streams.gateway.signatures import sign
from streams.webhooks.address import ForbiddenAddress, GuardedResolver, check_url
from streams.webhooks.settings import Receiver

Verdict = Literal["delivered", "failed", "gone"]
GONE_STATUS = 410
_AGENT = "tieline-signals"


class Outcome(NamedTuple):
    """Of one attempt.

    Attributes:
        status: HTTP's, 0 if there was no answer.
        retry_after: the header, as it came.
        why: a word for the log: never anything that the receiver or the URL said.
    """

    verdict: Verdict
    status: int = 0
    retry_after: str | None = None
    why: str = ""


class Sender(Protocol):
    """Makes one attempt."""

    async def send(self, receiver: Receiver, message: str, body: bytes, now: datetime) -> Outcome:
        """Never raises for what the receiver or the network does."""
        ...


class HttpSender:
    """Over HTTP, as Standard Webhooks says. No redirects, no proxy, no cookies.

    Args:
        resolver: makes what resolves names; guarded, unless given.
    """

    def __init__(self, resolver: Callable[[bool], aiohttp.abc.AbstractResolver] = GuardedResolver) -> None:
        self._resolver = resolver
        self._sessions: dict[bool, aiohttp.ClientSession] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for session in self._sessions.values():
            await session.close()

    async def send(self, receiver: Receiver, message: str, body: bytes, now: datetime) -> Outcome:
        headers = {
            **sign(receiver.secrets, message, body, now),
            "content-type": "application/json",
            "user-agent": _AGENT,
        }
        timeout = aiohttp.ClientTimeout(total=receiver.webhook.timeout_s)
        session = self._session(receiver.webhook.allow_private)
        try:
            check_url(receiver.url, receiver.webhook.allow_private)
            async with session.post(
                receiver.url, data=body, headers=headers, timeout=timeout, allow_redirects=False
            ) as response:
                return _outcome(response.status, response.headers.get("retry-after"))
        except ForbiddenAddress as error:
            return Outcome("failed", why=str(error))
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
            if isinstance(error.__cause__, ForbiddenAddress):
                return Outcome("failed", why=str(error.__cause__))
            return Outcome("failed", why=type(error).__name__)

    def _session(self, allow_private: bool) -> aiohttp.ClientSession:
        if allow_private not in self._sessions:
            # No answer is kept open or reused: its body has not been read.
            connector = aiohttp.TCPConnector(
                resolver=self._resolver(allow_private), use_dns_cache=False, force_close=True, limit=32
            )
            self._sessions[allow_private] = aiohttp.ClientSession(
                connector=connector, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False, auto_decompress=False
            )
        return self._sessions[allow_private]


def _outcome(status: int, retry_after: str | None) -> Outcome:
    if 200 <= status < 300:
        return Outcome("delivered", status)
    return Outcome("gone" if status == GONE_STATUS else "failed", status, retry_after, f"HTTP {status}")
