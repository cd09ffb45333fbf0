"""Tasks: an offer, an answer, work, and what changes between versions."""

from __future__ import annotations

from datetime import datetime

import pytest

from tests.unit.connectors.payloads_fhir import (
    at,
    bundle,
    concept,
    drafts,
    meta,
    only,
    own_task,
    practitioner_role,
    read,
    reader,
    ref,
    successively,
    task,
    told,
    verb,
)

LAB = ref("Organization/lab")


def test_requested_task_is_an_offer_of_the_requester_to_the_owner() -> None:
    offered = only(task(restriction={"period": {"end": at("09:30")}}), "handoff.offered")
    assert offered.subject == "Encounter/e1"
    assert offered.time == datetime.fromisoformat(at("08:00"))
    assert offered.data == {
        "handoff_id": "Task/t1/ward",
        "from_role": "emergency",
        "to_role": "ward",
        "intent": "consult",
        "urgency": "urgent",
        "due_at": "2026-03-02T09:30:00+00:00",
    }
    assert offered.actor is not None
    assert (offered.actor.name, offered.actor.kind) == ("Practitioner/anna", "human")


def test_task_tells_what_changed_since_its_last_version() -> None:
    assert successively(
        task("requested", 1, "08:00"),
        task("received", 2, "08:05"),
        task("accepted", 3, "08:10"),
        task("in-progress", 4, "08:20"),
        task("in-progress", 5, "08:30"),
        task("completed", 6, "09:00"),
    ) == [
        ("handoff.offered", "08:00"),
        ("handoff.accepted", "08:10"),
        ("work_item.worked", "08:20"),
        ("work_item.worked", "09:00"),
    ]


def test_version_that_comes_again_says_nothing_new() -> None:
    assert successively(task("accepted", 2, "08:10"), task("accepted", 2, "08:10"))[2:] == []
    known = reader()
    read(task(), known)
    assert read(task(), known).unused == ("unchanged",)


def test_work_that_begins_without_a_yes_is_one() -> None:
    assert successively(task(), task("in-progress", 2, "08:20"))[1:] == [
        ("handoff.accepted", "08:20"),
        ("work_item.worked", "08:20"),
    ]


def test_work_began_when_execution_began() -> None:
    period = {"start": at("08:15"), "end": at("08:50")}
    assert successively(task(), task("completed", 2, "09:00", executionPeriod=period))[1:] == [
        ("handoff.accepted", "08:15"),
        ("work_item.worked", "08:15"),
        ("work_item.worked", "08:50"),
    ]


@pytest.mark.parametrize("period", [{"start": at("10:00")}, {"start": "2026-03-02"}, {}])
def test_execution_that_cannot_have_begun_then_began_with_the_version(period: dict[str, str]) -> None:
    assert ("handoff.accepted", "08:20") in told(task("in-progress", 2, "08:20", executionPeriod=period))


def test_rejected_task_is_declined_with_a_coded_reason() -> None:
    refused = task("rejected", 2, "08:10", statusReason=concept("no-bed"))
    known = reader(options={"reasons": {"http://codes.example|no-bed": "capacity"}})
    declined = only(refused, "handoff.declined", known)
    assert declined.data == {"handoff_id": "Task/t1/ward", "role": "ward", "reason": "capacity"}


def test_reason_of_r5_is_read_as_well() -> None:
    refused = task("rejected", 2, "08:10", statusReason={"concept": concept("wrong_role")})
    assert only(refused, "handoff.declined").data["reason"] == "wrong_role"


def test_reason_in_words_is_no_reason() -> None:
    refused = task("rejected", 2, "08:10", statusReason={"text": "capacity"})
    assert "reason" not in only(refused, "handoff.declined").data


def test_task_that_was_accepted_and_is_rejected_is_returned() -> None:
    assert successively(task("accepted"), task("rejected", 2, "08:30"))[-1] == ("handoff.returned", "08:30")


def test_task_that_is_asked_again_is_another_handoff() -> None:
    known = reader()
    for version in (task(), task("rejected", 2, "08:10")):
        read(version, known)
    offered = only(task("requested", 3, "08:20"), "handoff.offered", known)
    assert (offered.data["handoff_id"], offered.time.minute) == ("Task/t1/ward/2", 20)
    accepted = only(task("accepted", 4, "08:30"), "handoff.accepted", known)
    assert accepted.data["handoff_id"] == "Task/t1/ward/2"


