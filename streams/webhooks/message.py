"""What is sent: `type`, `timestamp` and `data`, as Standard Webhooks suggests. The same content has the same bytes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Literal

from schemas.signal import Signal

Said = Literal["opened", "closed"]
MessageKind = Said | Literal["digest"]
TYPES = {
    "opened": "tieline.signal.opened.v1",
    "closed": "tieline.signal.closed.v1",
    "digest": "tieline.signals.digest.v1",
}
TEST_TYPE = "tieline.test.v1"
_KEPT_BACK = {"event_ids", "said_at", "state", "closed_at"}
"""Event ids are for auditors; the rest depends on which record of a signal is at hand."""
_DIMENSIONS = {"problem_solving": "problem-solving"}


def body(kind: MessageKind, said: Sequence[tuple[Said, Signal]], at: datetime) -> bytes:
    """The bytes of a message.

    Args:
        said: of a digest all that was said, else one thing.
        at: when it was said; of a digest, when quiet hours ended.
    """
    told = [_data(what, signal) for what, signal in said]
    data: dict[str, Any] = {"count": len(told), "signals": told} if kind == "digest" else told[0]
    return _encoded({"type": TYPES[kind], "timestamp": _time(at), "data": data})


def trial_body(at: datetime) -> bytes:
    """A message that says nothing, to try a receiver with."""
    return _encoded({"type": TEST_TYPE, "timestamp": _time(at), "data": {"text": "A test message of Tieline."}})


def text(signal: Signal) -> str:
    """What a signal says, in one line: roles and work items, no person, nothing about better or worse."""
    where = f"{signal.process}, {signal.site}" if signal.site else signal.process
    to = ", ".join(signal.to_roles)
    due = f"{signal.at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    if signal.kind == "handoff_overdue":
        return f"{where}: the handoff of {signal.work_item} to {to} was due at {due} and is not answered"
    if signal.kind == "problem_unanswered":
        return f"{where}: a problem of {signal.work_item}, raised to {to}, was to be answered by {due}"
    if signal.kind == "tie_shifted":
        dimension = _DIMENSIONS.get(signal.dimension, signal.dimension)
        tie = f"{signal.communicator_role} → {signal.experiencer_role}"
        return f"{where}: {dimension} of {tie} has shifted in the period from {signal.at.astimezone(UTC):%Y-%m-%d}"
    return _quality_text(signal)


def _quality_text(signal: Signal) -> str:
    source = f"{signal.source} of {signal.process}" if signal.source else signal.process
    if signal.check == "source_quiet":
        return f"{source}: nothing has come since {signal.at.astimezone(UTC):%Y-%m-%d %H:%M} UTC, unlike in other weeks"
    of = {
        "dead_letters": "of what arrived could not be used",
        "skewed_handoffs": "of handoffs were accepted before they were offered",
        "unknown_actors": "of events do not say who acted",
    }.get(signal.check, "is out of order")
    share = f"{signal.value or 0:.1%} {of} (n {signal.n}, in order up to {signal.threshold or 0:.1%})"
    return f"{source}: {share}" if source else share


def _data(said: Said, signal: Signal) -> dict[str, Any]:
    fields = signal.model_dump(mode="json", exclude=_KEPT_BACK)
    if signal.kind != "data_quality":
        del fields["n"]
    told = {name: value for name, value in fields.items() if value not in ("", None, [], ())}
    ended = {"closed_at": _time(signal.closed_at)} if said == "closed" else {}
    return {**told, **ended, "state": said, "text": text(signal)}


def _time(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _encoded(message: dict[str, Any]) -> bytes:
    return json.dumps(message, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()
