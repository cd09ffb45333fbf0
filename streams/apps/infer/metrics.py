"""Everything that `infer` counts: one list of names, kinds and labels."""

from __future__ import annotations

from streams.telemetry.metric import LONG_S, Metric
from streams.telemetry.worker_metrics import WORKER

EVENTS = Metric("tieline_infer_events_total", "counter", "Records of tieline.events that were folded or refused.")
BATCHES = Metric("tieline_infer_batches_total", "counter", "Batches in which they came: one partition each.")
FOLD_S = Metric("tieline_infer_fold_seconds", "histogram", "Seconds to decode and fold one batch.")
WRITE_S = Metric(
    "tieline_infer_write_seconds", "histogram", "Seconds until changed rows were acknowledged by Kafka.", (), LONG_S
)
CHECKPOINT_S = Metric(
    "tieline_infer_checkpoint_seconds",
    "histogram",
    "Seconds until rows, states and offsets of a checkpoint were acknowledged.",
    (),
    LONG_S,
)
RESTORE_S = Metric(
    "tieline_infer_restore_seconds", "histogram", "Seconds to read the state of assigned partitions.", (), LONG_S
)
RESTORED = Metric("tieline_infer_restored_items_total", "counter", "Work items that were read back from tieline.state.")
OPEN_ITEMS = Metric("tieline_infer_open_items", "gauge", "Work items in memory: open, unsettled or lingering.")
STUBS = Metric("tieline_infer_stubs", "gauge", "Evicted work items that are remembered by key.")
UNWRITTEN = Metric("tieline_infer_unwritten_events", "gauge", "Events whose rows Kafka has not acknowledged yet.")
RECORDS = Metric(
    "tieline_infer_records_total", "counter", "Rows, dead letters and late events given to Kafka, by topic.", ("topic",)
)
LATE = Metric("tieline_infer_late_total", "counter", "Events of evicted work items, sent on for repair.")
REFUSED = Metric("tieline_infer_refused_total", "counter", "Records that became dead letters, by reason.", ("reason",))

INFER: tuple[Metric, ...] = (
    *WORKER,
    EVENTS,
    BATCHES,
    FOLD_S,
    WRITE_S,
    CHECKPOINT_S,
    RESTORE_S,
    RESTORED,
    OPEN_ITEMS,
    STUBS,
    UNWRITTEN,
    RECORDS,
    LATE,
    REFUSED,
)
