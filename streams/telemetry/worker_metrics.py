"""What every process counts, and what every worker of a Faust app does."""

from __future__ import annotations

from streams.telemetry.metric import Metric

LOG_LINES = Metric("tieline_log_lines_total", "counter", "Lines that were logged, by level.", ("level",))
READY = Metric("tieline_ready", "gauge", "1 while the process says that it is ready.")
PROCESS: tuple[Metric, ...] = (LOG_LINES, READY)

PARTITIONS = Metric("tieline_partitions", "gauge", "Partitions that this worker holds, by topic.", ("topic",))
REBALANCES = Metric("tieline_rebalances_total", "counter", "Times that the group gave this worker its partitions.")
BROKER_AWAY = Metric("tieline_broker_away", "gauge", "1 while the group's broker does not answer this worker.")
BROKER_AWAY_S = Metric(
    "tieline_broker_away_seconds", "gauge", "Seconds since the group's broker last answered; 0 while it does."
)
COMMIT_FAILURES = Metric(
    "tieline_commit_failures_total", "counter", "Commits of offsets that were not acknowledged; they are tried again."
)
WRITE_FAILURES = Metric(
    "tieline_write_failures_total", "counter", "Writes to Kafka that were not acknowledged; they are tried again."
)
BATCH_RETRIES = Metric(
    "tieline_batch_retries_total", "counter", "Batches that were handled again because something was away.", ("topic",)
)
LAG_S = Metric(
    "tieline_lag_seconds",
    "gauge",
    "Age of the newest record of the batch that is furthest behind, when it was written, or now while it is not.",
)
LAG_RECORDS = Metric(
    "tieline_lag_records",
    "gauge",
    "Records of the partitions held that are not committed yet, by topic, as far as fetches have told.",
    ("topic",),
)
WORKER: tuple[Metric, ...] = (
    *PROCESS,
    PARTITIONS,
    REBALANCES,
    BROKER_AWAY,
    BROKER_AWAY_S,
    COMMIT_FAILURES,
    WRITE_FAILURES,
    BATCH_RETRIES,
    LAG_S,
    LAG_RECORDS,
)
