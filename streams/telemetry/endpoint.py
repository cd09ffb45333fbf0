"""Where metrics and health are asked for: `/metrics`, `/health/live`, `/health/ready`, without TLS or tokens."""

from __future__ import annotations

import errno
import logging
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import NamedTuple

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST

from schemas.errors import ConfigError, TransientError
from streams.loopback import is_loopback
from streams.telemetry.values import Values
from streams.telemetry.worker_metrics import READY

Checks = Callable[[], Mapping[str, str]]
"""What has to be well before this process is ready: by name, `ok` or what is wrong in a word."""
OK = "ok"
_log = logging.getLogger(__name__)


class Address(NamedTuple):
    """Where the endpoint listens."""

    host: str
    port: int

    @classmethod
    def of(cls, text: str) -> Address:
        """From `HOST:PORT`; an IPv6 host is in brackets. Port 0 takes any that is free, and says which.

        Raises: ConfigError: it is not that.
        """
        host, colon, port = text.rpartition(":")
        bare = host.removeprefix("[").removesuffix("]")
        if not colon or not bare or (":" in bare and bare == host) or not (port.isascii() and port.isdigit()):
            raise ConfigError("metrics: expected HOST:PORT, for instance 127.0.0.1:9464")
        if int(port) > 65535:
            raise ConfigError("metrics: a port is at most 65535")
        return cls(bare, int(port))


class Endpoint:
    """The three answers, over aiohttp, in the event loop of the process: a loop that hangs is not live."""

    def __init__(self, values: Values, checks: Checks) -> None:
        self._values, self._checks = values, checks
        values.before_text(self._note_ready)

    def app(self) -> web.Application:
        """The application."""
        app = web.Application()
        app.router.add_get("/metrics", self._metrics)
        app.router.add_get("/health/live", self._live)
        app.router.add_get("/health/ready", self._ready)
        return app

    async def _metrics(self, _: web.Request) -> web.Response:
        return web.Response(body=self._values.text(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def _live(self, _: web.Request) -> web.Response:
        return web.json_response({"status": "live"})

    async def _ready(self, _: web.Request) -> web.Response:
        checks = dict(self._checks())
        ready = all(check == OK for check in checks.values())
        status = {"status": "ready" if ready else "not ready", "checks": checks}
        return web.json_response(status, status=200 if ready else 503)

    def _note_ready(self) -> None:
        self._values.set(READY, all(check == OK for check in self._checks().values()))


@asynccontextmanager
async def listening(endpoint: Endpoint, address: Address) -> AsyncIterator[int]:
    """Answers as long as the context lasts; gives the port.

    Raises: ConfigError: there is no such address here. TransientError: somebody else has the port.
    """
    runner = web.AppRunner(endpoint.app(), access_log=None, handle_signals=False, shutdown_timeout=1.0)
    await runner.setup()
    try:
        port = await _bound(runner, address)
        host = f"[{address.host}]" if ":" in address.host else address.host
        _log.info("metrics on http://%s:%d/metrics", host, port)
        if not is_loopback(address.host):
            _log.warning(
                "metrics on %s are for whoever can reach that address, without TLS and without a token: counts, names"
                " of tables and webhooks' outcomes, never a role, a person or a text; keep others out by the network",
                host,
            )
        yield port
    finally:
        await runner.cleanup()


async def _bound(runner: web.AppRunner, address: Address) -> int:
    try:
        await web.TCPSite(runner, address.host, address.port, reuse_address=True).start()
    except socket.gaierror:
        raise ConfigError(f"metrics: there is no address {address.host} here") from None
    except OSError as error:
        said = f"metrics: cannot listen on {address.host}:{address.port}"
        raise (
            TransientError(f"{said}: somebody else does") if error.errno == errno.EADDRINUSE else ConfigError(said)
        ) from None
    return int(runner.addresses[0][1])
