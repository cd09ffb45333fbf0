"""Builders of Zendesk event webhook payloads, in the documented format, with invented content."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

AGENT, LEAD, BUYER, ROBOT = "9001000000001", "9001000000002", "9009000000009", "9001000000099"
FRONT, REPAIRS = "7001000000001", "7001000000002"
NOBODY = "Teunis Okkerse"
"""The name that the author of every comment has: it must never come out."""
WORDS = "Teunis Okkerse says the kettle he bought leaks, can you help?"
"""Free text, with a name in it: it must never come out either."""


def ticket(**changed: Any) -> Json:
    """`detail`: the ticket as it is after the change. Ids are texts."""
    return {
        "actor_id": AGENT,
        "assignee_id": AGENT,
        "brand_id": "5001",
        "created_at": "2026-01-05T08:00:00Z",
        "custom_status": "6001",
        "description": WORDS,
        "external_id": None,
        "form_id": "5501",
        "group_id": FRONT,
        "id": "35436",
        "is_public": True,
        "organization_id": None,
        "priority": "NORMAL",
        "requester_id": BUYER,
        "status": "OPEN",
        "subject": WORDS,
        "submitter_id": BUYER,
        "tags": ["kettle"],
        "type": "QUESTION",
        "updated_at": "2026-01-05T08:10:00Z",
        "via": {"channel": "web"},
        **changed,
    }


def event(name: str, told: Json | None = None, *, minute: int = 0, position: int = 1, **changed: Any) -> Json:
    """The whole payload of `ticket.<name>`; `changed` is about the ticket."""
    return {
        "account_id": 22,
        "detail": ticket(**changed),
        "event": {**(told or {}), "meta": {"sequence": {"id": "C20565CD", "position": position}}},
        "id": f"01J{name.upper().replace('_', '')}{minute:02}",
        "subject": "zen:ticket:35436",
        "time": f"2026-01-05T08:{minute:02}:45.789012345Z",
        "type": f"zen:event-type:ticket.{name}",
        "zendesk_event_version": "2022-11-06",
    }


def changed_to(name: str, current: Any, previous: Any, **more: Any) -> Json:
    return event(name, {"current": current, "previous": previous}, **more)


def comment(author: str, *, staff: bool, public: bool = True, minute: int = 0, **changed: Any) -> Json:
    """A comment was added."""
    wrote = {"id": author, "is_staff": staff, "name": NOBODY}
    said = {"id": "811001", "body": WORDS, "is_public": public, "author": wrote}
    return event("comment_added", {"comment": said}, minute=minute, **{"actor_id": author, **changed})


def status(current: str, previous: str, **more: Any) -> Json:
    return changed_to("status_changed", current, previous, status=current, **more)
