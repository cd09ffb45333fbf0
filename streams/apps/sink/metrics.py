"""Everything that `sink` counts: one list of names, kinds and labels."""

from __future__ import annotations

from streams.telemetry.metric import LONG_S, Metric
from streams.telemetry.worker_metrics import WORKER

EVENTS = Metric("tieline_sink_events_total", "counter", "Records of tieline.events that were read for the archive.")
FLUSH_S = Metric(
    "tieline_sink_flush_seconds",
    "histogram",
    "Seconds until a flush was acknowledged: inserts and windows.",
    (),
    LONG_S,
)
ROWS = Metric("tieline_sink_rows_total", "counter", "Rows that the store has acknowledged, by table.", ("table",))
INSERT_S = Metric(
    "tieline_sink_insert_seconds", "histogram", "Seconds of one acknowledged insert, by table.", ("table",), LONG_S
)
SLOW = Metric("tieline_sink_slow_inserts_total", "counter", "Inserts that took five seconds or more.")
WINDOWS = Metric("tieline_sink_windows_total", "counter", "Tie windows that were aggregated again.")
BUFFER_ROWS = Metric("tieline_sink_buffer_rows", "gauge", "Rows that wait for the store.")
BUFFER_BYTES = Metric("tieline_sink_buffer_bytes", "gauge", "Bytes of rows that wait for the store.")
STORE_AWAY = Metric("tieline_sink_store_away", "gauge", "1 while the store does not do what it is asked.")
STORE_AWAY_S = Metric(
    "tieline_sink_store_away_seconds", "gauge", "Seconds since the store was last well; 0 while it is."
)
RETRIES = Metric(
    "tieline_sink_retries_total", "counter", "Calls to the store that are tried again, by what it said.", ("error",)
)
DEAD_ROWS = Metric(
    "tieline_sink_dead_rows_total", "counter", "Rows that the store will never take; dead letters.", ("table",)
)
REPAIRED = Metric(
    "tieline_sink_repaired_items_total", "counter", "Evicted work items that were computed again from the archive."
)

SINK: tuple[Metric, ...] = (
    *WORKER,
    EVENTS,
    FLUSH_S,
    ROWS,
    INSERT_S,
    SLOW,
    WINDOWS,
    BUFFER_ROWS,
    BUFFER_BYTES,
    STORE_AWAY,
    STORE_AWAY_S,
    RETRIES,
    DEAD_ROWS,
    REPAIRED,
)
