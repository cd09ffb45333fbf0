"""The `sink` app, put together: the store it writes to, and what it counts of it."""

from __future__ import annotations

from schemas.policy import PolicyBook
from sinks.clickhouse.settings import ClickHouseSettings
from sinks.clickhouse.store import ClickHouseStore
from streams.apps.clock import Clock, wall_clock
from streams.apps.sink.app import sink_app
from streams.apps.sink.metrics import SINK
from streams.apps.sink.store_watch import SinkStoreWatch
from streams.telemetry.values import Values
from streams.transport.app import BatchApp
from streams.transport.broker import AnyBroker
from streams.transport.settings import TransportSettings


def sink_worker(
    broker: AnyBroker,
    clickhouse: ClickHouseSettings,
    policies: PolicyBook,
    transport: TransportSettings | None = None,
    clock: Clock = wall_clock,
) -> BatchApp:
    """The app with its store, ready to run with `run_app`."""
    values = Values(SINK)
    watch = SinkStoreWatch(values)
    store = ClickHouseStore(clickhouse, watch=watch)
    return sink_app(broker, store, policies, None, transport, clock, values, watch.checks)
