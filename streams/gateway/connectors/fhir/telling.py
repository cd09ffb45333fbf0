"""Drafts with ids made of their content: whatever a resource says again, in whichever version, is the same event."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256

from streams.gateway.edge.draft import Acting, Draft

_DIGITS = 12
_ORDER = (
    "work_item.opened",
    "work_item.reopened",
    "work_item.resumed",
    "handoff.withdrawn",
    "handoff.offered",
    "work_item.assigned",
    "handoff.accepted",
    "communication.sent",
    "work_item.worked",
    "handoff.declined",
    "handoff.returned",
    "work_item.paused",
    "work_item.closed",
)
"""Of events at one instant."""


class Telling:
    """What one resource says, about one work item.

    The id of a draft is the resource, the verb and a digest of what is said, without the actor. So two drafts with one
    id say the same, whatever was known before they were told; the actor is left out because a digest of few possible
    names would tell the name.
    """

    def __init__(self, key: str, subject: str) -> None:
        self.key, self.subject = key, subject
        self.drafts: list[Draft] = []

    def tell(self, verb: str, at: datetime, actor: Acting | None = None, text: str = "", **data: object) -> None:
        """Add an event. What is None in `data` is left out; times in it are aware."""
        said = {name: _json(value) for name, value in data.items() if value is not None}
        self.drafts.append(
            Draft(
                type=f"tieline.{verb}.v1",
                id=f"{self.key}/{verb}/{self._digest(verb, at, said, actor is not None)}",
                time=at,
                subject=self.subject,
                data=said,
                actor=actor,
                sequence=_ORDER.index(verb),
                text=text,
            )
        )

    def _digest(self, verb: str, at: datetime, said: Mapping[str, object], acted: bool) -> str:
        content = json.dumps([verb, at.isoformat(), self.subject, said, acted], sort_keys=True)
        return sha256(content.encode()).hexdigest()[:_DIGITS]


def _json(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value
