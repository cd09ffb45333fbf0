"""Laws of the Zendesk connector."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.errors import InvalidEvent
from streams.gateway.connectors.zendesk import Zendesk
from streams.gateway.edge.draft import Reading
from tests.unit.connectors import payloads_zendesk as zd
from tests.unit.connectors.context import context, delivery
from tests.unit.connectors.payloads_hostile import outcome, spoilt
from tests.unit.connectors.payloads_story import handoffs

GROUPS = {"group": {zd.FRONT: "front-office", zd.REPAIRS: "repairs"}}
KNOWN = {"roles": GROUPS, "actors": {zd.LEAD: "repairs"}}


def read(payload: zd.Json, **known: Any) -> Reading:
    return Zendesk().read(delivery(json.dumps(payload).encode()), context(**(known or KNOWN)))


def said(payload: zd.Json, **known: Any) -> dict[str, str]:
    """Verb → role, for all that a payload says."""
    return {draft.type.split(".")[2]: str(draft.data.get("role", "")) for draft in read(payload, **known).drafts}


def test_new_ticket_belongs_to_its_group() -> None:
    assert said(zd.event("created", assignee_id=None, actor_id=zd.BUYER)) == {"opened": "", "assigned": "front-office"}


@pytest.mark.parametrize("nothing", [None, "", "0", 0])
def test_new_ticket_without_group_is_open_and_nobodys(nothing: Any) -> None:
    found = read(zd.event("created", group_id=nothing, assignee_id=nothing, actor_id=zd.BUYER))
    assert [draft.type for draft in found.drafts] == ["tieline.work_item.opened.v1"]
    assert found.unused == ()


def test_group_that_no_map_names_is_no_role() -> None:
    found = read(zd.changed_to("group_assignment_changed", "7009", zd.FRONT, group_id="7009", assignee_id=None))
    assert found == Reading(unused=("no_role",))


def test_assignee_tells_no_owner_of_a_group_that_no_map_names() -> None:
    moved = zd.changed_to("group_assignment_changed", "7009", zd.FRONT, group_id="7009", assignee_id=zd.LEAD)
    assert read(moved) == Reading(unused=("no_role",))
    assert said(zd.event("created", group_id="7009", assignee_id=zd.LEAD, actor_id=zd.BUYER))["assigned"] == "repairs"


def test_groups_own_value_counts_before_what_the_ticket_became_later() -> None:
    payload = zd.changed_to("group_assignment_changed", int(zd.REPAIRS), zd.FRONT, group_id=zd.FRONT)
    assert said(payload) == {"assigned": "repairs"}


def test_agent_who_takes_a_ticket_works_for_its_group() -> None:
    payload = zd.changed_to("agent_assignment_changed", int(zd.AGENT), None)
    assert said(payload) == {"assigned": "front-office", "worked": "front-office"}


def test_agent_who_is_given_a_ticket_has_not_worked() -> None:
    assert said(zd.changed_to("agent_assignment_changed", zd.AGENT, None, actor_id=zd.LEAD)) == {
        "assigned": "front-office"
    }


@pytest.mark.parametrize("public", [True, False])
def test_comment_of_the_assignee_is_work_of_the_owner(public: bool) -> None:
    assert said(zd.comment(zd.AGENT, staff=True, public=public)) == {"worked": "front-office"}


def test_comment_of_another_agent_counts_for_that_agents_role_only() -> None:
    assert said(zd.comment(zd.LEAD, staff=True)) == {"worked": "repairs"}
    assert read(zd.comment(zd.ROBOT, staff=True)) == Reading(unused=("no_role",))


def test_comment_of_an_end_user_is_no_work() -> None:
    assert read(zd.comment(zd.BUYER, staff=False)) == Reading(unused=("end_user",))


@pytest.mark.parametrize(("author", "code"), [(zd.BUYER, "end_user"), (zd.ROBOT, "no_role")])
def test_author_of_whom_nothing_is_told_is_staff_unless_the_requester(author: str, code: str) -> None:
    payload = zd.comment(author, staff=True)
    del payload["event"]["comment"]["author"]["is_staff"]
    assert read(payload) == Reading(unused=(code,))


def test_requester_who_is_of_the_staff_is_no_end_user() -> None:
    assert said(zd.comment(zd.LEAD, staff=True, requester_id=zd.LEAD))["worked"] == "repairs"


def test_public_reply_is_a_message_where_both_roles_are_known() -> None:
    found = read(zd.comment(zd.AGENT, staff=True, requester_id=zd.LEAD))
    worked, sent = found.drafts
    assert worked.type == "tieline.work_item.worked.v1"
    assert sent.data == {"message_id": "811001", "role": "front-office", "to_roles": ["repairs"]}
    assert sent.text == zd.WORDS


def test_colleague_who_asked_writes_to_the_owner() -> None:
    found = read(zd.comment(zd.LEAD, staff=False, requester_id=zd.LEAD))
    assert [draft.data["to_roles"] for draft in found.drafts] == [["front-office"]]


def test_internal_note_is_no_message() -> None:
    assert said(zd.comment(zd.AGENT, staff=True, public=False, requester_id=zd.LEAD)) == {"worked": "front-office"}


def test_comment_on_a_solved_ticket_does_not_reopen_it() -> None:
    assert list(said(zd.comment(zd.AGENT, staff=True, status="SOLVED"))) == ["worked", "closed"]


@pytest.mark.parametrize(("status", "reason"), [("PENDING", "pending"), ("HOLD", "on_hold"), ("Hold", "on_hold")])
def test_waiting_pauses_with_a_reason(status: str, reason: str) -> None:
    (paused,) = read(zd.status(status, "OPEN")).drafts
    assert paused.data["reason"] == reason


def test_leaving_a_waiting_status_resumes() -> None:
    assert said(zd.status("OPEN", "PENDING", actor_id=zd.BUYER)) == {"resumed": ""}
    assert list(said(zd.status("HOLD", "PENDING"))) == ["resumed", "paused"]


def test_solving_is_work_and_the_end_and_closing_later_is_nothing_more() -> None:
    assert list(said(zd.status("SOLVED", "OPEN"))) == ["worked", "closed"]
    assert read(zd.status("CLOSED", "SOLVED", actor_id="-1")) == Reading(unused=("no_change",))


def test_automation_that_solves_has_not_worked() -> None:
    found = read(zd.status("SOLVED", "PENDING", actor_id="-1"))
    assert [draft.type for draft in found.drafts] == ["tieline.work_item.closed.v1"]
    assert found.unused == ("not_human",)


def test_requester_who_solves_has_not_worked() -> None:
    found = read(zd.status("SOLVED", "OPEN", actor_id=zd.BUYER))
    assert [draft.type for draft in found.drafts] == ["tieline.work_item.closed.v1"]
    assert found.unused == ("end_user",)


def test_agent_of_no_known_role_who_solves_has_worked_for_nobody() -> None:
    found = read(zd.status("SOLVED", "OPEN", actor_id=zd.ROBOT))
    assert [draft.type for draft in found.drafts] == ["tieline.work_item.closed.v1"]
    assert found.unused == ("no_role",)


def test_solved_ticket_that_is_open_again_is_reopened() -> None:
    assert said(zd.status("OPEN", "SOLVED", actor_id=zd.BUYER)) == {"reopened": ""}
    assert list(said(zd.status("PENDING", "SOLVED"))) == ["reopened", "paused"]


def test_opening_a_new_ticket_says_nothing() -> None:
    assert read(zd.status("OPEN", "NEW")) == Reading(unused=("no_change",))


def test_status_that_zendesk_does_not_list_is_counted() -> None:
    assert read(zd.status(zd.NOBODY, "OPEN")) == Reading(unused=("other_status",))


def test_spam_and_deletion_close_and_undeletion_reopens() -> None:
    told = [list(said(zd.event(name))) for name in ("marked_as_spam", "soft_deleted", "undeleted")]
    assert told == [["closed"], ["closed"], ["reopened"]]


def test_other_types_are_counted_and_unknown_ones_not_repeated() -> None:
    assert read(zd.event("tags_changed")) == Reading(unused=("ticket.tags_changed",))
    assert read(zd.event(zd.NOBODY)) == Reading(unused=("other_event",))


def test_body_of_a_trigger_is_refused() -> None:
    with pytest.raises(InvalidEvent) as raised:
        read({"ticket_id": "35436", "status": "open"})
    assert (raised.value.code, raised.value.field) == ("missing_field", "type")


@pytest.mark.parametrize("field", ["id", "time", "detail"])
def test_event_needs(field: str) -> None:
    payload = zd.event("created")
    del payload[field]
    with pytest.raises(InvalidEvent) as raised:
        read(payload)
    assert (raised.value.code, raised.value.field) == ("missing_field", field)


def test_same_event_told_again_is_the_same() -> None:
    payload = zd.comment(zd.AGENT, staff=True, requester_id=zd.LEAD)
    assert read(payload) == read(payload)
    assert len({draft.id for draft in read(payload).drafts}) == 2


def test_ticket_that_another_group_takes_is_an_accepted_handoff() -> None:
    theirs = {"group_id": zd.REPAIRS, "assignee_id": zd.ROBOT}
    story = [
        zd.event("created", actor_id=zd.BUYER, assignee_id=None),
        zd.changed_to("agent_assignment_changed", zd.AGENT, None, minute=1),
        zd.changed_to(
            "group_assignment_changed", zd.REPAIRS, zd.FRONT, minute=3, group_id=zd.REPAIRS, assignee_id=None
        ),
        zd.comment(zd.BUYER, staff=False, minute=4, group_id=zd.REPAIRS, assignee_id=None),
        zd.changed_to("agent_assignment_changed", zd.ROBOT, None, minute=5, actor_id=zd.ROBOT, **theirs),
        zd.status("SOLVED", "OPEN", minute=9, actor_id=zd.ROBOT, **theirs),
    ]
    assert handoffs(Zendesk(), story, context(**KNOWN)) == [("front-office", "repairs", "accepted")]
    assert handoffs(Zendesk(), story[:4], context(**KNOWN)) == [("front-office", "repairs", "offered")]


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_spoilt_payload_gives_valid_events_or_an_error_and_no_names(data: st.DataObject) -> None:
    whole = data.draw(
        st.sampled_from(
            [
                zd.comment(zd.AGENT, staff=True, requester_id=zd.LEAD),
                zd.changed_to("agent_assignment_changed", zd.AGENT, None),
                zd.status("SOLVED", "PENDING"),
            ]
        )
    )
    told = outcome(Zendesk(), data.draw(spoilt(whole)), context(**KNOWN))
    assert zd.NOBODY not in told
    assert "kettle" not in told
