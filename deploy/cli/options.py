"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

DataOption = Annotated[
    Path | None,
    typer.Option("--data", help="Data folder of the embedded default. [default: the user's data folder]"),
]
PolicyOption = Annotated[
    list[Path] | None,
    typer.Option("--policy", help="Policy file or folder; may be repeated. [default: TIELINE_POLICIES, else bundled]"),
]
LogLevelOption = Annotated[str, typer.Option("--log-level", help="debug, info, warning or error.")]
LogFormatOption = Annotated[
    str,
    typer.Option("--log-format", envvar="TIELINE_LOG_FORMAT", help="text, or json: one object a line."),
]
MetricsOption = Annotated[
    str,
    typer.Option(
        "--metrics",
        envvar="TIELINE_METRICS",
        metavar="HOST:PORT",
        help="Where /metrics, /health/live and /health/ready are answered. [default: nowhere]",
    ),
]
BrokerOption = Annotated[
    str | None,
    typer.Option("--broker", help="host:port of a Kafka broker. [default: TIELINE_BROKER, else the running instance]"),
]
