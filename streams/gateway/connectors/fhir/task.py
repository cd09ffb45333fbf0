"""Task: somebody asks for something to be done, and whoever owns it says yes or no, does it or does not.

Requester → owner is a handoff. A Task comes as it is now, not as what changed: what is told is the difference from the
version before, and what a single version says by itself (docs/connectors/fhir.md#task).
"""

from __future__ import annotations

from datetime import datetime

from schemas.vocabulary import HandoffIntent
from streams.gateway.connectors.fhir.case import Case, Told
from streams.gateway.connectors.fhir.resource import Resource, required_key
from streams.gateway.connectors.fhir.task_sides import TaskSides
from streams.gateway.connectors.fhir.task_state import MAX_OFFERS, TaskState, state_of
from streams.gateway.connectors.fhir.telling import Telling
from streams.gateway.connectors.fhir.version import Version, version_of

_NO_REQUEST = frozenset({"proposal", "plan", "option"})
_ASKED = frozenset({"requested", "received"})
_DONE = frozenset({"completed", "failed"})
_CALLED_OFF = frozenset({"cancelled", "entered-in-error"})
_TAKEN_ON = frozenset({"accepted", "in-progress"}) | _DONE
_WORKED = frozenset({"in-progress"}) | _DONE
_ENDED = _DONE | _CALLED_OFF | {"rejected"}
_STATUSES = _ASKED | _TAKEN_ON | _ENDED | {"ready", "on-hold"}


def read_task(task: Resource, case: Case) -> Told:
    """What a version of a Task says.

    Raises: InvalidEvent: missing_field (no id), bad_time, invalid_value.
    """
    key, status = required_key(task), task.code("status")
    if task.code("intent") in _NO_REQUEST or task.json.value("doNotPerform") is True:
        return Told(unused=("not_asked",))
    if status == "draft" or (status == "entered-in-error" and case.last(key) is None):
        _remember(task, key, status, case)
        return Told(unused=(status.replace("-", "_"),))
    if status not in _STATUSES:
        return Told(unused=("status",))
    changed_at = task.instant("lastModified") or task.updated_at or task.instant("authoredOn")
    if changed_at is None:
        return Told(unused=("no_time",))
    return _TaskReading(task, key, status, changed_at, case).told()


def _remember(task: Resource, key: str, status: str, case: Case) -> None:
    """A version that tells nothing, so that an older one that comes later does not, either."""
    version = version_of(task)
    before = state_of(case.last(key))
    if before is None or not version.older_than(before.order):
        owned = bool(task.references("owner"))
        case.keep(key, TaskState(version.order, status, owned=owned).snapshot())


