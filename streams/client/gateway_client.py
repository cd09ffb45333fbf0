"""Sending events to the gateway: in batches, packed, and again until they are durable."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from hashlib import sha256
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from ipaddress import ip_address
from secrets import token_hex
from ssl import SSLCertVerificationError, SSLContext, create_default_context
from typing import NamedTuple, Self
from urllib.parse import urlsplit

from schemas.envelope import Envelope
from schemas.errors import ConfigError, TielineError, TransientError
from streams.client.backoff import Backoff

BATCH_EVENTS = 500
BATCH_BYTES = 2 * 1024 * 1024
MAX_ANSWER_BYTES = 16 * 1024 * 1024
_PACK_FROM_BYTES = 1024
_BATCH = "application/cloudevents-batch+json"
_AGAIN = frozenset({408, 409, 425, 429, 500, 502, 503, 504})
_NONE_VALID = "urn:tieline:problem:invalid_events"


class Refusal(NamedTuple):
    """Why one event was not kept: its position among those sent, the code, and the field; never a value."""

    position: int
    code: str
    field: str


class Sent(NamedTuple):
    """What became of the events. All that are not in `refused` are durable."""

    accepted: int
    refused: tuple[Refusal, ...]


class Refused(TielineError):  # noqa: N818 - the domain word is the name
    """The gateway refuses the request itself; sending it again will not help.

    Attributes:
        status: of HTTP.
        code: of the problem, such as `bad_token`, `scope_missing`, `source_not_allowed`, `too_large`; else empty.

    Operator action: by the code: renew the token, extend its sources, make events smaller.
    """

    def __init__(self, status: int, code: str) -> None:
        super().__init__(f"the gateway refuses this: {status} {code}".rstrip())
        self.status, self.code = status, code


class _Answer(NamedTuple):
    status: int
    retry_after: str | None
    body: bytes


class GatewayClient:
    """One connection to a gateway; not for several threads at once.

    Args:
        url: `https://host[:port][/path]`; `http` only to this machine.
        token: of `tieline tokens create`.
        backoff: how often and how patiently.
        tls: trusts and client certificate, where the system's are not the right ones.
        sleep: waits so many seconds; for tests.

    Raises: ConfigError: no such URL.
    """

    def __init__(
        self,
        url: str,
        token: str,
        *,
        backoff: Backoff | None = None,
        timeout_s: float = 30.0,
        tls: SSLContext | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ConfigError("the gateway's address is written as https://host:port")
        if parts.scheme == "http" and not _is_here(parts.hostname):
            raise ConfigError("a token must not travel in the clear: use https, or http to this machine only")
        self._host, self._port, self._path = parts.hostname, parts.port, parts.path.rstrip("/")
        self._secure, self._tls, self._timeout_s = parts.scheme == "https", tls, timeout_s
        self._token, self._backoff, self._sleep = token, backoff or Backoff(), sleep
        self._connection: HTTPConnection | None = None

    def send(self, events: Iterable[Envelope]) -> Sent:
        """Send events, in order, in requests of at most 500; returns once all that are valid are durable.

        A request whose answer was lost is sent again with the same Idempotency-Key, and events have their identity:
        nothing counts twice. Another call is another request: what was refused is looked at again.

        Raises:
            TransientError: the gateway is away or busy, also after all attempts; events before it are durable.
            Refused: the request itself is refused. ConfigError: the gateway's certificate is not trusted.
        """
        return self._send(events, "/v1/events")

    def validate(self, events: Iterable[Envelope]) -> Sent:
        """As `send`, but nothing is kept."""
        return self._send(events, "/v1/validate")

    def close(self) -> None:
        """Close the connection; the next request opens another."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"GatewayClient({self._host!r})"

    def _send(self, events: Iterable[Envelope], path: str) -> Sent:
        accepted, refused, first, call = 0, list[Refusal](), 0, token_hex(8)
        for batch in _batches(events):
            for part in self._whole(batch, path, call):
                accepted += part.accepted
                refused += [one._replace(position=one.position + first) for one in part.refused]
                first += part.accepted + len(part.refused)
        return Sent(accepted, tuple(refused))

    def _whole(self, batch: Sequence[bytes], path: str, call: str) -> Iterator[Sent]:
        """A batch as one request, or in halves where that is too much for the gateway."""
        answer = self._patiently(b"[" + b",".join(batch) + b"]", path, call)
        if answer.status == 413 and len(batch) > 1:
            half = len(batch) // 2
            yield from self._whole(batch[:half], path, call)
            yield from self._whole(batch[half:], path, call)
        else:
            yield _sent(answer, len(batch))

    def _patiently(self, body: bytes, path: str, call: str) -> _Answer:
        key = f"{call}-{sha256(body).hexdigest()[:40]}"
        for failures in range(1, self._backoff.attempts + 1):
            try:
                answer = self._request(body, path, key)
                why, retry_after = f"status {answer.status}", answer.retry_after
                if answer.status not in _AGAIN:
                    return answer
            except SSLCertVerificationError as error:
                self.close()
                raise ConfigError(f"gateway {self._host}: its certificate: {error.verify_message}") from None
            except (OSError, HTTPException) as error:
                self.close()
                why, retry_after = type(error).__name__, None
            wait_s = self._backoff.wait_s(failures, retry_after, datetime.now(UTC))
            if failures < self._backoff.attempts:
                self._sleep(wait_s)
        raise TransientError(f"gateway {self._host}: {why}", wait_s)

    def _request(self, body: bytes, path: str, key: str) -> _Answer:
        headers = {
            "Authorization": f"Bearer {self._token}",
            "Content-Type": _BATCH,
            "Accept": "application/json, application/problem+json",
        }
        if path == "/v1/events":
            headers["Idempotency-Key"] = key
        if len(body) >= _PACK_FROM_BYTES:
            body = gzip.compress(body, compresslevel=1, mtime=0)
            headers["Content-Encoding"] = "gzip"
        connection = self._connection = self._connection or self._connected()
        # Who refuses a body before its end has answered already.
        with suppress(BrokenPipeError, ConnectionResetError):
            connection.request("POST", f"{self._path}{path}", body, headers)
        found = connection.getresponse()
        answer = found.read(MAX_ANSWER_BYTES)
        if found.will_close or found.status >= 300:
            self.close()  # of what was not read of an answer nothing may be taken for the next one
        return _Answer(found.status, found.getheader("Retry-After"), answer)

    def _connected(self) -> HTTPConnection:
        if not self._secure:
            return HTTPConnection(self._host, self._port, timeout=self._timeout_s)
        context = self._tls or create_default_context()
        return HTTPSConnection(self._host, self._port, timeout=self._timeout_s, context=context)


def _batches(events: Iterable[Envelope]) -> Iterator[list[bytes]]:
    batch, size = list[bytes](), 0
    for event in events:
        raw = event.canonical()
        if batch and (len(batch) == BATCH_EVENTS or size + len(raw) > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(raw)
        size += len(raw)
    if batch:
        yield batch


def _sent(answer: _Answer, events: int) -> Sent:
    """Raises: Refused: the request was not taken. TransientError: the answer cannot be read."""
    try:
        told = json.loads(answer.body or b"{}")
        if answer.status in (200, 202):
            refused = _refusals([each for each in told["results"] if each["status"] == "invalid"])
            return Sent(events - len(refused), refused)
        problem = str(told.get("type", ""))
        if problem == _NONE_VALID:
            # All of them, though the answer lists no more than the first thousand.
            return Sent(0, _refusals(told["errors"]))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        if answer.status in (200, 202):
            raise TransientError("the gateway's answer cannot be read") from None
        problem = ""
    raise Refused(answer.status, problem.rpartition(":")[2][:64])


def _refusals(entries: list[dict[str, object]]) -> tuple[Refusal, ...]:
    return tuple(Refusal(int(str(each["index"])), str(each["code"]), str(each["field"])) for each in entries)


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
