"""The two sides of a Task: who asks whom, and who it was that did something about it."""

from __future__ import annotations

from datetime import datetime

from streams.gateway.connectors.fhir.case import Case
from streams.gateway.connectors.fhir.elements import parts, reference
from streams.gateway.connectors.fhir.reference import Reference
from streams.gateway.connectors.fhir.resource import Resource
from streams.gateway.connectors.reading_json import JsonObject
from streams.gateway.edge.draft import Acting


class TaskSides:
    """Roles and people of one version of a Task.

    Attributes:
        from_role: the requester's; empty if it is not known.
        to_role: the owner's; before somebody owns it, the role that is asked to.
        owned: there is an owner, of whatever role.
    """

    def __init__(self, task: Resource, changed_at: datetime, case: Case) -> None:
        self._task, self._changed_at, self._case, self._parties = task, changed_at, case, case.parties
        self._requester, self._owner = task.reference("requester"), task.reference("owner")
        self.owned = self._owner is not None
        self.from_role = self._parties.role(self._requester, task, task.instant("authoredOn") or changed_at)
        self.to_role = self._role(self._owner) if self.owned else self._asked_role()

    def asked_itself(self) -> bool:
        """Whether requester and owner are the same: then nobody was asked."""
        if self._requester is None or self._owner is None:
            return False
        key = self._case.directory.key(self._requester, self._task)
        return key != "" and key == self._case.directory.key(self._owner, self._task)

    def asker(self) -> Acting | None:
        return self._parties.acting(self._requester, self._task)

    def worker(self) -> tuple[str, Acting | None]:
        """Who did it, and in which role: by `performer` (R5), else the owner."""
        for performer in self._performers():
            doer = self._parties.acting(performer, self._task)
            if doer is not None:
                return self._role(performer) or self.to_role, doer
        return self.to_role, self.doer(self.to_role)

    def doer(self, role: str) -> Acting | None:
        """The person of the owning role behind this version; None if nobody says who."""
        owner = self._parties.acting(self._owner, self._task)
        if owner is not None:
            return owner
        for performer in self._performers():
            found = self._parties.acting(performer, self._task)
            if found is not None and self._role(performer) in ("", role):
                return found
        return self._signed_by(role)

    def _role(self, of: Reference | None) -> str:
        return self._parties.role(of, self._task, self._changed_at)

    def _asked_role(self) -> str:
        asked = (*self._task.references("requestedPerformer"), *self._task.references("restriction.recipient"))
        roles = {role for each in asked if (role := self._role(each))}
        if roles:
            return roles.pop() if len(roles) == 1 else ""
        return self._parties.coded(self._task.codings("performerType") or self._task.codings("requestedPerformer"))

    def _signed_by(self, role: str) -> Acting | None:
        """Who made this version, by Provenance that came along, if that was somebody of this role."""
        for record in self._case.directory.provenance_of(self._task):
            for agent in record.parts("agent"):
                who = _referred(agent, "who")
                sides = (who, _referred(agent, "onBehalfOf"))
                if any(self._parties.role(side, record, self._changed_at) == role for side in sides):
                    return self._parties.acting(who, record)
        return None

    def _performers(self) -> tuple[Reference, ...]:
        found = (reference(actor) for part in self._task.parts("performer") for actor in parts(part, "actor"))
        return tuple(filter(None, found))


def _referred(part: JsonObject, path: str) -> Reference | None:
    return next((found for each in parts(part, path) if (found := reference(each))), None)
