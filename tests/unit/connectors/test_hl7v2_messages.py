"""Orders, results and documents as messages between roles."""

from __future__ import annotations

import pytest

from streams.gateway.connectors.connector import Context
from streams.gateway.connectors.hl7v2 import Hl7v2
from streams.gateway.edge.draft import Draft, Reading
from tests.unit.connectors.context import context, delivery
from tests.unit.connectors.payloads_hl7v2 import header, message, order, result, segment


def read(body: bytes, told: Context | None = None) -> Reading:
    return Hl7v2().read(delivery(body), told or context())


def only(body: bytes, told: Context | None = None) -> Draft:
    (draft,) = read(body, told).drafts
    return draft


def unused(body: bytes, told: Context | None = None) -> tuple[str, ...]:
    reading = read(body, told)
    assert not reading.drafts
    return reading.unused


class TestOrders:
    def test_new_order_is_a_request_from_who_orders_to_who_fulfils(self) -> None:
        draft = only(order("NW"))
        assert draft.type == "tieline.communication.sent.v1"
        assert draft.data == {"message_id": "P77", "role": "4E", "to_roles": ["LAB"], "intent": "request"}
        assert (draft.subject, draft.site, draft.time.isoformat()) == ("V1", "NORTH", "2026-03-02T08:15:00+00:00")
        assert draft.actor is not None
        assert draft.actor.name == "D9"

    def test_order_expects_a_reply_only_where_settings_say_so(self) -> None:
        assert only(order("NW"), context(options={"orders_expect_reply": True})).data["expects_reply"] is True
        assert "expects_reply" not in only(order("CA"), context(options={"orders_expect_reply": True})).data

    @pytest.mark.parametrize("control", ["CA", "DC", "XO", "HD"])
    def test_what_the_orderer_changes_is_another_message_of_the_same_direction(self, control: str) -> None:
        data = only(order(control)).data
        assert (data["role"], data["to_roles"], data["intent"]) == ("4E", ["LAB"], "request")
        assert data["message_id"] != "P77"

    @pytest.mark.parametrize("control", ["OK", "UA", "CR", "UC"])
    def test_what_the_filler_answers_goes_back_and_replies_to_the_order(self, control: str) -> None:
        draft = only(order(control))
        assert (draft.data["role"], draft.data["to_roles"]) == ("LAB", ["4E"])
        assert (draft.data["in_reply_to"], draft.data["intent"]) == ("P77", "answer")

    @pytest.mark.parametrize("control", ["SC", "OC"])
    def test_what_the_filler_tells_unasked_informs(self, control: str) -> None:
        data = only(order(control)).data
        assert (data["role"], data["intent"], data.get("in_reply_to")) == ("LAB", "inform", None)

    def test_people_of_an_order_said_nothing_of_what_the_filler_tells(self) -> None:
        assert only(order("UA")).actor is None

    @pytest.mark.parametrize("control", ["NA", "PA", "CH", "", "SURNAME"])
    def test_other_controls_are_not_used(self, control: str) -> None:
        assert unused(order(control)) == ("order.other",)

    def test_each_order_of_a_message_is_one_message_and_further_tests_are_part_of_theirs(self) -> None:
        body = order() + b"OBR||||HB\rORC|NW|P78|||||||||||||||4E\rOBR||||||||||||||||||||||||RAD\r"
        assert [(d.data["message_id"], d.data["to_roles"]) for d in read(body).drafts] == [
            ("P77", ["LAB"]),
            ("P78", ["RAD"]),
        ]

    def test_order_without_a_number_is_not_used(self) -> None:
        assert unused(order(orc={2: ""}, obr={2: ""})) == ("no_order_number",)

    def test_order_without_a_visit_is_not_used_unless_orders_are_the_work_items(self) -> None:
        body = order().replace(b"|V1", b"|")
        assert unused(body) == ("no_visit",)
        assert only(body, context(options={"work_item": "order"})).subject == "P77"

    @pytest.mark.parametrize("missing", [{17: ""}, {17: '""'}])
    def test_who_orders_is_not_guessed(self, missing: dict[int, str]) -> None:
        assert unused(order(orc=missing)) == ("no_role",)

    def test_who_fulfils_is_not_guessed(self) -> None:
        assert unused(order(obr={24: ""})) == ("no_role",)

    def test_who_orders_may_be_known_by_the_map_of_people_or_the_location(self) -> None:
        people = context(actors={"D9": "surgery"})
        location = context(options={"orderer": ["patient_location"]}, roles={"location": {"4E": "ward"}})
        assert only(order(orc={17: ""}), people).data["role"] == "surgery"
        assert only(order(orc={17: ""}), location).data["role"] == "ward"

    def test_who_fulfils_may_be_an_application_that_the_map_knows(self) -> None:
        told = context(roles={"organization": {"TIELINE": "laboratory"}})
        assert only(order(obr={24: ""}), told).data["to_roles"] == ["laboratory"]

    def test_order_is_placed_once_whatever_its_delivery(self) -> None:
        assert only(order(orc={9: ""})).id == only(order()).id

    def test_long_numbers_stay_within_the_contract_and_apart(self) -> None:
        first, second = (only(order(orc={2: "9" * 200 + end})).data["message_id"] for end in "12")
        assert first != second
        assert len(str(first)) <= 128