class _TaskReading:
    """One version of a Task against the one before."""

    def __init__(self, task: Resource, key: str, status: str, changed_at: datetime, case: Case) -> None:
        self.task, self.key, self.status, self.changed_at, self.case = task, key, status, changed_at, case
        self.version: Version = version_of(task)
        self.before = state_of(case.last(key))
        self.telling = Telling(key, self._work_item() or key)
        self.own = self.telling.subject == key
        self.sides = TaskSides(task, changed_at, case)
        self.from_role, self.to_role = self.sides.from_role, self.sides.to_role

    def told(self) -> Told:
        if self.before is not None and self.version.older_than(self.before.order):
            self._tell_late_answer(self.before)
            return Told(tuple(self.telling.drafts), ("stale",))
        now = self._next_state()
        if self.own:
            self._tell_begin()
        if self.case.options.tasks == "assignments":
            self._tell_assignment(now)
        else:
            self._tell_owner(now)
            self._tell_answer(now)
        self._tell_work(now)
        if self.own:
            self._tell_end()
        self.case.keep(self.key, now.snapshot())
        return Told(tuple(self.telling.drafts), self._unused(now))

    def _unused(self, now: TaskState) -> tuple[str, ...]:
        known = now.to_role and (self.from_role or self.case.options.tasks == "assignments" or now.answer == "given")
        if not known and self.status not in _CALLED_OFF:
            return ("no_role",)
        return () if self.telling.drafts else ("unchanged",)

    def _next_state(self) -> TaskState:
        before = self.before or TaskState()
        return TaskState(
            self.version.order,
            self.status,
            before.to_role,
            before.offered_at,
            before.answer,
            self.sides.owned,
            dict(before.offers),
        )

    def _work_item(self) -> str:
        """The first of what the options name that the Task has; empty: the Task itself."""
        for choice in self.case.options.work_item:
            if choice == "task":
                return self.key
            if choice == "group":
                found = self.case.group(self.task)
            else:
                found = self.case.first_thing(self.task, _PATHS[choice])
            if found:
                return found
        return ""

    # Who has it.

    def _tell_owner(self, now: TaskState) -> None:
        """An offer to a new owner, after the one to the owner before was withdrawn."""
        before = self.before or TaskState()
        to_nobody = not self.to_role and not self.sides.owned
        moved = bool(before.to_role) and (to_nobody or (self.to_role not in ("", before.to_role)))
        if moved:
            if before.answer in ("", "accepted") and before.status not in _ENDED and self.from_role:
                self._tell_withdrawn(before.to_role, before.offers.get(before.to_role, 1))
            now.to_role, now.answer, now.offered_at = "", "", None
        if not self.to_role:
            return
        if now.to_role and not self._asked_again(before.status):
            return
        if self.status == "ready" or before.answer == "given" or self.sides.asked_itself():
            self._tell_given(now)
        elif self.status != "entered-in-error":  # of something that should not be there nothing new is told
            self._tell_offer(now)

    def _asked_again(self, before: str) -> bool:
        if before in _DONE:
            return self.status in _ASKED
        return before in _ENDED and self.status not in _ENDED

    def _tell_offer(self, now: TaskState) -> None:
        times = now.offers.get(self.to_role, 0) + 1
        if not self.from_role or (times == 1 and len(now.offers) >= MAX_OFFERS):
            return
        now.offers[self.to_role] = times
        now.to_role, now.answer, now.offered_at = self.to_role, "", self._owned_since()
        self.telling.tell(
            "handoff.offered",
            now.offered_at,
            self.sides.asker(),
            handoff_id=self._handoff_id(self.to_role, times),
            from_role=self.from_role,
            to_role=self.to_role,
            intent=self._intent(),
            urgency=self.task.code("priority") or None,
            due_at=self.task.period("restriction.period").end or self.task.period("requestedPeriod").end,
        )

    def _tell_given(self, now: TaskState) -> None:
        """Nobody was asked: `ready` says that doing it is a given. Of a work item that it is only a part of, a Task
        does not say who is responsible."""
        now.to_role, now.answer, now.offered_at = self.to_role, "given", self._owned_since()
        if self.own or self.case.options.tasks == "assignments":
            self.telling.tell("work_item.assigned", now.offered_at, role=self.to_role)

    def _tell_assignment(self, now: TaskState) -> None:
        before = self.before or TaskState()
        if self.to_role and self.to_role != before.to_role and self.status not in _CALLED_OFF:
            self._tell_given(now)

    def _owned_since(self) -> datetime:
        """When the owner of now became it: since the Task is there, as far as is known, else since this version."""
        before = self.before
        as_ever = before is None or (not before.to_role and before.owned and before.status != "draft")
        created_at = self.task.instant("authoredOn")
        return min(created_at, self.changed_at) if as_ever and created_at else self.changed_at

    def _handoff_id(self, role: str, times: int) -> str:
        return f"{self.key}/{role}" if times == 1 else f"{self.key}/{role}/{times}"

    def _intent(self) -> HandoffIntent:
        """What codes say; else responsibility for an encounter stays where it is when one of its tasks is asked for."""
        names = {name for coding in self.task.codings("code") for name in coding.names}
        if names & self.case.options.transfer_codes:
            return "transfer"
        if names & self.case.options.consult_codes:
            return "consult"
        return "transfer" if self.own else "consult"

    def _tell_withdrawn(self, to_role: str, times: int) -> None:
        self.telling.tell(
            "handoff.withdrawn",
            self.changed_at,
            handoff_id=self._handoff_id(to_role, times),
            role=self.from_role,
        )

    # What the owner says and does.

    def _tell_answer(self, now: TaskState) -> None:
        if not now.to_role or now.answer == "given":
            return
        handoff_id = self._handoff_id(now.to_role, now.offers.get(now.to_role, 1))
        if self.status in _TAKEN_ON and now.answer != "accepted":
            now.answer = "accepted"
            at = self._begun_at(now.offered_at)
            self.telling.tell(
                "handoff.accepted", at, self.sides.doer(now.to_role), handoff_id=handoff_id, role=now.to_role
            )
        elif self.status == "rejected" and now.answer != "declined":
            verb = "handoff.returned" if now.answer == "accepted" else "handoff.declined"
            now.answer = "declined"
            self._tell_refusal(verb, handoff_id, now.to_role)
        elif self.status in _CALLED_OFF and self._before_status() not in _ENDED and self.from_role:
            self._tell_withdrawn(now.to_role, now.offers.get(now.to_role, 1))

    def _tell_refusal(self, verb: str, handoff_id: str, role: str) -> None:
        names = tuple(name for coding in self.task.codings("statusReason") for name in coding.names)
        reason = self.case.options.reason(names)
        actor = self.sides.doer(role)
        self.telling.tell(verb, self.changed_at, actor, handoff_id=handoff_id, role=role, reason=reason)

    def _tell_late_answer(self, newer: TaskState) -> None:
        """What an older version says by itself, when a newer one was there before: an answer stays an answer."""
        role = self.to_role
        if not role or newer.offers.get(role) != 1 or self.case.options.tasks == "assignments":
            return
        handoff_id = self._handoff_id(role, 1)
        if self.status in ("accepted", "in-progress"):
            at = self._begun_at(None)
            self.telling.tell("handoff.accepted", at, self.sides.doer(role), handoff_id=handoff_id, role=role)
        elif self.status == "rejected":
            self._tell_refusal("handoff.declined", handoff_id, role)

    def _tell_work(self, now: TaskState) -> None:
        if not self.to_role or self.status not in _WORKED or self._before_status() in _DONE:
            return
        role, doer = self.sides.worker()
        started_at = self._begun_at(now.offered_at)
        if self._before_status() != "in-progress" and (self.status == "in-progress" or started_at != self.changed_at):
            self.telling.tell("work_item.worked", started_at, doer, role=role)
        if self.status in _DONE:
            self.telling.tell("work_item.worked", self._ended_at(now.offered_at), doer, role=role)

    def _begun_at(self, offered_at: datetime | None) -> datetime:
        """When somebody took it on: when execution began, if that is told and fits, else with this version."""
        if self.status == "accepted":
            return self.changed_at
        period = self.task.period("executionPeriod")
        found = period.start or (period.end if self.status in _DONE else None)
        return found if found and self._fits(found, offered_at) else self.changed_at

    def _ended_at(self, offered_at: datetime | None) -> datetime:
        found = self.task.period("executionPeriod").end
        return found if found and self._fits(found, offered_at) else self.changed_at

    def _fits(self, at: datetime, offered_at: datetime | None) -> bool:
        return at <= self.changed_at and (offered_at is None or offered_at <= at)

    # The Task as a work item of its own.

    def _before_status(self) -> str:
        return self.before.status if self.before else ""

    def _tell_begin(self) -> None:
        before = self._before_status()
        if not before or before == "draft":
            created_at = self.task.instant("authoredOn") if not before else None
            opened_at = min(created_at, self.changed_at) if created_at else self.changed_at
            self.telling.tell("work_item.opened", opened_at, role=self.from_role or None)
        elif before in _ENDED - {"rejected"} and self.status not in _ENDED:
            self.telling.tell("work_item.reopened", self.changed_at)
        elif before == "on-hold" and self.status not in _ENDED | {"on-hold"}:
            self.telling.tell("work_item.resumed", self.changed_at)

    def _tell_end(self) -> None:
        before = self._before_status()
        if self.status == "on-hold" and before != "on-hold":
            codes = self.task.codings("statusReason")
            reason = codes[0].code if codes else "on-hold"
            self.telling.tell("work_item.paused", self.changed_at, role=self.to_role or None, reason=reason)
        elif self.status in _DONE | _CALLED_OFF and before not in _DONE | _CALLED_OFF:
            at = self._ended_at(None) if self.status in _DONE else self.changed_at
            self.telling.tell("work_item.closed", at, role=self.to_role or None)


_PATHS = {"encounter": "encounter", "focus": "focus", "based_on": "basedOn", "part_of": "partOf"}