@pytest.mark.parametrize("status", ["cancelled", "entered-in-error"])
def test_task_that_is_called_off_is_withdrawn(status: str) -> None:
    assert successively(task(), task(status, 2, "08:40"))[1:] == [("handoff.withdrawn", "08:40")]


def test_withdrawal_is_the_offerers() -> None:
    known = reader()
    read(task(), known)
    withdrawn = only(task("cancelled", 2, "08:40"), "handoff.withdrawn", known)
    assert withdrawn.data == {"handoff_id": "Task/t1/ward", "role": "emergency"}
    assert withdrawn.actor is None


def test_task_that_never_should_have_been_is_not_told() -> None:
    assert read(task("entered-in-error")).unused == ("entered_in_error",)


def test_new_owner_gets_an_offer_after_the_old_one_is_withdrawn() -> None:
    known = reader()
    read(task(), known)
    moved = drafts(task("requested", 2, "08:20", owner=LAB), known)
    assert [(verb(each), each.data["handoff_id"], each.time.minute) for each in moved] == [
        ("handoff.withdrawn", "Task/t1/ward", 20),
        ("handoff.offered", "Task/t1/laboratory", 20),
    ]


def test_owner_of_the_same_role_is_no_other_receiver() -> None:
    other = ref("Organization/ward")
    assert successively(task(), task("requested", 2, "08:20", owner=other))[1:] == []


def test_owner_that_goes_and_comes_back_is_asked_again() -> None:
    known = reader()
    versions = (task(), task("requested", 2, "08:10", owner=LAB), task("requested", 3, "08:20"))
    ids = [
        each.data["handoff_id"]
        for version in versions
        for each in drafts(version, known)
        if verb(each) == "handoff.offered"
    ]
    assert ids == ["Task/t1/ward", "Task/t1/laboratory", "Task/t1/ward/2"]


def test_task_given_back_to_everybody_is_withdrawn() -> None:
    assert successively(task(), task("requested", 2, "08:20", owner=None))[1:] == [("handoff.withdrawn", "08:20")]


def test_owner_of_unknown_role_changes_nothing() -> None:
    stranger = ref("Practitioner/unknown")
    assert successively(task(), task("requested", 2, "08:20", owner=stranger), task("accepted", 3, "08:30"))[1:] == [
        ("handoff.accepted", "08:30")
    ]


def test_task_taken_from_a_pool_was_offered_when_it_was_taken() -> None:
    assert successively(task(owner=None), task("accepted", 2, "08:30"))[-2:] == [
        ("handoff.offered", "08:30"),
        ("handoff.accepted", "08:30"),
    ]


def test_task_without_an_owner_is_offered_to_the_role_it_asks_for() -> None:
    r4 = task(owner=None, performerType=[concept("physician")])
    r5 = task(owner=None, requestedPerformer=[{"concept": concept("physician")}])
    r5_unit = task(owner=None, requestedPerformer=[{"reference": LAB}])
    found = [only(each, "handoff.offered").data["to_role"] for each in (r4, r5, r5_unit)]
    assert found == ["physicians", "physicians", "laboratory"]


def test_being_a_performer_is_no_role() -> None:
    kind = concept("performer", system="http://terminology.hl7.org/CodeSystem/task-performer-type")
    assert read(task(owner=None, performerType=[kind])).unused == ("no_role",)


def test_task_first_seen_late_was_offered_when_it_was_authored() -> None:
    assert told(task("accepted", 7, "08:40")) == [("handoff.offered", "08:00"), ("handoff.accepted", "08:40")]


def test_task_whose_roles_become_known_later_was_offered_when_it_was_authored() -> None:
    unmapped = {"snapshots": (snapshots := reader().snapshots), "roles": {}, "actors": {}}
    read(task(), reader(**unmapped))
    assert told(task("accepted", 2, "08:10"), reader(snapshots=snapshots))[0] == ("handoff.offered", "08:00")


def test_draft_is_no_offer_until_it_is_requested() -> None:
    assert read(task("draft")).drafts == ()
    assert successively(task("draft"), task("requested", 2, "08:10")) == [("handoff.offered", "08:10")]


