"""CommunicationRequest: somebody asks somebody to tell something, and waits until it is told.

The one who is asked is the one who knows: `sender`, in R5 `informationProvider`. The `recipient` is who shall be told:
the Communication goes there later, not this.
"""

from __future__ import annotations

from streams.gateway.connectors.fhir.case import Case, Told
from streams.gateway.connectors.fhir.communication import MAX_ADDRESSEES, text_of
from streams.gateway.connectors.fhir.resource import Resource, required_key
from streams.gateway.connectors.fhir.telling import Telling
from streams.gateway.connectors.fhir.thread import remember_thread, subject_of

_NO_REQUEST = frozenset({"proposal", "plan", "option"})
_ASKED = frozenset({"active", "completed"})
_NOT_ASKED = frozenset({"draft", "on-hold", "revoked", "entered-in-error"})


def read_communication_request(request: Resource, case: Case) -> Told:
    """What a CommunicationRequest says: every version the same.

    Raises: InvalidEvent: missing_field (no id), bad_time, invalid_value.
    """
    key, status = required_key(request), request.code("status")
    if request.code("intent") in _NO_REQUEST or request.json.value("doNotPerform") is True or status in _NOT_ASKED:
        return Told(unused=("not_asked",))
    if status not in _ASKED:
        return Told(unused=("status",))
    asked_at = request.instant("authoredOn")
    if asked_at is None:
        return Told(unused=("no_time",))
    requester = request.reference("requester")
    role = case.parties.role(requester, request, asked_at)
    asked = (*request.references("informationProvider"), *request.references("sender"))
    to_roles = sorted({case.parties.role(each, request, asked_at) for each in asked} - {""})[:MAX_ADDRESSEES]
    if not role or not to_roles:
        return Told(unused=("no_role",))
    telling = Telling(key, subject_of(request, case))
    remember_thread(request, telling.subject, case)
    telling.tell(
        "communication.sent",
        asked_at,
        case.parties.acting(requester, request),
        text_of(request),
        message_id=key,
        role=role,
        to_roles=to_roles,
        intent="request",
        expects_reply=True,
        reply_due_at=request.instant("occurrenceDateTime") or request.period("occurrencePeriod").end,
    )
    return Told(tuple(telling.drafts))
