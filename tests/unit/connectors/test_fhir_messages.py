"""Communication and CommunicationRequest: who told or asked whom, and what answers what."""

from __future__ import annotations

import pytest

from tests.unit.connectors.context import InMemorySnapshots
from tests.unit.connectors.payloads_fhir import (
    Json,
    at,
    bundle,
    communication,
    communication_request,
    communication_request_r5,
    concept,
    drafts,
    only,
    read,
    reader,
    ref,
    told,
)

SENT = "communication.sent"


def test_communication_is_a_message_of_its_sender() -> None:
    sent = only(communication(), SENT)
    assert sent.subject == "Encounter/e1"
    assert sent.data == {"message_id": "Communication/c1", "role": "emergency", "to_roles": ["ward"]}
    assert sent.actor is not None
    assert sent.actor.name == "Practitioner/anna"


def test_message_has_every_recipient_of_known_role_once() -> None:
    to = [ref("Organization/ward"), ref("Practitioner/ben"), ref("Practitioner/nobody"), ref("CareTeam/stroke")]
    assert only(communication(recipient=to), SENT).data["to_roles"] == ["stroke team", "ward"]


def test_patient_takes_part_only_where_the_policy_says_so() -> None:
    to_patient = communication(recipient=[ref("Patient/p1")])
    assert only(to_patient, SENT).data["to_roles"] == ["patient"]
    assert read(to_patient, reader(roles={})).unused == ("no_role",)


@pytest.mark.parametrize("more", [{"sender": None}, {"recipient": None}, {"recipient": [{"display": "Dr Who"}]}])
def test_message_without_both_roles_is_not_told(more: Json) -> None:
    assert read(communication(**more)).unused == ("no_role",)


@pytest.mark.parametrize("status", ["preparation", "not-done", "entered-in-error", "stopped", "on-hold"])
def test_message_that_was_not_sent_is_not_told(status: str) -> None:
    assert read(communication(status=status)).unused == ("not_sent",)


def test_message_was_received_at_least_when_nobody_says_when_it_was_sent() -> None:
    assert told(communication(sent=None, received=at("08:01"))) == [(SENT, "08:01")]
    assert read(communication(sent=None)).unused == ("no_time",)


def test_reply_answers_what_it_is_in_response_to() -> None:
    reply = communication(id="c2", inResponseTo=[ref("Communication/c1")])
    sent = only(reply, SENT)
    assert (sent.data["in_reply_to"], sent.data["intent"]) == ("Communication/c1", "answer")


def test_message_says_the_same_in_every_version() -> None:
    first = drafts(communication(status="in-progress", meta={"versionId": "1"}))
    second = drafts(communication(received=at("08:05"), meta={"versionId": "2"}))
    assert first == second


def test_text_goes_to_the_word_rules_and_nowhere_else() -> None:
    for part in ({"contentString": "Who has the chart?"}, {"contentCodeableConcept": {"text": "Who has the chart?"}}):
        sent = only(communication(payload=[part, {"contentReference": ref("Observation/o")}]), SENT)
        assert sent.text == "Who has the chart?"
        assert "intent" not in sent.data
        assert "expects_reply" not in sent.data
        assert "chart" not in repr(sent)


def test_category_says_what_a_message_is_meant_as() -> None:
    assert only(communication(category=[concept("alert")]), SENT).data["intent"] == "inform"
    known = reader(options={"message_intents": {"http://codes.example|ask": "question"}, "expects_reply": ["ask"]})
    asked = only(communication(category=[concept("ask")]), SENT, known)
    assert (asked.data["intent"], asked.data["expects_reply"]) == ("question", True)


@pytest.mark.parametrize("request_", [communication_request(), communication_request_r5()], ids=["R4", "R5"])
def test_request_is_a_message_to_the_one_who_knows(request_: Json) -> None:
    asked = only(request_, SENT)
    assert asked.data == {
        "message_id": "CommunicationRequest/q1",
        "role": "ward",
        "to_roles": ["laboratory"],
        "intent": "request",
        "expects_reply": True,
        "reply_due_at": "2026-03-02T10:00:00+00:00",
    }


def test_communication_answers_the_request_that_it_is_based_on() -> None:
    answer = communication(id="c2", sender=ref("Organization/lab"), basedOn=[ref("CommunicationRequest/q1")])
    assert only(answer, SENT).data["in_reply_to"] == "CommunicationRequest/q1"


def test_care_plan_is_no_question() -> None:
    assert "in_reply_to" not in only(communication(basedOn=[ref("CarePlan/p")]), SENT).data


@pytest.mark.parametrize(
    "more", [{"status": "revoked"}, {"status": "draft"}, {"doNotPerform": True}, {"intent": "plan"}]
)
def test_nobody_is_asked_by_what_is_no_request(more: Json) -> None:
    assert read(communication_request(**more)).unused == ("not_asked",)


@pytest.mark.parametrize("missing", ["requester", "sender"])
def test_request_that_says_not_who_asks_or_who_knows_is_not_told(missing: str) -> None:
    assert read(communication_request(**{missing: None})).unused == ("no_role",)


def _thread(*ids: str) -> list[Json]:
    """Messages without an encounter, each in response to the one before."""
    pairs = zip([None, *ids], ids, strict=False)
    return [
        communication(id=id_, encounter=None, inResponseTo=[ref(f"Communication/{before}")] if before else None)
        for before, id_ in pairs
    ]


def test_thread_is_one_work_item_however_long_it_is() -> None:
    known = reader(snapshots=InMemorySnapshots())
    subjects = [only(message, SENT, known).subject for message in _thread("c1", "c2", "c3", "c4")]
    assert set(subjects) == {"Communication/c1"}


def test_thread_that_comes_at_once_is_one_work_item_in_any_order() -> None:
    found = read(bundle(*reversed(_thread("c1", "c2", "c3", "c4")))).drafts
    assert {draft.subject for draft in found} == {"Communication/c1"}


def test_reply_without_an_encounter_is_where_the_message_was() -> None:
    known = reader(snapshots=InMemorySnapshots())
    read(communication(), known)
    reply = communication(id="c2", encounter=None, inResponseTo=[ref("Communication/c1")])
    assert only(reply, SENT, known).subject == "Encounter/e1"


def test_answer_finds_the_request_by_its_identifier() -> None:
    known = reader(snapshots=InMemorySnapshots())
    read(communication_request(identifier=[{"system": "http://x", "value": "ABC123"}]), known)
    answer = communication(
        encounter=None,
        basedOn=[ref("#request")],
        contained=[
            {
                "resourceType": "CommunicationRequest",
                "id": "request",
                "status": "completed",
                "identifier": [{"system": "http://x", "value": "ABC123"}],
            }
        ],
    )
    sent = only(answer, SENT, known)
    assert (sent.subject, sent.data["in_reply_to"]) == ("Encounter/e1", "CommunicationRequest/q1")


def test_message_in_response_to_itself_is_read_in_bounded_time() -> None:
    loop = [
        communication(id="c1", encounter=None, inResponseTo=[ref("Communication/c2")]),
        communication(id="c2", encounter=None, inResponseTo=[ref("Communication/c1")]),
    ]
    assert len(read(bundle(*loop)).drafts) == 2


def test_what_a_message_is_about_is_its_work_item_unless_it_is_a_person() -> None:
    about = communication(encounter=None, about=[ref("Patient/p1"), ref("Observation/o1")])
    assert only(about, SENT).subject == "Observation/o1"
    assert only(communication(encounter=None, about=[ref("Patient/p1")]), SENT).subject == "Communication/c1"
