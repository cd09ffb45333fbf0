"""Everything that the gateway counts: one list of names, kinds and labels, and the values behind it."""

from __future__ import annotations

from collections.abc import Iterable

from streams.telemetry.metric import Metric
from streams.telemetry.values import Values
from streams.telemetry.worker_metrics import PROCESS

REQUESTS = Metric(
    "tieline_gateway_requests_total", "counter", "Requests answered, by endpoint and status.", ("endpoint", "status")
)
REQUEST_SECONDS = Metric(
    "tieline_gateway_request_seconds", "histogram", "Seconds from the request's head to its answer.", ("endpoint",)
)
EVENTS_KEPT = Metric("tieline_gateway_events_kept_total", "counter", "Events that are durable.", ("source",))
EVENTS_INVALID = Metric(
    "tieline_gateway_events_invalid_total", "counter", "Events that were refused, by reason.", ("source", "code")
)
DELIVERIES = Metric(
    "tieline_gateway_deliveries_total",
    "counter",
    "Deliveries of sources: kept, unused, invalid (in part or whole), unreadable, not kept because the log was away.",
    ("source", "outcome"),
)
UNUSED = Metric(
    "tieline_gateway_unused_total", "counter", "What was understood and is of no use to Tieline.", ("source", "reason")
)
REFUSED = Metric(
    "tieline_gateway_refused_total", "counter", "Requests that were refused, by reason.", ("endpoint", "code")
)
BREAKER = Metric("tieline_gateway_breaker_open", "gauge", "1 while the breaker of a source is not closed.", ("source",))
BODY_BYTES = Metric("tieline_gateway_bodies_bytes", "gauge", "Bytes of request bodies in work.")
LOG_ON_SPOOL = Metric("tieline_gateway_log_on_spool", "gauge", "1 while events go to the spool instead of Kafka.")
LOG_ACCEPTS = Metric("tieline_gateway_log_accepts", "gauge", "1 while events can be kept, on Kafka or on the spool.")
SPOOL_BYTES = Metric("tieline_gateway_spool_bytes", "gauge", "Bytes on the spool that Kafka does not have yet.")
SPOOL_AGE = Metric(
    "tieline_gateway_spool_oldest_seconds",
    "gauge",
    "Age of the oldest record on the spool that Kafka does not have yet.",
)
SPOOL_DAMAGED = Metric(
    "tieline_gateway_spool_damaged_segments",
    "gauge",
    "Files of the spool that were found damaged and are kept beside it: look at the log.",
)

METRICS: tuple[Metric, ...] = (
    *PROCESS,
    REQUESTS,
    REQUEST_SECONDS,
    EVENTS_KEPT,
    EVENTS_INVALID,
    DELIVERIES,
    UNUSED,
    REFUSED,
    BREAKER,
    BODY_BYTES,
    LOG_ON_SPOOL,
    LOG_ACCEPTS,
    SPOOL_BYTES,
    SPOOL_AGE,
    SPOOL_DAMAGED,
)

EVENTS_SOURCE = "events"
"""The label `source` of what is posted to `/v1/events`, whatever its CloudEvents source says."""

CODES: frozenset[str] = frozenset(
    [
        "bad_encoding",
        "bad_header",
        "bad_separators",
        "bad_signature",
        "bad_time",
        "bad_token",
        "breaker_open",
        "coarse_time",
        "connector_failed",
        "control_character",
        "disconnected",
        "duplicate_key",
        "future",
        "idempotency_in_progress",
        "idempotency_mismatch",
        "internal",
        "invalid_events",
        "invalid_value",
        "missing_field",
        "missing_type",
        "no_tokens",
        "not_form",
        "not_found",
        "not_hl7",
        "not_json",
        "not_object",
        "not_ready",
        "overloaded",
        "rate_limited",
        "scope_missing",
        "slow_body",
        "source_not_allowed",
        "time_without_zone",
        "too_complex",
        "too_deep",
        "too_large",
        "too_long",
        "too_many_entries",
        "too_many_events",
        "too_many_messages",
        "too_many_orders",
        "too_many_segments",
        "unavailable",
        "unknown_field",
        "unknown_key",
        "unknown_type",
        "unsupported_charset",
        "unsupported_encoding",
        "unsupported_media_type",
        "unsupported_processing_id",
        "unsupported_type",
        "unsupported_version",
        "wrong_method",
    ]
)
"""All reasons that the gateway and its connectors give for refusing something."""

UNUSED_REASONS: frozenset[str] = frozenset(
    [
        "already_asked",
        "closed",
        "empty",
        "empty_batch",
        "empty_notification",
        "end_user",
        "entered_in_error",
        "first_state",
        "handshake",
        "heartbeat",
        "id_only",
        "ignored",
        "no_actor",
        "no_change",
        "no_issue",
        "no_items",
        "no_order_number",
        "no_role",
        "no_rule",
        "no_time",
        "no_visit",
        "no_work_item",
        "not_asked",
        "not_human",
        "not_sent",
        "other_event",
        "other_state",
        "other_status",
        "other_type",
        "out_of_order",
        "ping",
        "planned",
        "stale",
        "status",
        "temporary_location",
        "unchanged",
        "unclassified",
    ]
)
"""Why something is of no use, as far as connectors give a reason and not a kind of event."""
OTHER = "other"


def code_label(code: str) -> str:
    """A reason as a label; `other` for one that the list does not have."""
    return code if code in CODES else OTHER


def unused_label(code: str) -> str:
    """Why something was of no use, as a label. Codes that name what a source sent are `not_used`."""
    reason = code.rpartition(".")[2]
    return reason if reason in UNUSED_REASONS else "not_used"


class Metrics(Values):
    """The values of the gateway, over HTTP or MLLP. Reading and writing is safe from several threads."""

    def __init__(self, sources: Iterable[str] = ()) -> None:
        super().__init__(METRICS)
        for source in (EVENTS_SOURCE, *sources):
            self.set(BREAKER, 0, source)
