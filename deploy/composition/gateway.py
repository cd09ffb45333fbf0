"""The gateway, put together from settings, keys, policies, tokens and sources."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, SecretStr, ValidationError

from deploy.composition.durable import embedded_spool, event_log
from deploy.policy_files import load_policy_book
from schemas.errors import ConfigError
from streams.gateway.breaker import Breaker, BreakerSettings
from streams.gateway.connectors.catalogue import connector, entry
from streams.gateway.connectors.connector import Connector
from streams.gateway.durable import EventLog
from streams.gateway.edge.edge import Edge
from streams.gateway.edge.keyring import Keyring
from streams.gateway.http.app import gateway_app
from streams.gateway.http.gateway import Acknowledge, Gateway, SourceEntry
from streams.gateway.http.server import Listening, serve
from streams.gateway.intake import Feeding, Intake, NoSnapshots
from streams.gateway.limits import Bucket
from streams.gateway.metrics import Metrics
from streams.gateway.source_files import explained, read_sources
from streams.gateway.sources import SOURCES_FILE, SecretRef, Source, Sources
from streams.gateway.tokens import TOKENS_FILE, TokenFile, Tokens, ensure_local_token, utc_now
from streams.telemetry.counted_lines import CountedLines
from streams.transport.broker import AnyBroker

if TYPE_CHECKING:
    from streams.gateway.connectors.snapshots import SnapshotStore

SPOOL_FOLDER, SNAPSHOTS_FILE = "gateway-spool", "snapshots.db"
_log = logging.getLogger("tieline.gateway")


@dataclass(frozen=True, slots=True)
class GatewaySettings:
    """Where everything is.

    Attributes:
        folder: data folder: the spool, and what is not named otherwise.
        sources: settings file; None: `sources.yaml` in the data folder, if it is there.
        tokens, actor_key: files; None: in the data folder.
        embedded: the broker keeps nothing, so the spool is kept until the store has everything.
    """

    broker: AnyBroker
    folder: Path
    policies: Sequence[Path]
    listening: Listening
    sources: Path | None = None
    tokens: Path | None = None
    actor_key: Path | None = None
    embedded: bool = False


def run_gateway(settings: GatewaySettings, say: Callable[[str], None] = lambda _: None) -> None:
    """Until SIGTERM or SIGINT.

    Args:
        say: told what whoever started it should know.
    Raises: ConfigError, TransientError: as `serve`; a settings file is wrong.
    """
    settings.listening.check()
    log = event_log(settings.broker, spool_folder(settings), settings.embedded)
    gateway = assembled(settings, log, say)
    say(f"gateway           {settings.listening.url}")

    serve(gateway_app(gateway), settings.listening, lambda: log)


def spool_folder(settings: GatewaySettings) -> Path:
    """Where what Kafka does not have yet is kept."""
    return embedded_spool(settings.folder) if settings.embedded else settings.folder / SPOOL_FOLDER


def assembled(settings: GatewaySettings, log: EventLog, say: Callable[[str], None] = lambda _: None) -> Gateway:
    """Everything but listening. Raises: ConfigError: a file is wrong, or not there."""
    edge = Edge(
        Keyring.in_file(settings.actor_key or settings.folder / "actor.key"), load_policy_book(settings.policies)
    )
    sources = _sources(settings)
    metrics = Metrics(sources.sources)
    logging.getLogger().addHandler(CountedLines(metrics))
    made = SourceParts(settings.folder, edge, log, metrics)
    return Gateway(
        edge=edge,
        log=log,
        tokens=_tokens(settings, say),
        metrics=metrics,
        sources={name: made.entry(name, each) for name, each in sources.sources.items()},
        limits=sources.events,
    )


def _sources(settings: GatewaySettings) -> Sources:
    path = settings.sources or settings.folder / SOURCES_FILE
    if settings.sources is None and not path.exists():
        return Sources()
    return read_sources(path)


def _tokens(settings: GatewaySettings, say: Callable[[str], None]) -> Tokens:
    """Without any token nobody is let in; only the embedded default, on one's own machine, makes one by itself."""
    file = TokenFile(settings.tokens or settings.folder / TOKENS_FILE)
    if settings.embedded:
        made = ensure_local_token(settings.folder, file, utc_now())
        if made is not None:
            say(f'first token       {made}; use it as: curl -H "Authorization: Bearer $(cat {made})" …')
    elif not file.read():
        _log.error("there are no tokens, so every request is refused: run `tieline tokens create`")
    return Tokens(file)


class SourceParts:
    """Turns settings of sources into what HTTP serves. The file of snapshots is opened when a source needs it."""

    def __init__(self, folder: Path, edge: Edge, log: EventLog, metrics: Metrics) -> None:
        self._folder, self._edge, self._log, self._metrics = folder, edge, log, metrics
        self._store: SnapshotStore | None = None

    def entry(self, name: str, source: Source) -> SourceEntry:
        """One source. Raises: ConfigError: its connector, options or secrets are wrong."""
        known, reader = entry(source.connector), connector(source.connector)
        limits = source.limits
        return SourceEntry(
            intake=self.intake(name, source, reader),
            verify=source.verify.kind,
            secrets=tuple(_secret(name, number, ref) for number, ref in enumerate(source.verify.secrets)),
            limits=limits,
            media_types=known.media_types,
            bucket=Bucket(limits.per_s, limits.burst, time.monotonic),
            resources=known.resources,
            acknowledge=hl7_acknowledgement() if known.acknowledges else None,
        )

    def intake(self, name: str, source: Source, reader: Connector) -> Intake:
        """The way in of one source, for HTTP and MLLP alike."""
        feeding = Feeding(
            name=name,
            uri=source.uri(name),
            process=source.process,
            site=source.site,
            marks=source.actors.marks,
            options=checked_options(name, source, reader),
        )
        snapshots = partial(self._snapshots().of, name) if entry(source.connector).snapshots else NoSnapshots
        breaker = Breaker(name, time.monotonic, BreakerSettings())
        return Intake(feeding, reader, self._edge, self._log, breaker, self._metrics, snapshots)

    def _snapshots(self) -> SnapshotStore:
        if self._store is None:
            from streams.gateway.connectors.snapshots import SnapshotStore

            path = self._folder / SNAPSHOTS_FILE
            try:
                self._store = SnapshotStore(path)
            except OSError as error:
                raise ConfigError(f"{path}: cannot be written: {error.strerror}") from None
        return self._store


def checked_options(name: str, source: Source, reader: Connector) -> Mapping[str, object]:
    """A source's options, checked by its connector, so that a mistake is found at start and not by a delivery."""
    model: type[BaseModel] | None = getattr(reader, "options_model", None)
    if model is None:
        if source.options:
            raise ConfigError(f"sources.{name}.options: the connector {source.connector} has none")
        return {}
    try:
        checked = model.model_validate(source.options)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        raise ConfigError(
            "; ".join(f"sources.{name}.options.{explained(each, model)}" for each in found[:20])
        ) from None
    return {field: getattr(checked, field) for field in checked.model_fields_set}


def _secret(name: str, number: int, ref: SecretRef) -> SecretStr:
    try:
        return ref.read()
    except ConfigError as error:
        raise ConfigError(f"sources.{name}.verify.secrets.{number}: {error}") from None


def hl7_acknowledgement() -> Acknowledge:
    """How messages of HL7 version 2 are answered over HTTP: also those whose sender wants no answer."""
    from streams.gateway.mllp.server import answer_to

    return partial(answer_to, always=True)
