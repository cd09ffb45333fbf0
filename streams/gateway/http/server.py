"""Listening: where, behind which certificate, and ending without breaking anything off."""

from __future__ import annotations

import asyncio
import errno
import logging
import signal
import socket
import ssl
from collections.abc import Callable, Generator
from contextlib import AbstractAsyncContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from schemas.errors import ConfigError, TransientError
from streams.gateway.http.protocol import Protocol
from streams.loopback import is_loopback

LOOPBACK = "127.0.0.1"
FINISH_WITHIN_S = 30
KEEP_ALIVE_S = 75
_log = logging.getLogger("tieline.gateway")

Running = Callable[[], AbstractAsyncContextManager[object]]


@dataclass(frozen=True, slots=True)
class Tls:
    """Certificate chain and key in PEM files; with `client_ca`, only clients with a certificate of it are let in."""

    cert: Path
    key: Path
    client_ca: Path | None = None


@dataclass(frozen=True, slots=True)
class Listening:
    """Where to listen.

    Attributes:
        behind_proxy: something in front speaks TLS, and only it can reach this address.
    """

    host: str = LOOPBACK
    port: int = 0
    tls: Tls | None = None
    behind_proxy: bool = False

    def check(self) -> None:
        """Raises: ConfigError: tokens and payloads would travel in the clear."""
        if self.tls is None and not self.behind_proxy and not is_loopback(self.host):
            raise ConfigError(
                f"the gateway does not listen on {self.host} without TLS: give --tls-cert and --tls-key, or"
                " --behind-proxy if a proxy in front of it speaks TLS and nobody else can reach it"
            )

    @property
    def url(self) -> str:
        """How it is reached from this machine."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.tls else 'http'}://{host}:{self.port}"


def serve(app: ASGIApp, listening: Listening, running: Running) -> None:
    """Until SIGTERM or SIGINT; requests under way are finished first, at most 30 s.

    Args:
        running: entered before the first request and left after the last one.
    Raises: ConfigError: address or certificate cannot be used. TransientError: somebody else has the port.
    """
    listening.check()
    config = _config(app, listening)
    with _bound(listening) as listener, asyncio.Runner(loop_factory=_new_loop) as runner:
        runner.run(_serve(_Server(config), listener, running, listening))


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Nothing: uvicorn would raise the signal again when it is done, before the log has been stopped."""
        yield


async def _serve(server: _Server, listener: socket.socket, running: Running, listening: Listening) -> None:
    loop = asyncio.get_running_loop()

    def stop() -> None:
        server.force_exit = server.should_exit
        server.should_exit = True

    async with running():
        for number in (signal.SIGTERM, signal.SIGINT):
            with suppress(NotImplementedError):
                loop.add_signal_handler(number, stop)
        _log.info("the gateway listens on %s", listening.url)
        await server.serve([listener])
    _log.info("the gateway has stopped")


def _config(app: ASGIApp, listening: Listening) -> uvicorn.Config:
    tls = listening.tls
    config = uvicorn.Config(
        app,
        http=Protocol,
        ws="none",
        lifespan="off",
        # No access log: paths, addresses and times of requests say who does what.
        access_log=False,
        log_config=None,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=FINISH_WITHIN_S,
        ssl_certfile=tls.cert if tls else None,
        ssl_keyfile=tls.key if tls else None,
        ssl_ca_certs=str(tls.client_ca) if tls and tls.client_ca else None,
        ssl_cert_reqs=ssl.CERT_REQUIRED if tls and tls.client_ca else ssl.CERT_NONE,
    )
    try:
        config.load()
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(f"the TLS certificate or key cannot be used: {_why(error)}") from None
    return config


@contextmanager
def _bound(listening: Listening) -> Generator[socket.socket, None, None]:
    family = socket.AF_INET6 if ":" in listening.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((listening.host, listening.port))
        except OSError as error:
            said = f"the gateway cannot listen on {listening.host}:{listening.port}: {error.strerror}"
            raise (TransientError if error.errno == errno.EADDRINUSE else ConfigError)(said) from None
        listener.setblocking(False)
        yield listener
    finally:
        listener.close()


def _new_loop() -> asyncio.AbstractEventLoop:
    try:
        import uvloop
    except ImportError:  # not on Windows
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


def _why(error: OSError) -> str:
    return getattr(error, "reason", None) or error.strerror or type(error).__name__
