"""Builders of what a ServiceNow business rule posts about an incident, with invented content."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

SYS_ID = "9d385017c611228701d22104cc95c371"
DESK, NETWORK = "d625dccec0a8016700a222a0f7900d06", "287ebd7da9fe198100f92cc8d1d2154e"
GROUP_NAMES = {DESK: "Service Desk", NETWORK: "Network"}
BEA, CEM = "46d44a23a9fe19810012d100cca80666", "46c1293aa9fe1981000dc753e75ebeee"
NOBODY = "Cem Aldemir"
"""The name that every person of these payloads has: it must never come out."""
NOTE = "Cem Aldemir says the switch in hall 4 is dead"
"""Free text, with a name in it: it must never come out either."""


def reference(table: str, sys_id: str, name: str) -> Json:
    """A reference field as the Table API writes it with `sysparm_display_value=all`."""
    link = f"https://quaymart.service-now.example/api/now/table/{table}/{sys_id}"
    return {"display_value": name, "link": link, "value": sys_id}


def group(sys_id: str) -> Json:
    return reference("sys_user_group", sys_id, GROUP_NAMES[sys_id])


def record(mod: int = 0, **changed: Any) -> Json:
    """The record of an incident after `mod` changes; a minute passes between changes."""
    return {
        "sys_id": SYS_ID,
        "number": "INC0010042",
        "state": "1",
        "hold_reason": "",
        "assignment_group": group(DESK),
        "assigned_to": "",
        "caller_id": reference("sys_user", CEM, NOBODY),
        "short_description": NOTE,
        "priority": "3",
        "urgency": "2",
        "reassignment_count": "0",
        "reopen_count": "0",
        "sys_created_on": "2026-01-05 08:00:00",
        "sys_updated_on": f"2026-01-05 08:{mod:02}:00",
        "sys_updated_by": "bea.jonker",
        "sys_mod_count": str(mod),
        "work_notes": "",
        "comments": "",
        **changed,
    }


def person(sys_id: str) -> Json:
    return reference("sys_user", sys_id, NOBODY)


def inserted(**changed: Any) -> Json:
    return {"operation": "insert", "current": record(**changed), "previous": None}


def updated(mod: int, before: Json | None = None, *, actor: Any = None, **after: Any) -> Json:
    """One update; `before` are the values it replaced, the other values are those of `record`."""
    payload: Json = {
        "operation": "update",
        "current": record(mod, **{**(before or {}), **after}),
        "previous": record(mod - 1, **(before or {})),
    }
    return payload | ({"actor": actor} if actor is not None else {})
