"""Encounter and ServiceRequest: work items with an owner."""

from __future__ import annotations

import pytest

from tests.unit.connectors.payloads_fhir import (
    Json,
    at,
    at_location,
    bundle,
    concept,
    drafts,
    encounter,
    encounter_r5,
    only,
    own_task,
    practitioner_role,
    read,
    reader,
    ref,
    service_request,
    successively,
    told,
    verb,
)


def owners(payload: Json, **more: object) -> list[tuple[str, str]]:
    found = drafts(payload, reader(**more))
    return [
        (each.time.strftime("%H:%M"), str(each.data["role"])) for each in found if verb(each) == "work_item.assigned"
    ]


@pytest.mark.parametrize("first", [encounter(), encounter_r5()], ids=["R4", "R5"])
def test_encounter_is_opened_and_with_the_unit_where_the_patient_is(first: Json) -> None:
    assert told(first) == [("work_item.opened", "08:00"), ("work_item.assigned", "08:00")]
    assert {draft.subject for draft in drafts(first)} == {"Encounter/e1"}


def test_transfer_is_a_change_of_owner() -> None:
    moved = encounter(
        version=2,
        clock="10:00",
        location=[at_location("ed", "08:00", "10:00", "completed"), at_location("ward", "10:00", status="active")],
    )
    assert successively(encounter(), moved)[2:] == [("work_item.assigned", "10:00")]
    assert owners(moved) == [("08:00", "emergency"), ("10:00", "ward")]


def test_patient_comes_back_to_the_ward_when_the_operation_is_over() -> None:
    stays = [at_location("ward", "08:00"), at_location("or", "09:00", "11:00"), at_location("ward", "12:00")]
    assert owners(encounter(location=stays)) == [("08:00", "ward"), ("09:00", "theatre"), ("11:00", "ward")]


def test_planned_location_is_nobodys_yet() -> None:
    stays = [at_location("ed", "08:00", status="active"), at_location("ward", "10:00", status="planned")]
    assert owners(encounter(location=stays)) == [("08:00", "emergency")]


def test_location_without_a_period_is_where_the_patient_is_since_that_version() -> None:
    versions = [
        encounter(location=[at_location("ed", status="active")]),
        encounter(version=2, clock="09:00", location=[at_location("ed", status="active")]),
        encounter(version=3, clock="10:00", location=[at_location("ward", status="active")]),
    ]
    assert successively(*versions) == [
        ("work_item.opened", "08:00"),
        ("work_item.assigned", "08:00"),
        ("work_item.assigned", "10:00"),
    ]


def test_bed_is_part_of_its_ward() -> None:
    bed = {"resourceType": "Location", "id": "bed7", "partOf": ref("Location/room2")}
    room = {"resourceType": "Location", "id": "room2", "partOf": ref("Location/ward")}
    stay = encounter(location=[at_location("bed7", "08:00")])
    ward = {"resourceType": "Location", "id": "ward"}
    assert only(bundle(bed, room, ward, stay), "work_item.assigned").data["role"] == "ward"


def test_owner_is_who_provides_the_service_where_no_location_says_more() -> None:
    stay = encounter(location=None, serviceProvider=ref("Organization/ward"))
    assert owners(stay) == [("08:00", "ward")]


@pytest.mark.parametrize("who", ["individual", "actor"])
def test_attending_owns_the_encounter_if_settings_say_so(who: str) -> None:
    stay = encounter(
        participant=[
            {"type": [concept("PART")], who: ref("PractitionerRole/r2"), "period": {"start": at("07:00")}},
            {"type": [concept("ATND")], who: ref("PractitionerRole/r1"), "period": {"start": at("08:30")}},
        ]
    )
    payload = bundle(stay, practitioner_role("r1", "nurse"), practitioner_role("r2", "physician"))
    assert owners(payload, options={"encounter_owner": ["attending", "location"]}) == [("08:30", "nursing")]


