"""Builders of findings and signals. Times are minutes after `NOW`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from schemas.signal import Finding, Signal

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
"""A Monday."""


def at(minutes: float) -> datetime:
    return NOW + timedelta(minutes=minutes)


def overdue(item: str = "w1", **fields: Any) -> Finding:
    given: dict[str, Any] = {
        "kind": "handoff_overdue",
        "process": "ed-to-ward",
        "site": "north",
        "work_item": item,
        "episode_id": f"src#{item}",
        "communicator_role": "ward-nurse",
        "experiencer_role": "ed-nurse",
        "to_roles": ("ward-nurse",),
        "dimension": "timeliness",
        "origin": "explicit",
        "urgency": "urgent",
        "at": at(-10),
        "event_ids": (f"src#{item}",),
        "policy_version": "p1",
    }
    return Finding(**given | fields)


def doubtful(**fields: Any) -> Finding:
    given: dict[str, Any] = {
        "kind": "data_quality",
        "check": "unknown_actors",
        "process": "incident",
        "source": "urn:tickets",
        "at": NOW,
        "value": 0.75,
        "threshold": 0.5,
        "n": 40,
    }
    return Finding(**given | fields)


def shifted(**fields: Any) -> Finding:
    given: dict[str, Any] = {
        "kind": "tie_shifted",
        "process": "incident",
        "communicator_role": "level-2",
        "experiencer_role": "level-1",
        "dimension": "timeliness",
        "origin": "inferred",
        "at": NOW - timedelta(days=7),
    }
    return Finding(**given | fields)


def said(finding: Finding, minutes: float = 0, **fields: Any) -> Signal:
    """The signal that says it."""
    given = {name: getattr(finding, name) for name in Finding.model_fields}
    opened = {"state": "opened", "opened_at": at(minutes), "said_at": at(minutes)}
    return Signal(**{**given, "run": "live", "signal": finding.signal_id("live"), **opened, **fields})


def ended(signal: Signal, minutes: float) -> Signal:
    """The record that ends it."""
    return signal.model_copy(update={"state": "closed", "closed_at": at(minutes), "said_at": at(minutes)})
