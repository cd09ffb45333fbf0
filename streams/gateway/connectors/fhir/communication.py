"""Communication: a message that was sent, from whom to whom, and what it answers."""

from __future__ import annotations

from schemas.vocabulary import MessageIntent
from streams.gateway.connectors.fhir.case import Case, Told
from streams.gateway.connectors.fhir.resource import Resource, required_key
from streams.gateway.connectors.fhir.telling import Telling
from streams.gateway.connectors.fhir.thread import message_id_of, remember_thread, subject_of

MAX_ADDRESSEES = 32
MAX_TEXT_CHARS = 100_000
_NOT_SENT = frozenset({"preparation", "not-done", "entered-in-error", "stopped", "on-hold"})
_SENT = frozenset({"in-progress", "completed", "unknown"})


def read_communication(message: Resource, case: Case) -> Told:
    """What a Communication says: every version the same.

    Raises: InvalidEvent: missing_field (no id), bad_time, invalid_value.
    """
    key, status = required_key(message), message.code("status")
    if status not in _SENT:
        return Told(unused=("not_sent" if status in _NOT_SENT else "status",))
    sent_at = message.instant("sent") or message.instant("received")
    if sent_at is None:
        return Told(unused=("no_time",))
    sender = message.reference("sender")
    role = case.parties.role(sender, message, sent_at)
    found = {case.parties.role(each, message, sent_at) for each in message.references("recipient")}
    to_roles = sorted(found - {""})[:MAX_ADDRESSEES]
    if not role or not to_roles:
        return Told(unused=("no_role",))
    in_reply_to = _answered(message, case)
    telling = Telling(key, subject_of(message, case))
    remember_thread(message, telling.subject, case)
    telling.tell(
        "communication.sent",
        sent_at,
        case.parties.acting(sender, message),
        text_of(message),
        message_id=key,
        role=role,
        to_roles=to_roles,
        in_reply_to=in_reply_to or None,
        intent=intent_of(message, case) or ("answer" if in_reply_to else None),
        expects_reply=True if expects_reply(message, case) else None,
    )
    return Told(tuple(telling.drafts))


def text_of(message: Resource) -> str:
    """What was written, for the policy's word rules; attachments are not opened."""
    texts = (
        text
        for part in message.parts("payload")
        for text in (part.value("contentString"), part.value("contentCodeableConcept.text"))
    )
    return "\n".join(text for text in texts if isinstance(text, str))[:MAX_TEXT_CHARS]


def intent_of(message: Resource, case: Case) -> MessageIntent | None:
    """By the settings' map of categories."""
    intents = case.options.message_intents
    names = (name for coding in message.codings("category") for name in coding.names)
    return next((intents[name] for name in names if name in intents), None)


def expects_reply(message: Resource, case: Case) -> bool:
    """Whether the settings say that messages of its category wait for a reply."""
    names = {name for coding in message.codings("category") for name in coding.names}
    return bool(names & case.options.expects_reply)


def _answered(message: Resource, case: Case) -> str:
    """The message that this one answers, or the CommunicationRequest that it fulfils; empty if neither."""
    before = (message_id_of(each, message, case) for each in message.references("inResponseTo"))
    requests = (message_id_of(each, message, case) for each in message.references("basedOn"))
    asked = (key for key in requests if key.startswith("CommunicationRequest/"))
    return next(filter(None, (*before, *asked)), "")