@pytest.mark.parametrize(
    ("build", "away", "reason"), [(encounter, "onleave", "onleave"), (encounter_r5, "on-hold", "on-hold")]
)
def test_leave_is_a_pause(build: object, away: str, reason: str) -> None:
    assert callable(build)
    known = reader()
    read(build(), known)
    paused = only(build(away, 2, "09:00"), "work_item.paused", known)
    assert paused.data["reason"] == reason
    assert told(build("in-progress", 3, "10:00"), known) == [("work_item.resumed", "10:00")]


def test_leave_that_is_over_is_told_by_the_history_of_statuses() -> None:
    past = [{"status": "onleave", "period": {"start": at("09:00"), "end": at("09:30")}}]
    back = encounter(version=3, clock="10:00", statusHistory=past)
    assert told(back)[2:] == [("work_item.paused", "09:00"), ("work_item.resumed", "09:30")]
    assert successively(encounter("onleave", 2, "09:00"), back)[-1] == ("work_item.resumed", "09:30")


@pytest.mark.parametrize("status", ["finished", "cancelled"])
def test_encounter_that_is_over_is_closed_once(status: str) -> None:
    over = encounter(status, 2, "12:30", period={"start": at("08:00"), "end": at("12:00")})
    again = encounter(status, 3, "13:00", period={"start": at("08:00"), "end": at("12:00")})
    assert successively(encounter(), over, again)[2:] == [("work_item.closed", "12:00")]


@pytest.mark.parametrize("status", ["discharged", "completed", "discontinued"])
def test_r5_encounter_that_is_over_is_closed(status: str) -> None:
    assert successively(encounter_r5(), encounter_r5(status, 2, "12:00"))[2:] == [("work_item.closed", "12:00")]


def test_encounter_that_goes_on_is_reopened() -> None:
    assert successively(encounter("finished"), encounter("in-progress", 2, "09:00"))[-1] == (
        "work_item.reopened",
        "09:00",
    )


def test_planned_encounter_is_none_yet() -> None:
    assert read(encounter("planned")).unused == ("planned",)


def test_dates_are_no_times() -> None:
    stay = encounter(meta=None, period={"start": "2026-03-02", "end": "2026-03-09"}, location=None)
    assert read(stay).unused == ("no_time",)


def test_older_version_of_an_encounter_says_nothing() -> None:
    known = reader()
    read(encounter("finished", 3, "12:00"), known)
    assert read(encounter("in-progress", 2, "10:00"), known).unused == ("stale",)


def test_order_is_a_work_item_of_the_one_who_is_to_do_it() -> None:
    ordered = drafts(service_request())
    assert [(verb(each), each.subject, each.data) for each in ordered] == [
        ("work_item.opened", "ServiceRequest/s1", {"role": "emergency"}),
        ("work_item.assigned", "ServiceRequest/s1", {"role": "laboratory"}),
    ]


def test_order_goes_its_course() -> None:
    assert successively(
        service_request(),
        service_request("on-hold", 2, "09:00"),
        service_request("active", 3, "10:00", performer=[ref("Organization/ward")]),
        service_request("completed", 4, "11:00"),
    )[2:] == [
        ("work_item.paused", "09:00"),
        ("work_item.resumed", "10:00"),
        ("work_item.assigned", "10:00"),
        ("work_item.assigned", "11:00"),
        ("work_item.closed", "11:00"),
    ]


def test_order_for_one_of_several_roles_is_nobodys_yet() -> None:
    either = service_request(performer=[ref("Organization/ward"), ref("Organization/lab")])
    assert read(either).unused == ("no_role",)


def test_order_may_name_the_kind_of_performer_only() -> None:
    kind = service_request(performer=None, performerType=concept("physician"))
    assert only(kind, "work_item.assigned").data["role"] == "physicians"


@pytest.mark.parametrize("more", [{"intent": "proposal"}, {"doNotPerform": True}, {"status": "draft"}])
def test_nobody_has_to_do_what_is_no_order(more: Json) -> None:
    assert read(service_request(**more)).unused == ("not_asked",)


def test_task_and_order_share_a_work_item_where_no_encounter_is_told() -> None:
    order = {draft.subject for draft in drafts(service_request(encounter=None))}
    assert order == {draft.subject for draft in drafts(own_task(focus=ref("ServiceRequest/s1")))}
