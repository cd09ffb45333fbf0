"""Laws of the ServiceNow connector."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.errors import InvalidEvent
from streams.gateway.connectors.servicenow import ServiceNow
from streams.gateway.edge.draft import Reading
from tests.unit.connectors import payloads_servicenow as sn
from tests.unit.connectors.context import InMemorySnapshots, context, delivery
from tests.unit.connectors.payloads_hostile import outcome, spoilt
from tests.unit.connectors.payloads_story import handoffs

MEMBER = {"value": sn.BEA, "in_group": True, "kind": "human"}
NETWORK = {"assignment_group": sn.group(sn.NETWORK)}
WORKING = {"state": "2", "assigned_to": sn.person(sn.BEA)}
ON_HOLD = {**WORKING, "state": "3", "hold_reason": "4"}


def read(payload: sn.Json, **known: Any) -> Reading:
    return ServiceNow().read(delivery(json.dumps(payload).encode()), context(**known))


def said(payload: sn.Json, **known: Any) -> dict[str, str]:
    """Verb → role, for all that a payload says."""
    return {draft.type.split(".")[2]: str(draft.data.get("role", "")) for draft in read(payload, **known).drafts}


def test_new_record_is_open_and_its_groups() -> None:
    assert said(sn.inserted()) == {"opened": "", "assigned": "Service Desk"}


@pytest.mark.parametrize("nothing", [None, "", " ", "null", "undefined", {"value": "", "display_value": ""}, {}])
def test_record_without_group_is_open_and_nobodys(nothing: Any) -> None:
    found = read(sn.inserted(assignment_group=nothing))
    assert [draft.type for draft in found.drafts] == ["tieline.work_item.opened.v1"]
    assert found.unused == ()


def test_bare_sys_id_of_a_group_is_a_role_only_by_the_map() -> None:
    bare = sn.inserted(assignment_group=sn.NETWORK)
    assert said(bare, roles={"group": {sn.NETWORK: "network"}})["assigned"] == "network"
    assert read(bare).unused == ("no_role",)


def test_map_names_a_group_by_sys_id_or_by_name() -> None:
    for name in (sn.DESK, "Service Desk"):
        assert said(sn.inserted(), roles={"group": {name: "desk"}})["assigned"] == "desk"


def test_other_group_is_another_owner_and_no_work() -> None:
    assert said(sn.updated(3, WORKING, assigned_to="", **NETWORK)) == {"assigned": "Network"}


def test_group_is_compared_by_its_value_however_it_is_written() -> None:
    same = sn.updated(3, {"assignment_group": sn.DESK}, assignment_group=sn.group(sn.DESK))
    assert read(same) == Reading(unused=("no_change",))


def test_group_taken_away_leaves_no_owner_to_tell() -> None:
    assert read(sn.updated(3, assignment_group="")) == Reading(unused=("no_role",))


def test_in_progress_is_work_of_the_owner() -> None:
    assert said(sn.updated(2, state="2")) == {"worked": "Service Desk"}


@pytest.mark.parametrize("state", ["2", "6"])
def test_state_set_by_somebody_outside_the_group_is_not_its_work(state: str) -> None:
    outsider = {"value": sn.CEM, "in_group": False}
    found = read(sn.updated(2, state=state, caller_id="", actor=outsider))
    assert found.unused == ("no_role",)
    assert "tieline.work_item.worked.v1" not in {draft.type for draft in found.drafts}


@pytest.mark.parametrize("state", ["2", 2, "In Progress", {"display_value": "In Progress", "value": "2"}])
def test_state_may_be_a_value_or_a_name(state: Any) -> None:
    assert said(sn.updated(2, state=state)) == {"worked": "Service Desk"}


def test_in_progress_beside_a_move_is_work_only_of_a_member_of_the_new_owner() -> None:
    assert said(sn.updated(2, state="2", **NETWORK)) == {"assigned": "Network"}
    assert said(sn.updated(2, state="2", actor=MEMBER, **NETWORK)) == {"assigned": "Network", "worked": "Network"}


def test_record_that_starts_in_progress_is_work_of_a_member_only() -> None:
    assert said(sn.inserted(state="2")) == {"opened": "", "assigned": "Service Desk"}
    told = said(sn.inserted(state="2") | {"actor": MEMBER})
    assert told == {"opened": "Service Desk", "assigned": "Service Desk", "worked": "Service Desk"}


def test_who_takes_it_works_and_who_gives_it_does_not() -> None:
    taken = sn.updated(1, assigned_to=sn.person(sn.BEA), actor={"value": sn.BEA})
    assert said(taken) == {"assigned": "Service Desk", "worked": "Service Desk"}
    assert said(sn.updated(1, assigned_to="bea.jonker"))["worked"] == "Service Desk"
    given_ = sn.updated(1, assigned_to=sn.person(sn.BEA), actor={"value": sn.CEM})
    assert said(given_) == {"assigned": "Service Desk"}


@pytest.mark.parametrize("note", [True, sn.NOTE, {"display_value": sn.NOTE, "value": ""}])
@pytest.mark.parametrize("field", ["work_notes", "comments"])
def test_note_is_work_of_a_member(field: str, note: Any) -> None:
    assert said(sn.updated(3, WORKING, actor=MEMBER, **{field: note})) == {"worked": "Service Desk"}


def test_note_of_somebody_whose_role_nobody_knows_is_no_work() -> None:
    assert read(sn.updated(3, work_notes=sn.NOTE)) == Reading(unused=("no_role",))


def test_caller_who_is_of_the_group_or_has_a_role_works() -> None:
    member = {"value": sn.CEM, "in_group": True}
    assert said(sn.updated(3, comments=sn.NOTE, actor=member)) == {"worked": "Service Desk"}
    mapped = said(sn.updated(3, comments=sn.NOTE, actor={"value": sn.CEM}), actors={"bea.jonker": "dispatch"})
    assert mapped == {"worked": "dispatch"}


def test_note_of_the_caller_is_no_work() -> None:
    assert read(sn.updated(3, comments=sn.NOTE, actor={"value": sn.CEM})) == Reading(unused=("end_user",))


@pytest.mark.parametrize("before", [{"work_notes": sn.NOTE}, {"work_notes": False}])
def test_note_that_was_there_before_is_no_new_note(before: sn.Json) -> None:
    after = before["work_notes"]
    assert read(sn.updated(3, before, work_notes=after, actor=MEMBER)) == Reading(unused=("no_change",))


def test_note_beside_a_move_is_not_work_of_the_new_owner() -> None:
    assert said(sn.updated(3, work_notes=True, actor=MEMBER, **NETWORK)) == {"assigned": "Network"}


def test_mapped_actor_works_for_the_mapped_role() -> None:
    told = said(sn.updated(3, work_notes=True), actors={"bea.jonker": "dispatch"})
    assert told == {"worked": "dispatch"}


def test_hold_pauses_with_its_reason_and_another_reason_is_another_pause() -> None:
    (paused,) = read(sn.updated(4, WORKING, state="3", hold_reason="4")).drafts
    assert paused.data == {"reason": "awaiting_vendor"}
    resumed, paused = read(sn.updated(5, ON_HOLD, hold_reason="1")).drafts
    assert resumed.type == "tieline.work_item.resumed.v1"
    assert paused.data == {"reason": "awaiting_caller"}


def test_hold_without_a_known_reason_is_on_hold() -> None:
    assert read(sn.updated(4, WORKING, state="3", hold_reason=sn.NOTE)).drafts[0].data == {"reason": "on_hold"}


def test_leaving_hold_resumes_and_is_no_work_by_itself() -> None:
    # What a caller writes takes an incident off hold without anybody of the owner.
    found = read(sn.updated(6, ON_HOLD, state="2"))
    assert [draft.type for draft in found.drafts] == ["tieline.work_item.resumed.v1"]
    assert said(sn.updated(6, ON_HOLD, state="2", actor=MEMBER))["worked"] == "Service Desk"


def test_resolving_is_work_and_the_end_and_closing_later_is_nothing_more() -> None:
    assert said(sn.updated(7, WORKING, state="6")) == {"worked": "Service Desk", "closed": ""}
    assert read(sn.updated(8, {"state": "6"}, state="7")) == Reading(unused=("no_change",))


def test_system_does_not_work() -> None:
    found = read(sn.updated(7, ON_HOLD, state="6", sys_updated_by="system"))
    assert [draft.type for draft in found.drafts] == ["tieline.work_item.closed.v1"]
    assert found.unused == ("not_human",)


def test_what_kind_of_account_it_is_comes_from_the_rule_alone() -> None:
    told = [{}, {"kind": "human"}, {"kind": "bot"}, {"kind": sn.NOBODY}]
    drafts = [read(sn.updated(1, state="8", actor=actor)).drafts[0] for actor in told]
    assert [draft.actor.kind for draft in drafts if draft.actor] == ["unknown", "human", "bot", "unknown"]


def test_reopening_is_no_work() -> None:
    assert said(sn.updated(9, {"state": "6"}, state="2")) == {"reopened": ""}


def test_moving_or_annotating_what_is_closed_does_not_reopen_it() -> None:
    assert list(said(sn.updated(9, {"state": "7"}, **NETWORK))) == ["assigned", "closed"]
    assert list(said(sn.updated(9, {"state": "6"}, work_notes=True, actor=MEMBER))) == ["worked", "closed"]


def test_deletion_closes_under_an_id_of_its_own() -> None:
    (closed,) = read({"operation": "delete", "current": sn.record(4)}).drafts
    assert (closed.type, closed.id) == ("tieline.work_item.closed.v1", f"{sn.SYS_ID}:4:delete:closed")


def test_unknown_state_is_counted_and_settings_give_it_a_meaning() -> None:
    parked = sn.updated(4, WORKING, state={"display_value": "Parked", "value": "17"})
    assert read(parked) == Reading(unused=("other_state",))
    options = {"states": {"parked": "paused"}}
    assert said(parked, options=options) == {"paused": ""}


def test_changed_fields_alone_are_enough_as_previous() -> None:
    payload = sn.updated(2, state="2") | {"previous": {"state": "1"}}
    assert said(payload) == {"worked": "Service Desk"}


def test_without_previous_values_only_what_is_certain_is_said() -> None:
    assert said({"operation": "update", "current": sn.record(5, **ON_HOLD)}) == {
        "assigned": "Service Desk",
        "paused": "",
    }
    assert said(sn.record(5, **WORKING)) == {"assigned": "Service Desk"}
    assert list(said(sn.record(5, state="7"))) == ["assigned", "closed"]


def test_without_previous_values_the_last_record_is_remembered() -> None:
    snapshots = InMemorySnapshots()
    story = [sn.record(0), sn.record(1, state="2"), sn.record(2, **ON_HOLD), sn.record(3, **WORKING, **NETWORK)]
    told = [list(said(record, snapshots=snapshots)) for record in story]
    assert told == [["opened", "assigned"], ["worked"], ["paused"], ["resumed", "assigned"]]


def test_nothing_is_remembered_where_the_rule_sends_what_was_before() -> None:
    snapshots = InMemorySnapshots()
    for payload in (sn.inserted(), sn.updated(1, state="2")):
        read(payload, snapshots=snapshots)
    assert snapshots.kept == {}
    read({"operation": "update", "current": sn.record(2), "previous": None}, snapshots=snapshots)
    assert list(snapshots.kept) == [sn.SYS_ID]


def test_record_told_again_or_late_gives_the_same_or_less() -> None:
    snapshots = InMemorySnapshots()
    story = [sn.record(0), sn.record(1, state="2"), sn.record(2, **ON_HOLD)]
    first = [read(record, snapshots=snapshots) for record in story]
    assert read(story[2], snapshots=snapshots) == first[2]
    late = read(story[1], snapshots=snapshots).drafts
    assert {draft.id for draft in late} <= {draft.id for draft in first[1].drafts} | {f"{sn.SYS_ID}:1:assigned"}
    assert read(story[2], snapshots=snapshots) == first[2]


def test_snapshots_hold_no_names_and_no_texts() -> None:
    snapshots = InMemorySnapshots()
    for record in (sn.record(0), sn.record(1, work_notes=sn.NOTE, **ON_HOLD)):
        read(record, snapshots=snapshots)
    kept = json.dumps(snapshots.kept)
    for secret in (sn.NOBODY, sn.NOTE, "bea.jonker", sn.BEA):
        assert secret not in kept


def test_changes_of_one_second_keep_their_order() -> None:
    at = "2026-01-05 08:00:00"
    first = read(sn.updated(1, state="2", sys_updated_on=at)).drafts[-1]
    second = read(sn.updated(2, WORKING, sys_updated_on=at, **NETWORK)).drafts[0]
    assert first.time == second.time
    assert first.sequence < second.sequence


def test_time_is_utc_and_may_have_a_display_value() -> None:
    shown = {"display_value": "05/01/2026 09:00:00", "value": "2026-01-05 08:00:00"}
    assert read(sn.inserted(sys_updated_on=shown)).drafts[0].time.isoformat() == "2026-01-05T08:00:00+00:00"


@pytest.mark.parametrize(("number", "subject"), [("INC0010042", "INC0010042"), ("", sn.SYS_ID)])
def test_work_item_is_the_number_else_the_sys_id(number: str, subject: str) -> None:
    assert {draft.subject for draft in read(sn.inserted(number=number)).drafts} == {subject}


@pytest.mark.parametrize("field", ["sys_id", "sys_mod_count", "sys_updated_on"])
def test_record_needs(field: str) -> None:
    payload = sn.inserted()
    del payload["current"][field]
    with pytest.raises(InvalidEvent) as raised:
        read(payload)
    assert (raised.value.code, raised.value.field) == ("missing_field", f"current.{field}")


@pytest.mark.parametrize("count", ["-1", "1.5", "١", "9" * 13, "one"])
def test_number_of_changes_is_a_number(count: str) -> None:
    with pytest.raises(InvalidEvent, match=r"invalid_value at current\.sys_mod_count"):
        read(sn.inserted(sys_mod_count=count))


def test_incident_that_another_group_picks_up_is_an_accepted_handoff() -> None:
    cem = {**MEMBER, "value": sn.CEM}
    story = [
        sn.inserted(),
        sn.updated(1, state="2", assigned_to=sn.person(sn.BEA), actor=MEMBER),
        sn.updated(3, WORKING, state="1", assigned_to="", actor={**MEMBER, "in_group": False}, **NETWORK),
        sn.updated(9, NETWORK, state="2", assigned_to=sn.person(sn.CEM), actor=cem),
        sn.updated(12, {**NETWORK, "state": "2"}, state="6", actor=cem),
    ]
    assert handoffs(ServiceNow(), story, context()) == [("Service Desk", "Network", "accepted")]
    assert handoffs(ServiceNow(), story[:3], context()) == [("Service Desk", "Network", "offered")]


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_spoilt_payload_gives_valid_events_or_an_error_and_no_names(data: st.DataObject) -> None:
    whole = data.draw(
        st.sampled_from(
            [
                sn.inserted(),
                sn.updated(2, state="2", assigned_to=sn.person(sn.BEA), actor=MEMBER),
                sn.updated(5, ON_HOLD, state="6", comments=sn.NOTE),
                sn.record(3, **WORKING),
            ]
        )
    )
    told = outcome(ServiceNow(), data.draw(spoilt(whole)), context())
    assert sn.NOBODY not in told
    assert "hall 4" not in told
