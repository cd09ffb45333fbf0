"""`tieline gateway`: where systems send their events."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deploy.cli.console import out
from deploy.cli.options import BrokerOption, DataOption, LogFormatOption, LogLevelOption, PolicyOption

if TYPE_CHECKING:
    from streams.gateway.http.server import Tls

DEFAULT_PORT = 8720
QUIET = ("uvicorn", "uvicorn.error", "aiokafka", "kafka", "asyncio")
"""Libraries say only what went wrong."""


def gateway(
    broker: BrokerOption = None,
    policy: PolicyOption = None,
    data: DataOption = None,
    sources: Annotated[
        Path | None,
        typer.Option(
            "--sources",
            envvar="TIELINE_SOURCES",
            help="Settings of sources. [default: sources.yaml in the data folder]",
        ),
    ] = None,
    tokens: Annotated[
        Path | None,
        typer.Option("--tokens", envvar="TIELINE_TOKENS", help="Token file. [default: tokens.json in the data folder]"),
    ] = None,
    actor_key: Annotated[
        Path | None,
        typer.Option(
            "--actor-key", envvar="TIELINE_ACTOR_KEY", help="Key file for actor hashes. [default: actor.key there]"
        ),
    ] = None,
    host: Annotated[
        str,
        typer.Option(
            "--host", envvar="TIELINE_GATEWAY_HOST", help="Where to listen; beyond this machine only with TLS."
        ),
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option("--port", envvar="TIELINE_GATEWAY_PORT", help="Port to listen on.", min=1, max=65535)
    ] = DEFAULT_PORT,
    tls_cert: Annotated[
        Path | None, typer.Option("--tls-cert", envvar="TIELINE_GATEWAY_TLS_CERT", help="PEM file: certificate chain.")
    ] = None,
    tls_key: Annotated[
        Path | None, typer.Option("--tls-key", envvar="TIELINE_GATEWAY_TLS_KEY", help="PEM file: private key.")
    ] = None,
    tls_client_ca: Annotated[
        Path | None,
        typer.Option(
            "--tls-client-ca",
            envvar="TIELINE_GATEWAY_TLS_CLIENT_CA",
            help="PEM file: only clients with a certificate of this authority are let in (mTLS).",
        ),
    ] = None,
    behind_proxy: Annotated[
        bool,
        typer.Option(
            "--behind-proxy",
            envvar="TIELINE_GATEWAY_BEHIND_PROXY",
            help="A proxy in front speaks TLS, and nobody else reaches this address.",
        ),
    ] = False,
    embedded: Annotated[bool, typer.Option("--embedded", help="Settings that fit the embedded broker.")] = False,
    log_level: LogLevelOption = "info",
    log_format: LogFormatOption = "text",
) -> None:
    """Take events and webhooks over HTTP until stopped, and put them on Kafka.

    `tieline tokens create` makes the tokens that senders need. Endpoints: `/docs` on the running gateway.
    """
    from deploy.composition.gateway import GatewaySettings, run_gateway
    from deploy.composition.target import data_dir, find_broker, policy_paths
    from deploy.embedded.parent import watch_parent
    from deploy.log_lines import configure
    from streams.gateway.http.server import Listening

    watch_parent()
    configure(log_level, log_format, QUIET)
    folder = data_dir(data)
    settings = GatewaySettings(
        broker=find_broker(broker, embedded),
        folder=folder,
        policies=policy_paths(policy, folder),
        listening=Listening(host, port, _tls(tls_cert, tls_key, tls_client_ca), behind_proxy),
        sources=sources,
        tokens=tokens,
        actor_key=actor_key,
        embedded=embedded,
    )
    run_gateway(settings, lambda line: out.print(line, markup=False, soft_wrap=True))


def _tls(cert: Path | None, key: Path | None, client_ca: Path | None) -> Tls | None:
    from schemas.errors import ConfigError
    from streams.gateway.http.server import Tls

    if cert is None and key is None and client_ca is None:
        return None
    if cert is None or key is None:
        raise ConfigError("TLS needs both --tls-cert and --tls-key")
    return Tls(cert, key, client_ca)