class TestResults:
    def test_final_result_answers_the_order(self) -> None:
        draft = only(result("F"))
        assert draft.type == "tieline.communication.sent.v1"
        assert draft.data == {
            "message_id": "P77:GLU:result",
            "role": "LAB",
            "to_roles": ["4E"],
            "in_reply_to": "P77",
            "intent": "answer",
        }
        assert draft.time.isoformat() == "2026-03-02T09:30:00+00:00"

    def test_corrected_result_corrects_the_message_that_was_final(self) -> None:
        final, corrected = only(result("F")), only(result("C", obr={22: "202603021200+0000"}))
        assert corrected.type == "tieline.communication.corrected.v1"
        assert corrected.data == {"message_id": final.data["message_id"], "role": "LAB"}

    def test_two_corrections_are_two_events(self) -> None:
        first, second = (only(result("C", obr={22: f"2026030212{minute}+0000"})) for minute in ("00", "30"))
        assert first.id != second.id

    def test_actor_is_who_interpreted_it_else_who_observed_it(self) -> None:
        interpreted, observed = only(result()).actor, only(result(obr={32: ""})).actor
        assert interpreted is not None and interpreted.name == "T3"  # noqa: PT018 - one law
        assert observed is not None and observed.name == "T4"  # noqa: PT018

    @pytest.mark.parametrize(
        ("status", "code"),
        [("P", "result.preliminary"), ("", "result.no_status"), ("X", "result.cancelled"), ("NAME", "result.other")],
    )
    def test_result_that_is_not_final_says_nothing_yet(self, status: str, code: str) -> None:
        assert unused(result(status)) == (code,)

    def test_tests_of_one_order_are_messages_of_their_own(self) -> None:
        body = (
            result()
            + segment("OBR", {2: "P77", 4: "HB", 16: "D9", 22: "202603021000+0000", 24: "LAB", 25: "F"}).encode()
        )
        told = context(actors={"D9": "4E"})
        assert [draft.data["message_id"] for draft in read(body, told).drafts] == ["P77:GLU:result", "P77:HB:result"]

    def test_results_of_several_patients_are_each_of_their_own_visit(self) -> None:
        other = result(obr={2: "P78"}).decode().replace("|V1", "|V2").split("\r", 1)[1]
        unknown = "PID|1\r" + other.split("\r", 1)[1].replace("P78", "P79")
        reading = read(result() + f"PID|1\r{other}{unknown}".encode())
        assert [(draft.subject, draft.data["in_reply_to"]) for draft in reading.drafts] == [
            ("V1", "P77"),
            ("V2", "P77"),
        ]
        assert reading.unused == ("no_visit",)

    def test_observed_values_and_texts_go_nowhere(self) -> None:
        assert "free text" not in repr(only(result()).data)
        assert only(result()).text == ""


class TestDocuments:
    def body(self, trigger: str, number: str = "DOC2", parent: str = "DOC1") -> bytes:
        return message(
            header(f"MDM^{trigger}"),
            segment("EVN", {2: "202603020900+0000"}),
            segment("PV1", {3: "4E", 19: "V1"}),
            segment("TXA", {2: "DS", 9: "D9^SURNAME", 12: number, 13: parent}),
        )

    def told(self) -> Context:
        return context(actors={"D9": "surgery"}, options={"documents": {"DS": ["general practice"]}})

    @pytest.mark.parametrize("trigger", ["T01", "T02", "T05", "T06"])
    def test_document_is_a_message_from_its_author_to_whom_its_type_is_for(self, trigger: str) -> None:
        assert only(self.body(trigger), self.told()).data == {
            "message_id": "document:DOC2",
            "role": "surgery",
            "to_roles": ["general practice"],
            "intent": "inform",
        }

    @pytest.mark.parametrize("trigger", ["T09", "T10"])
    def test_replaced_document_was_wrong(self, trigger: str) -> None:
        draft = only(self.body(trigger), self.told())
        assert draft.type == "tieline.communication.corrected.v1"
        assert draft.data == {"message_id": "document:DOC1", "role": "surgery"}

    def test_author_and_readers_are_not_guessed(self) -> None:
        assert unused(self.body("T02"), context(actors={"D9": "surgery"})) == ("no_role",)
        assert unused(self.body("T02"), context(options={"documents": {"DS": ["gp"]}})) == ("no_role",)

    def test_number_may_be_in_the_third_part_of_the_identifier(self) -> None:
        assert only(self.body("T02", "^^U9"), self.told()).data["message_id"] == "document:U9"

    def test_document_without_a_number_is_not_used(self) -> None:
        assert unused(self.body("T02", ""), self.told()) == ("no_document_number",)

    def test_other_triggers_are_not_used(self) -> None:
        assert unused(self.body("T11"), self.told()) == ("mdm.t11",)
        assert unused(self.body("ZZ1"), self.told()) == ("mdm.other",)
