"""Builders of valid events for tests. Times are minutes after `T0`."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from schemas.decoding import decode
from schemas.events import Event
from schemas.policy import Policy, PolicyBook

T0 = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
LONG_AFTER = datetime(2027, 1, 1, tzinfo=UTC)
ALL_RULES = [
    "handoff_acceptance",
    "handoff_offer",
    "reply",
    "handoff_accuracy",
    "message_accuracy",
    "problem_response",
    "handoff_advanced",
    "contact",
]


def at(minutes: float) -> datetime:
    """The instant that many minutes after `T0`."""
    return T0 + timedelta(minutes=minutes)


def person(number: int, kind: str = "human", key: str = "k1") -> dict[str, str]:
    """An actor: the same number is the same person."""
    return {"id": f"{key}:{number:032x}", "kind": kind}


def raw_event(
    noun_verb: str,
    minutes: float,
    *,
    id: str | None = None,
    process: str = "p",
    subject: str = "w1",
    source: str = "urn:test",
    site: str = "",
    sequence: int = 0,
    actor: dict[str, str] | None = None,
    **data: Any,
) -> dict[str, Any]:
    """A CloudEvent as plain JSON. `actor` defaults to person 1; times in `data` are aware datetimes."""
    payload = {name: _plain(value) for name, value in data.items() if value is not None}
    payload["actor"] = actor or person(1)
    return {
        "specversion": "1.0",
        "id": id or f"{noun_verb}@{minutes}/{sequence}",
        "source": source,
        "type": f"tieline.{noun_verb}.v1",
        "time": at(minutes).isoformat(),
        "subject": subject,
        "process": process,
        "site": site,
        "sequence": sequence,
        "data": payload,
    }


def event(noun_verb: str, minutes: float, **fields: Any) -> Event:
    """A decoded event; see `raw_event`."""
    return decode(json.dumps(raw_event(noun_verb, minutes, **fields)).encode())


def offered(minutes: float, handoff_id: str = "h1", a: str = "nurse", b: str = "ward", **fields: Any) -> Event:
    """Role `a` offers a handoff to role `b`."""
    return event("handoff.offered", minutes, handoff_id=handoff_id, from_role=a, to_role=b, **fields)


def act(verb: str, minutes: float, role: str, handoff_id: str = "h1", **fields: Any) -> Event:
    """Something `role` did about a handoff; person 2 unless said otherwise."""
    fields.setdefault("actor", person(2))
    return event(f"handoff.{verb}", minutes, handoff_id=handoff_id, role=role, **fields)


def assigned(minutes: float, role: str, **fields: Any) -> Event:
    """The work item now belongs to `role`."""
    return event("work_item.assigned", minutes, role=role, **fields)


def worked(minutes: float, role: str, **fields: Any) -> Event:
    """A human of `role` worked on it."""
    return event("work_item.worked", minutes, role=role, **fields)


def sent(minutes: float, message_id: str, role: str, to: list[str], **fields: Any) -> Event:
    """A message between roles."""
    return event("communication.sent", minutes, message_id=message_id, role=role, to_roles=to, **fields)


def asked(minutes: float, message_id: str, role: str, to: list[str], **fields: Any) -> Event:
    """A message that expects a reply."""
    return sent(minutes, message_id, role, to, expects_reply=True, **fields)


def raised(minutes: float, problem_id: str, role: str, to: list[str], **fields: Any) -> Event:
    """`role` raises a problem that it needs others for."""
    return event("problem.raised", minutes, problem_id=problem_id, role=role, to_roles=to, **fields)


def responded(minutes: float, problem_id: str, role: str, kind: str, **fields: Any) -> Event:
    """One response; person 2 unless said otherwise."""
    fields.setdefault("actor", person(2))
    return event("problem.responded", minutes, problem_id=problem_id, role=role, kind=kind, **fields)


def paused(minutes: float, role: str | None = None, reason: str = "patient", **fields: Any) -> Event:
    """The work item waits for something."""
    return event("work_item.paused", minutes, role=role, reason=reason, **fields)


def resumed(minutes: float, **fields: Any) -> Event:
    """The work item goes on."""
    return event("work_item.resumed", minutes, **fields)


def policy_book(**process: Any) -> PolicyBook:
    """A policy for process `p` that observes everything and has an hour for everything, unless said otherwise."""
    part: dict[str, Any] = {
        "observes": [{"source": "*", "rules": ALL_RULES}],
        "targets": {key: {"default": 3600} for key in ("accept_s", "reply_s", "respond_s")},
        "settle_s": 7200,
        "contact_band": {"low": 1, "high": 3},
        **process,
    }
    top = {key: part.pop(key) for key in ("aliases", "calendars_by_name") if key in part}
    return PolicyBook(
        (
            Policy.model_validate(
                {
                    "version": "test",
                    "effective_from": "2020-01-01T00:00:00Z",
                    "aliases": top.get("aliases", {}),
                    "calendars": top.get("calendars_by_name", {}),
                    "processes": {"p": part},
                }
            ),
        )
    )


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value
