"""Everything that `signals` counts: one list of names, kinds and labels."""

from __future__ import annotations

from streams.telemetry.metric import Metric
from streams.telemetry.worker_metrics import WORKER

SPEAKS = Metric("tieline_signals_speaks", "gauge", "1 while this worker is the one that speaks.")
OPEN = Metric("tieline_signals_open", "gauge", "Signals that were said and have not ended.")
SAID = Metric("tieline_signals_said_total", "counter", "Signals said, by kind and state.", ("kind", "state"))
STORE_AWAY = Metric("tieline_signals_store_away", "gauge", "1 while the store does not answer.")
STORE_AWAY_S = Metric(
    "tieline_signals_store_away_seconds", "gauge", "Seconds since the store was last well; 0 while it is."
)
RETRIES = Metric(
    "tieline_signals_retries_total", "counter", "Calls to the store that are tried again, by what it said.", ("error",)
)
WEBHOOKS = Metric(
    "tieline_signals_webhooks_total",
    "counter",
    "Attempts to tell a webhook: delivered, failed (tried again), dead (given up), gone (wants no more).",
    ("outcome",),
)
WAITING = Metric("tieline_signals_webhooks_waiting", "gauge", "Messages that no webhook has taken yet.")

SIGNALS: tuple[Metric, ...] = (*WORKER, SPEAKS, OPEN, SAID, STORE_AWAY, STORE_AWAY_S, RETRIES, WEBHOOKS, WAITING)
