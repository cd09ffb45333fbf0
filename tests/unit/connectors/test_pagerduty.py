"""Laws of the PagerDuty connector."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.errors import InvalidEvent
from streams.gateway.connectors.pagerduty import PagerDuty
from streams.gateway.edge.draft import Reading
from tests.unit.connectors import payloads_pagerduty as pd
from tests.unit.connectors.context import InMemorySnapshots, context, delivery
from tests.unit.connectors.payloads_hostile import outcome, spoilt
from tests.unit.connectors.payloads_story import handoffs

KNOWN = {"roles": {"group": {"PEPTILL": "tills", "PTNET": "network"}}, "actors": {pd.SECOND_LINE: "second-line"}}


def read(payload: pd.Json, **known: Any) -> Reading:
    return PagerDuty().read(delivery(json.dumps(payload).encode()), context(**(known or KNOWN)))


def said(payload: pd.Json, **known: Any) -> dict[str, str]:
    """Verb → role, for all that a payload says."""
    return {draft.type.split(".")[2]: str(draft.data.get("role", "")) for draft in read(payload, **known).drafts}


def test_alarm_opens_and_assigns_to_the_escalation_policy() -> None:
    assert said(pd.event("incident.triggered")) == {"opened": "", "assigned": "tills"}


def test_alarm_is_told_by_a_program_not_a_person() -> None:
    kinds = {draft.actor.kind for draft in read(pd.event("incident.triggered")).drafts if draft.actor}
    assert kinds == {"system"}


def test_person_who_acknowledges_has_worked_for_the_owner() -> None:
    told = said(pd.event("incident.acknowledged", agent=pd.DUTY_A))
    assert told == {"assigned": "tills", "worked": "tills"}


@pytest.mark.parametrize("agent", ["service", None, pd.ref("integration", "PINT", "Monitoring")])
def test_program_never_works(agent: Any) -> None:
    for event_type in ("incident.acknowledged", "incident.resolved", "incident.annotated"):
        data = pd.about_incident("incident_note") if event_type == "incident.annotated" else None
        found = read(pd.event(event_type, data, agent=agent))
        assert "not_human" in found.unused
        assert not [draft for draft in found.drafts if "worked" in draft.type]


def test_mapped_assignees_tell_the_owner_before_the_escalation_policy() -> None:
    called = pd.incident(assignees=[pd.user(pd.SECOND_LINE)])
    assert said(pd.event("incident.escalated", called)) == {"assigned": "second-line"}


def test_assignees_of_two_roles_tell_no_owner() -> None:
    both = pd.incident(assignees=[pd.user(pd.SECOND_LINE), pd.user(pd.DUTY_B)])
    actors = {pd.SECOND_LINE: "second-line", pd.DUTY_B: "tills"}
    assert said(pd.event("incident.reassigned", both), actors=actors) == {}


def test_reassignment_to_somebody_unknown_changes_no_owner() -> None:
    found = read(pd.event("incident.reassigned", pd.incident(assignees=[pd.user(pd.DUTY_B)]), agent=pd.DUTY_A))
    assert found == Reading(unused=("no_role",))


def test_delegation_goes_to_the_new_escalation_policy() -> None:
    moved = pd.incident(escalation_policy=pd.policy("PEPNET", "Network on call"), teams=[])
    assert said(pd.event("incident.delegated", moved)) == {"assigned": "Network on call"}


def test_mapped_team_tells_the_owner_where_the_escalation_policy_is_not_mapped() -> None:
    moved = pd.incident(escalation_policy=pd.policy("PEPNET"), teams=[pd.team("PTNET")])
    assert said(pd.event("incident.delegated", moved)) == {"assigned": "network"}


def test_name_of_the_team_is_the_owner_if_settings_say_so() -> None:
    assert said(pd.event("incident.escalated"), options={"owner": "team"}) == {"assigned": "Store systems"}


def test_incident_without_anybody_to_call_has_no_owner() -> None:
    bare = pd.incident(escalation_policy=None, teams=None, assignees=None)
    found = read(pd.event("incident.triggered", bare))
    assert [draft.type for draft in found.drafts] == ["tieline.work_item.opened.v1"]
    assert found.unused == ("no_role",)


def test_note_is_work_only_of_somebody_whose_role_is_known() -> None:
    note = pd.about_incident("incident_note", content=pd.NOTE)
    assert said(pd.event("incident.annotated", note, agent=pd.SECOND_LINE)) == {"worked": "second-line"}
    assert read(pd.event("incident.annotated", note, agent=pd.DUTY_B)).unused == ("no_role",)


def test_note_after_the_end_does_not_reopen() -> None:
    snapshots = InMemorySnapshots()
    note = pd.about_incident("incident_note", content=pd.NOTE)
    told = []
    for payload in (
        pd.event("incident.resolved", minute=5),
        pd.event("incident.annotated", note, minute=3, agent=pd.SECOND_LINE),
        pd.event("incident.annotated", note, minute=7, agent=pd.SECOND_LINE),
        pd.event("incident.reopened", minute=8),
        pd.event("incident.resolved", minute=5),
        pd.event("incident.annotated", note, minute=9, agent=pd.SECOND_LINE),
    ):
        told.append(list(said(payload, snapshots=snapshots, **KNOWN)))
    assert told[1:3] == [["worked"], ["worked", "closed"]]
    assert told[-1] == ["worked"]


def test_only_ends_and_reopenings_are_remembered() -> None:
    snapshots = InMemorySnapshots()
    for event_type in ("incident.triggered", "incident.acknowledged", "incident.escalated"):
        read(pd.event(event_type), snapshots=snapshots)
    assert snapshots.kept == {}


@pytest.mark.parametrize("agent", [{}, {"id": None, "type": "user_reference"}, {"id": " ", "type": "user_reference"}])
def test_agent_without_an_id_is_nobody(agent: pd.Json) -> None:
    found = read(pd.event("incident.acknowledged", agent=agent))
    assert [draft.actor for draft in found.drafts] == [None]
    assert found.unused == ("not_human",)


def test_resolved_by_a_person_is_work_and_the_end() -> None:
    done = pd.incident(status="resolved", assignees=[])
    assert said(pd.event("incident.resolved", done, agent=pd.DUTY_A)) == {"worked": "tills", "closed": ""}


def test_reopened_incident_has_an_owner_again() -> None:
    assert said(pd.event("incident.reopened")) == {"reopened": "", "assigned": "tills"}


@pytest.mark.parametrize(
    "event_type",
    ["incident.priority_updated", "incident.responder.added", "incident.unacknowledged", "service.updated"],
)
def test_what_says_nothing_about_ownership_is_counted_by_its_type(event_type: str) -> None:
    assert read(pd.event(event_type)) == Reading(unused=(event_type,))


def test_test_button_is_understood() -> None:
    assert read(pd.ping()) == Reading(unused=("pagey.ping",))


def test_unknown_type_is_not_repeated() -> None:
    assert read(pd.event(pd.NOBODY)) == Reading(unused=("other_event",))


def test_same_event_told_again_is_the_same() -> None:
    payload = pd.event("incident.acknowledged", agent=pd.DUTY_A)
    assert read(payload) == read(payload)
    assert [draft.id.partition(":")[0] for draft in read(payload).drafts] == [payload["event"]["id"]] * 2


@pytest.mark.parametrize("field", ["id", "event_type", "occurred_at", "data"])
def test_event_needs(field: str) -> None:
    payload = pd.event("incident.triggered")
    del payload["event"][field]
    with pytest.raises(InvalidEvent) as raised:
        read(payload)
    assert (raised.value.code, raised.value.field) == ("missing_field", f"event.{field}")


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"event": 1}', b'{"messages": []}', b"\xff", b"[" * 100_000])
def test_no_webhook_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidEvent):
        PagerDuty().read(delivery(body), context())


def test_delegation_that_is_acknowledged_is_an_accepted_handoff() -> None:
    network = pd.incident(escalation_policy=pd.policy("PEPNET"), teams=[pd.team("PTNET")])
    story = [
        pd.event("incident.triggered"),
        pd.event("incident.acknowledged", minute=2, agent=pd.DUTY_A),
        pd.event("incident.delegated", network, minute=5, agent=pd.DUTY_A),
        pd.event("incident.acknowledged", network, minute=7, agent=pd.DUTY_B),
        pd.event("incident.resolved", network, minute=9, agent=pd.DUTY_B),
    ]
    assert handoffs(PagerDuty(), story, context(**KNOWN)) == [("tills", "network", "accepted")]
    assert handoffs(PagerDuty(), story[:3], context(**KNOWN)) == [("tills", "network", "offered")]


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_spoilt_payload_gives_valid_events_or_an_error_and_no_names(data: st.DataObject) -> None:
    note = pd.about_incident("incident_note", content=pd.NOTE)
    whole = data.draw(
        st.sampled_from(
            [
                pd.event("incident.acknowledged", agent=pd.DUTY_A),
                pd.event("incident.reassigned", agent=pd.DUTY_A),
                pd.event("incident.annotated", note, agent=pd.SECOND_LINE),
            ]
        )
    )
    told = outcome(PagerDuty(), data.draw(spoilt(whole)), context(**KNOWN))
    assert pd.NOBODY not in told
    assert "Ilse" not in told
