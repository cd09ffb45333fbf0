"""What is remembered of a Task between two of its versions: codes, times and roles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, get_args

Answer = Literal["", "accepted", "declined", "given"]
MAX_OFFERS = 100
"""To how many roles a Task was offered; a Task that went through more hands is not followed further."""


@dataclass(slots=True)
class TaskState:
    """A Task as it was last told.

    Attributes:
        order: of the version.
        to_role: whom it was offered or assigned to; empty: nobody, or somebody of unknown role.
        offered_at: when.
        answer: what the owner said to that; `given`: it was not asked.
        owned: somebody owned it, of whatever role.
        offers: how often it was offered to each role.
    """

    order: str = ""
    status: str = ""
    to_role: str = ""
    offered_at: datetime | None = None
    answer: Answer = ""
    owned: bool = False
    offers: dict[str, int] = field(default_factory=dict)

    def snapshot(self) -> Mapping[str, object]:
        return {
            "order": self.order,
            "status": self.status,
            "to_role": self.to_role,
            "offered_at": self.offered_at.isoformat() if self.offered_at else "",
            "answer": self.answer,
            "owned": self.owned,
            "offers": dict(self.offers),
        }


def state_of(snapshot: Mapping[str, object] | None) -> TaskState | None:
    """The state in a snapshot; None if there is none, or one of another shape: it is only a memory."""
    if snapshot is None:
        return None
    order, status, to_role = (snapshot.get(name) for name in ("order", "status", "to_role"))
    offered_at, answer = snapshot.get("offered_at"), snapshot.get("answer")
    offers = snapshot.get("offers")
    if not (
        isinstance(order, str) and isinstance(status, str) and isinstance(to_role, str) and isinstance(offers, dict)
    ):
        return None
    return TaskState(
        order,
        status,
        to_role,
        _time(offered_at),
        next((each for each in get_args(Answer) if each == answer), ""),
        snapshot.get("owned") is True,
        {role: times for role, times in offers.items() if isinstance(role, str) and isinstance(times, int)},
    )


def _time(value: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) and value else None
    except ValueError:
        return None
    return found if found is not None and found.tzinfo is not None else None
