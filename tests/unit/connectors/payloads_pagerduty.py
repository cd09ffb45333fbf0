"""Builders of PagerDuty v3 webhook payloads, in the documented format, with invented content."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]
HOST = "https://quaymart.pagerduty.example"

DUTY_A, DUTY_B, SECOND_LINE = "PUA11AA", "PUB22BB", "PUC33CC"
NOBODY = "Ilse Verstraeten"
"""The name that every user of these payloads has: it must never come out."""
NOTE = "Ilse called: the till server is rebooting in a loop"
"""Free text, with a name in it: it must never come out either."""


def ref(kind: str, id: str, summary: str) -> Json:
    """A reference to a resource, as PagerDuty writes it."""
    return {
        "html_url": f"{HOST}/{kind}/{id}",
        "id": id,
        "self": f"https://api.pagerduty.example/{kind}/{id}",
        "summary": summary,
        "type": f"{kind}_reference",
    }


def user(id: str) -> Json:
    return ref("user", id, NOBODY)


def service() -> Json:
    return ref("service", "PSTILL1", "Till service")


def policy(id: str = "PEPTILL", summary: str = "Tills on call") -> Json:
    return ref("escalation_policy", id, summary)


def team(id: str = "PTTILLS", summary: str = "Store systems") -> Json:
    return ref("team", id, summary)


def incident(**changed: Any) -> Json:
    """`data` of the events about an incident itself."""
    return {
        "id": "Q1TILLDOWN",
        "type": "incident",
        "self": "https://api.pagerduty.example/incidents/Q1TILLDOWN",
        "html_url": f"{HOST}/incidents/Q1TILLDOWN",
        "number": 4711,
        "status": "triggered",
        "incident_key": "till-17/unreachable",
        "created_at": "2026-01-05T08:00:00Z",
        "title": f"Till 17 is down, ask {NOBODY}",
        "service": service(),
        "assignees": [user(DUTY_A)],
        "escalation_policy": policy(),
        "teams": [team()],
        "priority": ref("priority", "PRI1", "P1"),
        "urgency": "high",
        "conference_bridge": None,
        "resolve_reason": None,
        "incident_type": {"name": "incident_default"},
        **changed,
    }


def about_incident(kind: str, **parts: Any) -> Json:
    """`data` of the events about something beside an incident: `incident_note`, `incident_status_update`, ..."""
    reference = ref("incident", "Q1TILLDOWN", f"Till 17 is down, ask {NOBODY}")
    return {"incident": reference, "id": "PNOTE17", "type": kind, "trimmed": False, **parts}


def event(event_type: str, data: Any = None, *, minute: int = 0, agent: Any = "service", **changed: Any) -> Json:
    """The whole payload; `agent` is `service`, the id of a user, or what is sent as it is."""
    told_by = service() if agent == "service" else user(agent) if isinstance(agent, str) else agent
    return {
        "event": {
            "id": f"01E{event_type.upper().replace('.', '')}{minute:02}",
            "event_type": event_type,
            "resource_type": "incident",
            "occurred_at": f"2026-01-05T08:{minute:02}:22.169Z",
            "agent": told_by,
            "client": {"name": "PagerDuty"},
            "data": incident() if data is None else data,
            **changed,
        }
    }


def ping() -> Json:
    """What the test button sends."""
    data = {"message": "Hello from your friend Pagey!", "type": "ping"}
    return event("pagey.ping", data, agent=None, resource_type="pagey", client=None)