@pytest.mark.parametrize("more", [{"intent": "proposal"}, {"intent": "plan"}, {"doNotPerform": True}])
def test_nobody_is_asked_by_a_task_that_is_no_request(more: dict[str, object]) -> None:
    assert read(task(**more)).unused == ("not_asked",)  # type: ignore[arg-type]


def test_ready_task_was_not_offered() -> None:
    assert successively(own_task("ready"), own_task("in-progress", 2, "08:10")) == [
        ("work_item.opened", "08:00"),
        ("work_item.assigned", "08:00"),
        ("work_item.worked", "08:10"),
    ]


def test_ready_task_says_nothing_of_who_has_the_whole_encounter() -> None:
    assert successively(task("ready"), task("in-progress", 2, "08:10")) == [("work_item.worked", "08:10")]


def test_task_that_somebody_gives_to_himself_is_not_offered() -> None:
    mine = own_task(owner=ref("Practitioner/anna"))
    assert told(mine) == [("work_item.opened", "08:00"), ("work_item.assigned", "08:00")]


def test_work_list_tells_owners_only() -> None:
    known = {"options": {"tasks": "assignments"}}
    assert successively(
        own_task(), own_task("accepted", 2, "08:10"), own_task("in-progress", 3, "08:20", owner=LAB), **known
    ) == [
        ("work_item.opened", "08:00"),
        ("work_item.assigned", "08:00"),
        ("work_item.assigned", "08:20"),
        ("work_item.worked", "08:20"),
    ]


def test_task_of_its_own_is_opened_paused_resumed_closed_and_reopened() -> None:
    versions = [
        own_task("requested", 1, "08:00"),
        own_task("in-progress", 2, "08:10"),
        own_task("on-hold", 3, "08:20", statusReason=concept("waiting-for-specimen")),
        own_task("in-progress", 4, "08:30"),
        own_task("completed", 5, "08:40"),
        own_task("in-progress", 6, "08:50"),
    ]
    found = [each for each in successively(*versions) if each[0].startswith("work_item.") and "worked" not in each[0]]
    assert found == [
        ("work_item.opened", "08:00"),
        ("work_item.paused", "08:20"),
        ("work_item.resumed", "08:30"),
        ("work_item.closed", "08:40"),
        ("work_item.reopened", "08:50"),
    ]
    known = reader()
    read(versions[1], known)
    assert only(versions[2], "work_item.paused", known).data == {"role": "ward", "reason": "waiting-for-specimen"}


def test_one_task_of_an_encounter_neither_pauses_nor_closes_it() -> None:
    found = successively(task("in-progress"), task("on-hold", 2, "08:10"), task("completed", 3, "08:20"))
    assert not {name for name, _ in found} & {"work_item.paused", "work_item.closed", "work_item.opened"}


def test_handing_over_a_task_hands_over_that_task() -> None:
    assert only(own_task(), "handoff.offered").data["intent"] == "transfer"


def test_codes_say_what_kind_of_handoff_it_is() -> None:
    known = reader(options={"transfer_codes": ["move"], "consult_codes": ["http://codes.example|look"]})
    assert only(task(code=concept("move")), "handoff.offered", known).data["intent"] == "transfer"
    assert (
        only(own_task(code=concept("look")), "handoff.offered", reader(options=known.options)).data["intent"]
        == "consult"
    )


@pytest.mark.parametrize(
    ("more", "options", "subject"),
    [
        ({}, {}, "Encounter/e1"),
        ({"encounter": None, "focus": ref("ServiceRequest/s1")}, {}, "ServiceRequest/s1"),
        ({"encounter": None, "focus": ref("Patient/p1")}, {}, "Task/t1"),
        ({"encounter": None, "focus": {"identifier": {"value": "1500"}}}, {}, "Task/t1"),
        ({"encounter": None, "focus": {"type": "Claim", "identifier": {"value": "1500"}}}, {}, "Claim/1500"),
        ({"encounter": {"identifier": {"system": "http://x", "value": "7"}}}, {}, "Encounter/http://x|7"),
        ({"encounter": ref("https://ehr.example/fhir/Encounter/e9/_history/3")}, {}, "Encounter/e9"),
        ({"encounter": ref("Encounter?identifier=http://x|7")}, {}, "Task/t1"),
        (
            {"encounter": ref("urn:uuid:0b8f7f6e-0000-4000-8000-000000000001")},
            {},
            "Encounter/0b8f7f6e-0000-4000-8000-000000000001",
        ),
        ({}, {"work_item": ["task"]}, "Task/t1"),
        (
            {"groupIdentifier": {"system": "http://x", "value": "g"}},
            {"work_item": ["group", "task"]},
            "group/http://x|g",
        ),
        ({"partOf": [ref("Task/t0")]}, {"work_item": ["part_of"]}, "Task/t0"),
        ({"basedOn": [{"display": "a plan"}, ref("CarePlan/c")]}, {"work_item": ["based_on"]}, "CarePlan/c"),
        ({}, {"work_item": ["based_on"]}, "Task/t1"),
    ],
)
def test_work_item_is_the_first_chosen_thing_that_is_no_person(
    more: dict[str, object], options: dict[str, object], subject: str
) -> None:
    offered = only(task(**more), "handoff.offered", reader(options=options))  # type: ignore[arg-type]
    assert offered.subject == subject


