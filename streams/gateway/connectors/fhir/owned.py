"""What is remembered of a resource that is a work item of its own, and what its status means for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from streams.gateway.connectors.fhir.telling import Telling

_MAX_TOLD = 50


@dataclass(slots=True)
class OwnedState:
    """A work item as it was last told.

    Attributes:
        order: of the version.
        role: who was last told to be responsible.
        told: which changes of that were told, as `time role`; the last of them.
    """

    order: str = ""
    status: str = ""
    role: str = ""
    told: tuple[str, ...] = ()

    def snapshot(self) -> Mapping[str, object]:
        told = {"told": list(self.told[-_MAX_TOLD:])} if self.told else {}
        return {"order": self.order, "status": self.status, "role": self.role, **told}


def owned_state(snapshot: Mapping[str, object] | None) -> OwnedState | None:
    """The state in a snapshot; None if there is none, or one of another shape."""
    if snapshot is None:
        return None
    order, status, role = (snapshot.get(name) for name in ("order", "status", "role"))
    if not (isinstance(order, str) and isinstance(status, str) and isinstance(role, str)):
        return None
    told = snapshot.get("told")
    texts = (each for each in told if isinstance(each, str)) if isinstance(told, list) else ()
    return OwnedState(order, status, role, tuple(texts))


@dataclass(frozen=True, slots=True)
class Course:
    """Which statuses of a kind of resource mean what for its work item.

    Attributes:
        paused: status → reason of the pause, as a policy may list it.
    """

    open: frozenset[str]
    paused: Mapping[str, str]
    ended: frozenset[str]

    def knows(self, status: str) -> bool:
        return status in self.open or status in self.paused or status in self.ended

    def tell(self, telling: Telling, before: str, now: str, at: datetime, role: str) -> None:
        """What going from one status to another means: paused, resumed, reopened; closing is told by who knows when."""
        if before in self.ended and now not in self.ended:
            telling.tell("work_item.reopened", at)
        if now in self.paused and before not in self.paused:
            telling.tell("work_item.paused", at, role=role or None, reason=self.paused[now])
        elif before in self.paused and now in self.open:
            telling.tell("work_item.resumed", at)
