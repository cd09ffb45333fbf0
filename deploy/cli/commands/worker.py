"""`tieline worker`: run one of the Faust apps until it is stopped."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from deploy.cli.commands.signals import SettingsOption
from deploy.cli.options import BrokerOption, LogFormatOption, LogLevelOption, MetricsOption, PolicyOption

if TYPE_CHECKING:
    from streams.apps.clock import Clock
    from streams.transport.app import BatchApp
    from streams.transport.batch import TopicPartition
    from streams.transport.settings import TransportSettings

QUIET = ("faust", "mode", "aiokafka", "kafka", "streams.transport.driver")
RUN = "live"
app = typer.Typer(help="The Faust apps.", no_args_is_help=True)

EmbeddedOption = Annotated[bool, typer.Option("--embedded", help="Settings that fit the embedded broker.")]
ReadyOption = Annotated[
    Path | None, typer.Option("--ready-file", help="Made once the app has its partitions; removed when it ends.")
]


@app.command()
def infer(
    broker: BrokerOption = None,
    policy: PolicyOption = None,
    embedded: EmbeddedOption = False,
    ready_file: ReadyOption = None,
    metrics: MetricsOption = "",
    log_level: LogLevelOption = "info",
    log_format: LogFormatOption = "text",
) -> None:
    """Fold events into handoffs, exchanges, problems and evidence."""
    from deploy.composition.target import find_broker, policy_paths
    from deploy.policy_files import load_policy_book
    from streams.apps.infer.app import InferSettings, infer_app

    policies = load_policy_book(policy_paths(policy, None))
    kafka = find_broker(broker, embedded)
    settings = InferSettings(say_restored=embedded)
    _run(
        lambda: infer_app(kafka, policies, settings, _transport(embedded), _clock()),
        Around(ready_file, metrics, log_level, log_format),
    )


@app.command()
def sink(
    broker: BrokerOption = None,
    policy: PolicyOption = None,
    embedded: EmbeddedOption = False,
    ready_file: ReadyOption = None,
    metrics: MetricsOption = "",
    log_level: LogLevelOption = "info",
    log_format: LogFormatOption = "text",
) -> None:
    """Write everything to ClickHouse (TIELINE_CLICKHOUSE_URL, _USER, _PASSWORD or _PASSWORD_FILE)."""
    from deploy.composition.sink import sink_worker
    from deploy.composition.target import find_broker, policy_paths
    from deploy.policy_files import load_policy_book
    from sinks.clickhouse.settings import ClickHouseSettings

    policies = load_policy_book(policy_paths(policy, None))
    kafka = find_broker(broker, embedded)
    clickhouse = ClickHouseSettings.from_env()
    _run(
        lambda: sink_worker(kafka, clickhouse, policies, _transport(embedded), _clock()),
        Around(ready_file, metrics, log_level, log_format),
    )


@app.command()
def signals(
    broker: BrokerOption = None,
    settings: SettingsOption = None,
    embedded: EmbeddedOption = False,
    ready_file: ReadyOption = None,
    metrics: MetricsOption = "",
    log_level: LogLevelOption = "info",
    log_format: LogFormatOption = "text",
) -> None:
    """Say what is worth acting on now: on Kafka, and to webhooks. Reads ClickHouse (variables as for the sink)."""
    from deploy.composition.signals import read_signals_file, signals_path, signals_worker
    from deploy.composition.target import data_dir, find_broker
    from sinks.clickhouse.settings import ClickHouseSettings

    chosen = read_signals_file(signals_path(settings, data_dir(None)))
    kafka = find_broker(broker, embedded)
    clickhouse = ClickHouseSettings.from_env()
    _run(
        lambda: signals_worker(kafka, clickhouse, chosen, _transport(embedded), _clock()),
        Around(ready_file, metrics, log_level, log_format),
    )


def _transport(embedded: bool) -> TransportSettings:
    from streams.transport.settings import TransportSettings

    return TransportSettings.embedded() if embedded else TransportSettings()


def _clock() -> Clock:
    from deploy.composition.target import AS_OF_ENV
    from streams.apps.clock import pinned_clock, wall_clock

    pinned = os.environ.get(AS_OF_ENV)
    return pinned_clock(pinned) if pinned else wall_clock


class Around(NamedTuple):
    """What is beside an app in its process: the options that every worker has."""

    ready_file: Path | None
    metrics: str
    log_level: str
    log_format: str


def _run(make: Callable[[], BatchApp], around: Around) -> None:
    """Run the app to its end, under the supervisor if one started us; the exit code is the app's."""
    from deploy.embedded.parent import watch_parent
    from deploy.log_lines import configure
    from streams.telemetry.counted_lines import CountedLines
    from streams.telemetry.endpoint import Address, Endpoint, listening
    from streams.transport.runner import run_app

    address = Address.of(around.metrics) if around.metrics else None
    watch_parent()
    configure(around.log_level, around.log_format, QUIET, RUN)
    ready_file = around.ready_file
    _collect_seldom()

    async def until_stopped() -> int:
        app = make()
        logging.getLogger().addHandler(CountedLines(app.values))
        if ready_file is not None:
            app.on_assigned(partial(_mark_ready, ready_file))
        async with listening(Endpoint(app.values, app.checks), address) if address else nullcontext():
            return await run_app(app)

    try:
        code = asyncio.run(until_stopped())
    finally:
        if ready_file is not None:
            ready_file.unlink(missing_ok=True)
    raise typer.Exit(code)


def _collect_seldom() -> None:
    """Look for cycles after 50,000 new objects instead of 700. What a worker holds lives long and is in none: to look
    through it again and again took infer a tenth of its time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


async def _mark_ready(ready_file: Path, _tps: frozenset[TopicPartition]) -> None:
    await asyncio.to_thread(ready_file.touch)
