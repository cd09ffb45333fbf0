"""Which work item a message is part of: a reply has to be where the question is.

By its encounter; else it is where the message is that it answers, which may have come along, or have come before; else
it belongs to what it is about; else it begins something of its own.
"""

from __future__ import annotations

from collections.abc import Iterable

from streams.gateway.connectors.fhir.case import Case
from streams.gateway.connectors.fhir.reference import Reference
from streams.gateway.connectors.fhir.resource import Resource

_MESSAGES = ("Communication/", "CommunicationRequest/")
_MAX_DEPTH = 20
_MAX_IDENTIFIERS = 5


def subject_of(message: Resource, case: Case) -> str:
    """The work item of a Communication or CommunicationRequest."""
    return _subject_of(message, case, 0)


def _subject_of(message: Resource, case: Case, depth: int) -> str:
    known = case.subjects.get(message)
    if known is None:
        known = _found_subject_of(message, case, depth)
        if depth == 0:  # deeper down the thread may have been cut short
            case.subjects[message] = known
    return known


def _found_subject_of(message: Resource, case: Case, depth: int) -> str:
    encounter = case.first_thing(message, "encounter")
    if encounter:
        return encounter
    for earlier in _answered(message):
        found = _subject_of_earlier(earlier, message, case, depth)
        if found:
            return found
    return case.first_thing(message, "inResponseTo", "basedOn", "partOf", "about") or message.key


def message_id_of(earlier: Reference, message: Resource, case: Case) -> str:
    """The id of a message that another one answers; empty if it is no message, or cannot be told from others."""
    key = case.thing(earlier, message)
    if not key.startswith(_MESSAGES):
        return ""
    return _remembered(key, "message_id", case) or key


def remember_thread(message: Resource, subject: str, case: Case) -> None:
    """So that what answers it later is put where it is. What begins something of its own is found without that."""
    if subject != message.key:
        case.keep(message.key, {"subject": subject})
    for identifier in message.identifiers[:_MAX_IDENTIFIERS]:
        key = f"{message.type}/{identifier.name}"
        if key != message.key:
            case.keep(key, {"subject": subject, "message_id": message.key})


def _answered(message: Resource) -> Iterable[Reference]:
    return (*message.references("inResponseTo"), *message.references("basedOn"))


def _subject_of_earlier(earlier: Reference, message: Resource, case: Case, depth: int) -> str:
    key = case.thing(earlier, message)
    if not key.startswith(_MESSAGES):
        return ""
    found = case.directory.find(earlier, message)
    if found is not None and found.container is not None:
        return case.first_thing(found, "encounter") or _remembered(key, "subject", case)
    if found is not None and depth < _MAX_DEPTH:
        return _subject_of(found, case, depth + 1)
    return _remembered(key, "subject", case)


def _remembered(key: str, name: str, case: Case) -> str:
    found = (case.last(key) or {}).get(name)
    return found if isinstance(found, str) else ""
