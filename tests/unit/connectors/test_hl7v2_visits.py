"""ADT messages as changes of whose a visit is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from schemas.errors import InvalidEvent
from streams.gateway.connectors.connector import Context
from streams.gateway.connectors.hl7v2 import Hl7v2
from streams.gateway.connectors.snapshots import SnapshotStore
from streams.gateway.edge.draft import Draft, Reading
from tests.unit.connectors.context import InMemorySnapshots, context, delivery
from tests.unit.connectors.payloads_hl7v2 import adt, header, message, segment

LATER = "20260302100000+0000"


def read(body: bytes, told: Context | None = None) -> Reading:
    return Hl7v2().read(delivery(body), told or context())


def said(reading: Reading) -> list[tuple[str, Any]]:
    """Verb and role (or reason) of each draft."""
    return [(draft.type.split(".")[2], next(iter(draft.data.values()), "")) for draft in reading.drafts]


def only(reading: Reading) -> Draft:
    (draft,) = reading.drafts
    return draft


@pytest.mark.parametrize("trigger", ["A01", "A04"])
def test_admission_opens_the_visit_and_gives_it_to_its_location(trigger: str) -> None:
    reading = read(adt(trigger))
    assert said(reading) == [("opened", ""), ("assigned", "ICU")]
    assert {draft.subject for draft in reading.drafts} == {"V1"}
    assert {draft.site for draft in reading.drafts} == {"NORTH"}


@pytest.mark.parametrize("trigger", ["A02", "A06", "A07", "A12"])
def test_transfer_and_its_cancellation_give_the_visit_to_the_location_told(trigger: str) -> None:
    assert said(read(adt(trigger, place="WARD^3", pv1={6: "ED^1"}))) == [("assigned", "WARD")]


@pytest.mark.parametrize("trigger", ["A03", "A11"])
def test_discharge_and_cancelled_admission_close_the_visit(trigger: str) -> None:
    assert said(read(adt(trigger))) == [("closed", "")]


def test_cancelled_discharge_reopens_the_visit_where_it_is_now() -> None:
    assert said(read(adt("A13", place="WARD"))) == [("reopened", ""), ("assigned", "WARD")]


def test_swap_gives_both_visits_a_new_owner() -> None:
    body = message(
        header("ADT^A17"),
        segment("EVN", {2: LATER}),
        segment("PV1", {3: "WARD", 19: "V1"}),
        segment("PV1", {3: "ICU", 19: "V2"}),
    )
    reading = read(body)
    assert [(draft.subject, draft.data["role"]) for draft in reading.drafts] == [("V1", "WARD"), ("V2", "ICU")]


def test_event_time_is_when_it_occurred_else_when_it_was_recorded_else_when_it_was_sent() -> None:
    occurred = only(read(adt("A02", at=LATER, occurred="20260302090000+0100")))
    recorded = only(read(adt("A02", at=LATER)))
    sent = only(read(adt("A02", at="")))
    assert [draft.time.isoformat() for draft in (occurred, recorded, sent)] == [
        "2026-03-02T08:00:00+00:00",
        "2026-03-02T10:00:00+00:00",
        "2026-03-02T08:15:00+00:00",
    ]


@pytest.mark.parametrize("trigger", ["A11", "A12", "A13"])
def test_cancellation_has_its_own_time_not_that_of_what_it_cancels(trigger: str) -> None:
    reading = read(adt(trigger, at=LATER, occurred="20260301080000+0000"))
    assert {draft.time.isoformat() for draft in reading.drafts} == {"2026-03-02T10:00:00+00:00"}


def test_what_ends_something_in_the_same_minute_comes_after_it() -> None:
    discharged, reopened = only(read(adt("A03"))), read(adt("A13")).drafts[0]
    departed, arrived = only(read(adt("A09", pv1={11: "XRAY"}))), read(adt("A10")).drafts[0]
    assert discharged.sequence < reopened.sequence
    assert departed.sequence < arrived.sequence


def test_id_does_not_depend_on_control_id_bed_or_digits_of_the_time() -> None:
    first = only(read(adt("A02", place="ICU^12^1", at="202603020815+0000", msh={10: "C1"})))
    again = only(read(adt("A02", place="ICU", at="20260302081500.0000+0000", msh={10: "C2", 7: LATER})))
    assert first.id == again.id


def test_two_transfers_in_one_minute_are_two_events() -> None:
    assert only(read(adt("A02", place="CT"))).id != only(read(adt("A02", place="ICU"))).id


@pytest.mark.parametrize(
    ("told", "role"),
    [
        ({"ICU^12^1^NORTH": "bed", "ICU^12": "room", "ICU": "unit"}, "bed"),
        ({"ICU^12": "room", "ICU": "unit", "^^^NORTH": "house"}, "room"),
        ({"ICU^^^NORTH": "unit of a house", "ICU": "unit"}, "unit of a house"),
        ({"^^^NORTH": "house"}, "house"),
        ({}, "ICU"),
    ],
)
def test_most_specific_entry_of_the_map_wins(told: dict[str, str], role: str) -> None:
    assert said(read(adt("A02"), context(roles={"location": told}))) == [("assigned", role)]


def test_facility_alone_is_no_role() -> None:
    reading = read(adt("A02", place="^^^NORTH"))
    assert (reading.drafts, reading.unused) == ((), ("no_role",))


def test_admission_without_a_location_still_opens_the_visit() -> None:
    reading = read(adt("A01", place=""))
    assert said(reading) == [("opened", "")]
    assert reading.unused == ("no_role",)


def test_owner_may_be_the_hospital_service() -> None:
    told = context(options={"owner": "service"}, roles={"group": {"MED": "medicine"}})
    assert said(read(adt("A02", pv1={10: "MED"}), told)) == [("assigned", "medicine")]


@pytest.mark.parametrize(("choice", "site"), [("facility", "NORTH"), ("point_of_care", "ICU"), ("none", "")])
def test_site_is_as_settings_choose(choice: str, site: str) -> None:
    assert only(read(adt("A02"), context(options={"site": choice}))).site == site


def test_patient_is_never_the_work_item() -> None:
    assert read(adt("A01", visit="")).unused == ("no_visit",)
    assert read(adt("A01", visit='""')).unused == ("no_visit",)


def test_visit_number_comes_from_the_first_chosen_field_that_has_one() -> None:
    told = context(options={"visit": ["PV1-50", "PV1-19"]})
    assert only(read(adt("A02", pv1={50: "ALT^^^X"}), told)).subject == "ALT"
    assert only(read(adt("A02"), told)).subject == "V1"


def test_actor_is_the_operators_id_and_nobody_where_only_a_name_is_told() -> None:
    draft = only(read(adt("A02", operator="OP7^SURNAME^GIVEN~OP8")))
    assert draft.actor is not None
    assert (draft.actor.name, draft.actor.kind) == ("OP7", "unknown")
    assert only(read(adt("A02", operator="^SURNAME^GIVEN"))).actor is None


def test_temporary_location_pauses_the_visit_and_leaves_it_whose_it_was() -> None:
    assert said(read(adt("A09", place="ICU", pv1={11: "XRAY"}))) == [("paused", "temporary_location")]
    assert said(read(adt("A09", place="ICU", pv1={42: "WARD"}))) == [("paused", "in_transit")]
    assert read(adt("A09", place="ICU")).unused == ("adt.a09",)


def test_arrival_to_stay_resumes_the_visit_and_arrival_at_a_temporary_location_does_not() -> None:
    assert said(read(adt("A10", place="WARD"))) == [("resumed", ""), ("assigned", "WARD")]
    assert read(adt("A10", place="WARD", pv1={11: "XRAY"})).unused == ("temporary_location",)


def test_leave_of_absence_pauses_and_return_resumes() -> None:
    assert said(read(adt("A21"))) == [("paused", "leave_of_absence")]
    assert said(read(adt("A22"))) == [("resumed", "")]


@pytest.mark.parametrize("trigger", ["A54", "A55"])
def test_change_of_the_attending_gives_the_visit_to_the_role_that_the_map_knows(trigger: str) -> None:
    body = adt(trigger, pv1={7: "D9^SURNAME^GIVEN"})
    assert said(read(body, context(actors={"D9": "hospitalist"}))) == [("assigned", "hospitalist")]
    assert read(body).unused == ("no_role",)


@pytest.mark.parametrize("trigger", ["A05", "A15", "A28", "A31", "A40", "A60"])
def test_what_changes_nobodys_responsibility_is_not_used(trigger: str) -> None:
    assert read(adt(trigger)).unused == (f"adt.{trigger.lower()}",)


def test_unknown_triggers_share_one_code() -> None:
    assert read(adt("Z99")).unused == ("adt.other",)


class TestUpdates:
    """A08 is a state, used only as a change against what was told before."""

    def test_first_state_says_nothing(self) -> None:
        assert read(adt("A08")).unused == ("first_state",)

    def test_same_location_is_no_change(self) -> None:
        told = context(snapshots=InMemorySnapshots())
        read(adt("A01"), told)
        assert read(adt("A08", at=LATER, place="ICU^99"), told).unused == ("no_change",)

    def test_other_location_is_a_new_owner(self) -> None:
        told = context(snapshots=InMemorySnapshots())
        read(adt("A01"), told)
        assert said(read(adt("A08", at=LATER, place="WARD"), told)) == [("assigned", "WARD")]

    def test_other_attending_is_a_new_owner_where_both_are_known(self) -> None:
        told = context(snapshots=InMemorySnapshots(), actors={"D1": "surgery", "D2": "medicine"})
        read(adt("A01", pv1={7: "D1"}), told)
        assert read(adt("A08", at=LATER, pv1={7: "D3"}), told).unused == ("no_change",)
        assert said(read(adt("A08", at=LATER, pv1={7: "D2"}), told)) == [("assigned", "medicine")]

    def test_update_of_an_ended_visit_does_not_open_it_again(self) -> None:
        told = context(snapshots=InMemorySnapshots())
        read(adt("A03"), told)
        assert read(adt("A08", at=LATER, place="WARD"), told).unused == ("closed",)
        assert read(adt("A08", at=LATER, place="HOME"), told).unused == ("closed",)

    def test_state_older_than_what_is_known_changes_nothing(self) -> None:
        told = context(snapshots=InMemorySnapshots())
        read(adt("A02", at=LATER), told)
        assert read(adt("A08", place="WARD"), told).unused == ("out_of_order",)
        assert read(adt("A08", at=LATER), told).unused == ("no_change",)

    def test_transfer_of_a_patient_who_had_departed_also_ends_the_pause(self) -> None:
        told = context(snapshots=InMemorySnapshots())
        read(adt("A01"), told)
        read(adt("A09", place="OR", pv1={11: "XRAY"}), told)
        assert read(adt("A08", at=LATER), told).unused == ("no_change",)
        assert said(read(adt("A02", at=LATER, place="WARD"), told)) == [("resumed", ""), ("assigned", "WARD")]
        assert said(read(adt("A02", at=LATER, place="ICU"), told)) == [("assigned", "ICU")]

    def test_states_are_compared_across_deliveries_through_the_gateways_file(self, tmp_path: Path) -> None:
        store = SnapshotStore(tmp_path / "snapshots.db")
        told = []
        for body in (adt("A01"), adt("A08", at=LATER), adt("A08", at=LATER, place="WARD")):
            snapshots = store.of("his")
            told.append(Hl7v2().read(delivery(body), replace(context(), snapshots=snapshots)))
            snapshots.commit()
        store.close()
        assert told[1].unused == ("no_change",)
        assert said(told[2]) == [("assigned", "WARD")]

    def test_snapshots_hold_roles_and_times_and_no_person(self) -> None:
        kept = InMemorySnapshots()
        read(adt("A01", operator="OP7", pv1={7: "D1^SURNAME"}), context(snapshots=kept, actors={"D1": "surgery"}))
        assert kept.kept == {
            "visit:V1": {
                "order": "2026-03-02T08:15:00.000000+00:00",
                "role": "ICU",
                "attending": "surgery",
                "closed": False,
                "away": False,
            }
        }


def test_time_that_cannot_be_read_refuses_the_message_by_field() -> None:
    with pytest.raises(InvalidEvent, match=r"^bad_time at EVN-6$"):
        read(adt("A02", occurred="yesterday"))