def test_who_did_it_is_known_by_the_performer_of_r5() -> None:
    done = task("completed", 2, "09:00", owner=ref("Organization/ward"), performer=[{"actor": ref("Practitioner/ben")}])
    worked = only(done, "work_item.worked")
    assert worked.actor is not None
    assert worked.actor.name == "Practitioner/ben"
    assert worked.data == {"role": "ward"}


def test_unit_that_owns_a_task_is_no_person() -> None:
    assert only(task("accepted", 2, "08:10", owner=LAB), "handoff.accepted").actor is None


def test_who_answered_for_a_unit_is_known_by_provenance() -> None:
    signed = {
        "resourceType": "Provenance",
        "id": "v1",
        "target": [ref("Task/t1/_history/2")],
        "recorded": at("08:10"),
        "agent": [{"who": ref("Practitioner/dora"), "onBehalfOf": LAB}],
    }
    other = {**signed, "id": "v2", "target": [ref("Task/t1/_history/1")], "agent": [{"who": ref("Practitioner/anna")}]}
    accepted = only(bundle(other, signed, task("accepted", 2, "08:10", owner=LAB)), "handoff.accepted")
    assert accepted.actor is not None
    assert accepted.actor.name == "Practitioner/dora"


def test_owner_in_a_role_is_the_person_in_it() -> None:
    owner = practitioner_role("r1", "nurse")
    accepted = only(bundle(task("accepted", 2, "08:10", owner=ref("PractitionerRole/r1")), owner), "handoff.accepted")
    assert accepted.data["role"] == "nursing"
    assert accepted.actor is not None
    assert accepted.actor.name == "Practitioner/carl"


def test_late_version_tells_its_answer_and_nothing_else() -> None:
    known = reader()
    for version in (task(), task("in-progress", 3, "08:30")):
        read(version, known)
    late = read(task("accepted", 2, "08:10"), known)
    assert [(verb(each), each.time.minute) for each in late.drafts] == [("handoff.accepted", 10)]
    assert late.unused == ("stale",)
    assert told(task("in-progress", 3, "08:30"), known) == []


def test_late_version_never_moves_a_task_back() -> None:
    known = reader()
    for version in (task(), task("requested", 3, "08:30", owner=LAB)):
        read(version, known)
    assert read(task("requested", 2, "08:10", owner=ref("Organization/ed")), known).drafts == ()
    assert told(task("accepted", 4, "08:40", owner=LAB), known) == [("handoff.accepted", "08:40")]


def test_versions_are_told_apart_by_time_where_the_server_does_not_count() -> None:
    def version(status: str, clock: str) -> dict[str, object]:
        return task(status, 1, clock, meta={"versionId": "a0b1", "lastUpdated": at(clock)})

    known = reader()
    read(version("in-progress", "08:30"), known)
    assert read(version("requested", "08:00"), known).unused == ("stale",)


def test_task_without_any_time_is_not_told() -> None:
    assert read(task(meta=None, authoredOn=None, lastModified=None)).unused == ("no_time",)
    assert read(task(meta=None, authoredOn="2026-03-02", lastModified="2026-03")).unused == ("no_time",)


def test_task_without_a_time_of_its_own_has_the_servers() -> None:
    assert told(task(meta=meta(1, "08:05"), lastModified=None, authoredOn=None)) == [("handoff.offered", "08:05")]
