"""Bytes to messages: separators, character sets, escapes, line ends, batches."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import hl7
import pytest

from schemas.errors import InvalidEvent
from streams.gateway.connectors.connector import Delivery
from streams.gateway.connectors.hl7v2 import Hl7v2
from streams.gateway.connectors.hl7v2.er7 import read_message, split_messages, unframed
from streams.gateway.edge.draft import Reading
from tests.unit.connectors.context import RECEIVED_AT, context, delivery
from tests.unit.connectors.payloads_hl7v2 import adt, header, message, segment


def read(body: bytes, **options: object) -> Reading:
    return Hl7v2().read(delivery(body), context(options=options))


def role(body: bytes) -> object:
    """Whose the visit is after a transfer."""
    (draft,) = read(body).drafts
    return draft.data["role"]


def refused(body: bytes, **options: object) -> str:
    with pytest.raises(InvalidEvent) as refusal:
        read(body, **options)
    return str(refusal.value)


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n", "\n\r\n"])
def test_line_ends_do_not_matter(end: str) -> None:
    assert read(adt("A02").replace(b"\r", end.encode())) == read(adt("A02"))


@pytest.mark.parametrize("before", [b"\xef\xbb\xbf", b"\x0b", b"\r\n", b" "])
def test_what_transports_leave_around_a_message_does_not_matter(before: bytes) -> None:
    assert read(before + adt("A02") + b"\x1c\r") == read(adt("A02"))


def test_message_says_itself_what_separates() -> None:
    usual = adt("A02", place="ICU&WING^12", pv1={7: "A~B"})
    odd = usual.decode().translate(str.maketrans("|^~\\&", "#!*@%")).encode()
    assert read(odd) == read(usual)


def test_separators_that_a_header_leaves_out_are_as_usual() -> None:
    assert role(adt("A02", place="ICU^12").replace(b"MSH|^~\\&|", b"MSH|^|")) == "ICU"


@pytest.mark.parametrize(
    "start", ["MSH", "MSH|", "MSH||", "MSH|^^", "MSH|^~\\&|^", "MSHA^~\\&A", "MSH\r^", "MSH|^~~|", "MSH|1|"]
)
def test_header_without_usable_separators_is_refused(start: str) -> None:
    assert refused(start.encode()) in (
        "bad_separators at MSH-1",
        "bad_separators at MSH-2",
        "missing_field at MSH-9",
    )


@pytest.mark.parametrize("body", [b"", b"\r\r", b"{}", b"EVN|A01\r", b"\x00\x01\x02", "MSH|^~\\&|".encode("utf-16")])
def test_what_is_not_hl7_is_refused(body: bytes) -> None:
    assert refused(body) == "not_hl7"


@pytest.mark.parametrize(
    ("charset", "codec"),
    [
        ("", "utf-8"),
        ("", "latin-1"),
        ("ASCII", "utf-8"),
        ("8859/1", "latin-1"),
        ("8859/15", "iso8859-15"),
        ("8859/2", "iso8859-2"),
        ("UNICODE UTF-8", "utf-8"),
        ("UNICODE UTF-8~8859/1", "utf-8"),
        ("GB 18030-2000", "gb18030"),
    ],
)
def test_text_is_read_in_the_character_set_that_is_named_or_usual(charset: str, codec: str) -> None:
    body = adt("A02", place="Chirurgie für Ältere", msh={18: charset}).decode()
    assert role(body.encode(codec)) == "Chirurgie für Ältere"


def test_damaged_text_is_refused_only_where_it_is_used() -> None:
    named = {18: "UNICODE UTF-8"}
    used, not_used = adt("A02", place="#", msh=named), adt("A02", pv1={9: "#"}, msh=named)
    assert refused(used.replace(b"#", b"\xff")) == "bad_encoding at PV1-3"
    assert role(not_used.replace(b"#", b"\xff")) == "ICU"


def test_unknown_character_set_does_no_harm_to_plain_text() -> None:
    assert role(adt("A02", msh={18: "KLINGON"})) == "ICU"
    assert refused(adt("A02", place="#", msh={18: "KLINGON"}).replace(b"#", b"\xe4")) == "bad_encoding at PV1-3"


def test_character_set_that_hides_separators_is_refused() -> None:
    assert refused(adt("A02", msh={18: "UNICODE UTF-16"})) == "unsupported_charset at MSH-18"


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        (r"A\F\B\S\C\T\D\R\E\E\F", "A|B^C&D~E\\F"),
        (r"\X4943\U", "ICU"),
        (r"\XC3A4\rzte", "Ärzte".lower()),
        (r"ICU\.br\1", "ICU 1"),
        (r"ICU\H\1\N\\Zabc\\Q\ ", "ICU1"),
        (r"ICU\1", r"ICU\1"),
        (r"ICU\.sp99999999999\1", "ICU 1"),
        ("ICU\\\\\\\\", "ICU"),
    ],
)
def test_escape_sequences_mean_what_they_stand_for(sent: str, meant: str) -> None:
    assert role(adt("A02", place=sent)) == meant


@pytest.mark.parametrize("sent", [r"\X0D\x", r"\X00\x", "a\tb", r"\XE280A8\x"])
def test_control_characters_in_a_value_are_refused(sent: str) -> None:
    assert refused(adt("A02", place=sent)) == "control_character at PV1-3"


def test_bytes_in_an_escape_that_are_no_text_are_refused() -> None:
    assert refused(adt("A02", place=r"\XFFFE\x")) == "bad_encoding at PV1-3"


def test_value_longer_than_any_id_is_refused() -> None:
    assert refused(adt("A02", visit="9" * 257)) == "too_long at PV1-19"


def test_null_of_hl7_is_no_value() -> None:
    assert read(adt("A02", place='""')).unused == ("no_role",)


def test_segments_that_only_look_like_one_are_not_read() -> None:
    body = message(header("ADT^A02"), "PV1X|1|I|ICU||||||||||||||||V1", "PV", "", segment("PV1", {3: "WARD", 19: "V2"}))
    assert role(body) == "WARD"


class TestBatches:
    """FHS BHS … BTS FTS, or messages one after the other."""

    def test_batch_is_read_message_by_message(self) -> None:
        body = b"FHS|^~\\&\rBHS|^~\\&\r" + adt("A01") + adt("A03") + b"BTS|2\rFTS|1\r"
        assert [draft.type for draft in read(body).drafts] == [
            "tieline.work_item.opened.v1",
            "tieline.work_item.assigned.v1",
            "tieline.work_item.closed.v1",
        ]

    def test_messages_of_a_batch_may_have_separators_of_their_own(self) -> None:
        odd = adt("A02", place="WARD").decode().translate(str.maketrans("|^~\\&", "#!*@%")).encode()
        assert [draft.data["role"] for draft in read(adt("A02") + odd).drafts] == ["ICU", "WARD"]

    def test_one_bad_message_does_not_cost_the_others(self) -> None:
        reading = read(adt("A02", occurred="soon") + adt("A02"))
        assert len(reading.drafts) == 1
        assert reading.unused == ("invalid.bad_time",)

    def test_empty_batch_is_no_error(self) -> None:
        assert read(b"BHS|^~\\&\rBTS|0\r").unused == ("empty_batch",)


class TestHeader:
    """Which messages are for us at all."""

    def test_type_is_needed(self) -> None:
        assert refused(message(header(""))) == "missing_field at MSH-9"

    @pytest.mark.parametrize("kind", ["SURNAME", "ad", "A|D", "ADT^NAME"])
    def test_type_that_is_none_is_refused(self, kind: str) -> None:
        assert refused(message(header(kind))) == "unsupported_type at MSH-9"

    def test_trigger_may_be_told_by_the_event_segment_alone(self) -> None:
        body = message(
            header("ADT"), segment("EVN", {1: "A02", 2: "202603020815+0000"}), segment("PV1", {3: "W", 19: "1"})
        )
        assert role(body) == "W"

    def test_training_and_debugging_are_not_real(self) -> None:
        assert refused(adt("A02", msh={11: "T"})) == "unsupported_processing_id at MSH-11"
        assert read(adt("A02", msh={11: "T"}), processing_ids=["P", "T"]).drafts

    @pytest.mark.parametrize("version", ["3.0", "FHIR", "2.x", "2."])
    def test_other_versions_are_refused(self, version: str) -> None:
        assert refused(adt("A02", msh={12: version})) == "unsupported_version at MSH-12"

    @pytest.mark.parametrize("version", ["2.1", "2.3.1", "2.5.1^DEU", "2.9", ""])
    def test_versions_of_hl7_v2_are_read(self, version: str) -> None:
        assert read(adt("A02", msh={12: version})).drafts

    @pytest.mark.parametrize(
        ("kind", "code"), [("SIU^S12", "type.siu"), ("ACK", "type.ack"), ("ZZZ^Z01", "type.other")]
    )
    def test_other_types_are_understood_and_not_used(self, kind: str, code: str) -> None:
        assert read(message(header(kind))).unused == (code,)


def test_message_that_is_sent_again_says_the_same(shared_data: Path) -> None:
    for path in sorted((shared_data / "fixtures" / "hl7v2").iterdir()):
        body = path.read_bytes()
        again = body.replace(b"|MSG0", b"|AGAIN0").replace(b"\n", b"\r\n")
        later = Delivery(again, received_at=RECEIVED_AT + timedelta(days=2))
        told = context(options={"processing_ids": ["P", "T"]})
        assert Hl7v2().read(later, told) == Hl7v2().read(delivery(body), told), path.name


def test_fields_are_those_that_the_reference_library_reads(shared_data: Path) -> None:
    compared = 0
    for path in sorted((shared_data / "fixtures" / "hl7v2").iterdir()):
        (lines,) = split_messages(path.read_bytes())
        ours = read_message(lines)
        theirs = hl7.parse(unframed(path.read_bytes()).decode().replace("\r\n", "\n").replace("\n", "\r"))
        for name in {found.name for found in ours.segments}:
            pairs = zip([s for s in ours.segments if s.name == name], theirs.segments(name), strict=True)
            for mine, other in pairs:
                for number in range(1, min(len(other), 60)):
                    assert mine.raw(number) == str(other[number]), (path.name, name, number)
                    compared += 1
    assert compared > 5000
