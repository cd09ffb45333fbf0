"""The MLLP server, put together from the same settings, keys and policies as the gateway's HTTP."""

from __future__ import annotations

import asyncio
import errno
import logging
import signal
import ssl
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path

# One way in for a source, however it sends: HTTP puts it together, too.
from deploy.composition.durable import event_log
from deploy.composition.gateway import SourceParts
from deploy.policy_files import load_policy_book
from schemas.errors import ConfigError, TransientError
from streams.gateway.connectors.catalogue import connector
from streams.gateway.durable import EventLog
from streams.gateway.edge.edge import Edge
from streams.gateway.edge.keyring import Keyring
from streams.gateway.intake import Intake
from streams.gateway.log_metrics import READY_STATES, Log, note_log
from streams.gateway.metrics import Metrics
from streams.gateway.mllp.server import MllpServer, MllpSettings
from streams.gateway.mllp.tls import server_tls
from streams.gateway.source_files import read_sources
from streams.gateway.sources import SOURCES_FILE, Source
from streams.gateway.tokens import utc_now
from streams.loopback import is_loopback
from streams.telemetry.counted_lines import CountedLines
from streams.telemetry.endpoint import OK, Address, Endpoint, listening
from streams.transport.broker import AnyBroker

FOLDER = "mllp"
CONNECTOR = "hl7v2"
_log = logging.getLogger("tieline.mllp")


@dataclass(frozen=True, slots=True)
class MllpTls:
    """PEM files; with `client_ca` only senders with a certificate of that authority are let in."""

    cert: Path
    key: Path
    client_ca: Path | None = None


@dataclass(frozen=True, slots=True)
class MllpRun:
    """One server for one source.

    Attributes:
        folder: data folder. Spool and snapshots are below it, apart from those of the gateway's HTTP.
        sources, actor_key: files; None: in the data folder.
        plain: whoever can reach the address may send, in the clear.
        embedded: the broker keeps nothing, so the spool is kept until the store has everything.
        metrics: where `/metrics` and health are answered; None: nowhere.
    """

    broker: AnyBroker
    folder: Path
    policies: Sequence[Path]
    source: str
    host: str
    port: int
    connections: int = 32
    sources: Path | None = None
    actor_key: Path | None = None
    tls: MllpTls | None = None
    plain: bool = False
    embedded: bool = False
    metrics: Address | None = None

    @property
    def own_folder(self) -> Path:
        """What only this server uses."""
        return self.folder / FOLDER / self.source


def run_mllp(run: MllpRun, say: Callable[[str], None] = lambda _: None) -> None:
    """Until SIGTERM or SIGINT; messages in work get their acknowledgement first.

    Args:
        say: told what whoever started it should know.
    Raises: ConfigError: a file, the source or the address is wrong. TransientError: somebody else has the port.
    """
    tls = _tls(run)
    source = _source(run)
    asyncio.run(_serve(run, source, tls, say))


async def _serve(run: MllpRun, source: Source, tls: ssl.SSLContext | None, say: Callable[[str], None]) -> None:
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        with suppress(NotImplementedError):  # Windows
            asyncio.get_running_loop().add_signal_handler(number, ended.set)
    async with event_log(run.broker, run.own_folder / "spool", run.embedded) as log:
        settings = MllpSettings(
            host=run.host,
            port=run.port,
            max_bytes=source.limits.max_body_bytes,
            connections=run.connections,
            tls=tls,
        )
        metrics = Metrics([run.source])
        server = MllpServer(run.source, _intake(run, source, log, metrics), settings, utc_now)
        async with watched(run.metrics, metrics, log):
            await _start(server, run)
            say(f"mllp              {run.host}:{server.port}, source {run.source}{', TLS' if tls else ''}")
            _log.info("mllp %s: listening on port %d", run.source, server.port)
            await ended.wait()
            await server.stop()
    _log.info("mllp %s: stopped", run.source)


def watched(address: Address | None, metrics: Metrics, log: Log) -> AbstractAsyncContextManager[int | None]:
    """Metrics and health at an address, if one is given; the context gives the port."""
    logging.getLogger().addHandler(CountedLines(metrics))
    metrics.before_text(lambda: note_log(metrics, log))
    if address is None:
        return nullcontext()
    return listening(Endpoint(metrics, lambda: {"log": OK if log.state in READY_STATES else str(log.state)}), address)


async def _start(server: MllpServer, run: MllpRun) -> None:
    try:
        await server.start()
    except OSError as error:
        said = f"mllp cannot listen on {run.host}:{run.port}: {error.strerror or type(error).__name__}"
        raise (TransientError if error.errno == errno.EADDRINUSE else ConfigError)(said) from None


def _intake(run: MllpRun, source: Source, log: EventLog, metrics: Metrics) -> Intake:
    keys = Keyring.in_file(run.actor_key or run.folder / "actor.key")
    edge = Edge(keys, load_policy_book(run.policies))
    parts = SourceParts(run.own_folder, edge, log, metrics)
    return parts.intake(run.source, source, connector(source.connector))


def _source(run: MllpRun) -> Source:
    path = run.sources or run.folder / SOURCES_FILE
    source = read_sources(path).sources.get(run.source)
    if source is None:
        raise ConfigError(f"{path}: there is no source {run.source}")
    if source.connector != CONNECTOR:
        raise ConfigError(f"{path}: sources.{run.source}.connector: expected {CONNECTOR} for MLLP")
    return source


def _tls(run: MllpRun) -> ssl.SSLContext | None:
    if not run.plain and not is_loopback(run.host) and (run.tls is None or run.tls.client_ca is None):
        raise ConfigError(
            f"mllp does not listen on {run.host} for anybody: MLLP has no passwords. Give --tls-cert, --tls-key and"
            " --tls-client-ca, or --plain if only the senders can reach this address"
        )
    return server_tls(run.tls.cert, run.tls.key, run.tls.client_ca) if run.tls else None
