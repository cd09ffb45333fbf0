"""`tieline mllp`: where hospital systems send HL7 v2."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deploy.cli.console import out
from deploy.cli.options import (
    BrokerOption,
    DataOption,
    LogFormatOption,
    LogLevelOption,
    MetricsOption,
    PolicyOption,
)

if TYPE_CHECKING:
    from deploy.composition.mllp import MllpTls

DEFAULT_PORT = 2575  # IANA's for HL7


def mllp(
    source: Annotated[str, typer.Option("--source", help="Name of the source in the settings of sources.")],
    port: Annotated[
        int, typer.Option("--port", envvar="TIELINE_MLLP_PORT", help="Port to listen on.", min=0, max=65535)
    ] = DEFAULT_PORT,
    host: Annotated[
        str,
        typer.Option(
            "--host", envvar="TIELINE_MLLP_HOST", help="Where to listen; beyond this machine with certificates."
        ),
    ] = "127.0.0.1",
    sources: Annotated[
        Path | None,
        typer.Option(
            "--sources",
            envvar="TIELINE_SOURCES",
            help="Settings of sources. [default: sources.yaml in the data folder]",
        ),
    ] = None,
    actor_key: Annotated[
        Path | None,
        typer.Option(
            "--actor-key", envvar="TIELINE_ACTOR_KEY", help="Key file for actor hashes. [default: actor.key there]"
        ),
    ] = None,
    tls_cert: Annotated[
        Path | None, typer.Option("--tls-cert", envvar="TIELINE_MLLP_TLS_CERT", help="PEM file: certificate chain.")
    ] = None,
    tls_key: Annotated[
        Path | None, typer.Option("--tls-key", envvar="TIELINE_MLLP_TLS_KEY", help="PEM file: private key.")
    ] = None,
    tls_client_ca: Annotated[
        Path | None,
        typer.Option(
            "--tls-client-ca",
            envvar="TIELINE_MLLP_TLS_CLIENT_CA",
            help="PEM file: only senders with a certificate of this authority are let in.",
        ),
    ] = None,
    plain: Annotated[
        bool, typer.Option("--plain", help="Listen beyond this machine without certificates: only senders reach it.")
    ] = False,
    connections: Annotated[int, typer.Option("--connections", help="At the same time.", min=1, max=1000)] = 32,
    broker: BrokerOption = None,
    policy: PolicyOption = None,
    data: DataOption = None,
    embedded: Annotated[bool, typer.Option("--embedded", help="Settings that fit the embedded broker.")] = False,
    metrics: MetricsOption = "",
    log_level: LogLevelOption = "info",
    log_format: LogFormatOption = "text",
) -> None:
    """Take HL7 v2 messages over MLLP for one source, until stopped, and put what they say on Kafka.

    Every message is acknowledged; a positive acknowledgement means that its events are durable.
    """
    from deploy.cli.commands.gateway import QUIET
    from deploy.composition.mllp import MllpRun, run_mllp
    from deploy.composition.target import data_dir, find_broker, policy_paths
    from deploy.embedded.parent import watch_parent
    from deploy.log_lines import configure
    from streams.telemetry.endpoint import Address

    watch_parent()
    configure(log_level, log_format, QUIET)
    folder = data_dir(data)
    run = MllpRun(
        broker=find_broker(broker, embedded),
        folder=folder,
        policies=policy_paths(policy, folder),
        source=source,
        host=host,
        port=port,
        connections=connections,
        sources=sources,
        actor_key=actor_key,
        tls=_tls(tls_cert, tls_key, tls_client_ca),
        plain=plain,
        embedded=embedded,
        metrics=Address.of(metrics) if metrics else None,
    )
    run_mllp(run, lambda line: out.print(line, markup=False, soft_wrap=True))


def _tls(cert: Path | None, key: Path | None, client_ca: Path | None) -> MllpTls | None:
    from deploy.composition.mllp import MllpTls
    from schemas.errors import ConfigError

    if cert is None and key is None and client_ca is None:
        return None
    if cert is None or key is None:
        raise ConfigError("TLS needs both --tls-cert and --tls-key")
    return MllpTls(cert, key, client_ca)
