"""ServiceRequest: an order. It says who asked and who is to do it; whether that one said yes, it does not say."""

from __future__ import annotations

from datetime import datetime

from streams.gateway.connectors.fhir.case import Case, Told
from streams.gateway.connectors.fhir.owned import Course, OwnedState, owned_state
from streams.gateway.connectors.fhir.resource import Resource, required_key
from streams.gateway.connectors.fhir.telling import Telling
from streams.gateway.connectors.fhir.version import version_of

_NO_REQUEST = frozenset({"proposal", "plan", "option"})
_COURSE = Course(
    open=frozenset({"active"}),
    paused={"on-hold": "on-hold"},
    ended=frozenset({"completed", "revoked", "entered-in-error"}),
)


def read_service_request(request: Resource, case: Case) -> Told:
    """What a version of a ServiceRequest says: the order is a work item, and its performer the owner.

    Raises: InvalidEvent: missing_field (no id), bad_time, invalid_value.
    """
    key, status = required_key(request), request.code("status")
    if request.code("intent") in _NO_REQUEST or request.json.value("doNotPerform") is True or status == "draft":
        return Told(unused=("not_asked",))
    if not _COURSE.knows(status):
        return Told(unused=("status",))
    before, version = owned_state(case.last(key)), version_of(request)
    if before is not None and version.older_than(before.order):
        return Told(unused=("stale",))
    if before is None and status == "entered-in-error":
        case.keep(key, OwnedState(version.order, status).snapshot())
        return Told(unused=("entered_in_error",))
    updated_at = request.updated_at
    opened_at = min(filter(None, (request.instant("authoredOn"), updated_at)), default=None)
    changed_at = updated_at if before else opened_at
    if changed_at is None:
        return Told(unused=("no_time",))
    telling, role = Telling(key, key), _performer(request, case, changed_at)
    if before is None:
        _tell_opened(telling, request, case, changed_at)
    known = before or OwnedState()
    if role and role != known.role:
        telling.tell("work_item.assigned", changed_at, role=role)
    role = role or known.role
    if updated_at is not None:
        _COURSE.tell(telling, known.status, status, updated_at, role)
        if status in _COURSE.ended and known.status not in _COURSE.ended:
            telling.tell("work_item.closed", updated_at, role=role or None)
    case.keep(key, OwnedState(version.order, status, role).snapshot())
    return Told(tuple(telling.drafts), ("no_role",) if not role else () if telling.drafts else ("unchanged",))


def _tell_opened(telling: Telling, request: Resource, case: Case, at: datetime) -> None:
    requester = request.reference("requester")
    role = case.parties.role(requester, request, at)
    telling.tell("work_item.opened", at, case.parties.acting(requester, request), role=role or None)


def _performer(request: Resource, case: Case, at: datetime) -> str:
    """The role that is to do it: of the performers, if that is one, else by `performerType`."""
    roles = {role for each in request.references("performer") if (role := case.parties.role(each, request, at))}
    if roles:
        return roles.pop() if len(roles) == 1 else ""
    return case.parties.coded(request.codings("performerType"))
