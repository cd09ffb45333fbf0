"""What a sender is answered."""

from __future__ import annotations

from datetime import UTC, datetime

import hl7
import pytest

from streams.gateway.connectors.hl7v2 import acknowledge, verdict_of
from streams.gateway.connectors.hl7v2.acknowledgement import Verdict
from tests.unit.connectors.payloads_hl7v2 import adt, header, message

AT = datetime(2026, 3, 2, 8, 15, 30, tzinfo=UTC)


def lines(body: bytes, verdict: Verdict = "accepted", code: str = "", field: str = "", **options: bool) -> list[str]:
    answer = acknowledge(body, verdict, code, field, at=AT, **options).decode()
    assert not answer or answer.endswith("\r")
    return answer.split("\r")[:-1]


@pytest.mark.parametrize(("verdict", "code"), [("accepted", "AA"), ("unusable", "AE"), ("refused", "AR")])
def test_verdict_is_told_with_the_control_id_of_the_message(verdict: Verdict, code: str) -> None:
    assert lines(adt("A01"), verdict)[1] == f"MSA|{code}|C1"


def test_answer_goes_back_to_where_the_message_came_from() -> None:
    head = hl7.parse(acknowledge(adt("A01", msh={5: "TL", 6: "SOUTH"}), "accepted", at=AT).decode()).segment("MSH")
    assert [str(head[number]) for number in (3, 4, 5, 6)] == ["TL", "SOUTH", "HIS", "NORTH"]
    assert [str(head[number]) for number in (7, 9, 11, 12)] == ["20260302081530+0000", "ACK^A01^ACK", "P", "2.5.1"]
    assert len(str(head[10])) == 20


def test_error_names_the_field_and_never_its_value() -> None:
    answer = lines(adt("A01", operator="SURNAME"), "unusable", "bad_time", "EVN-6")
    assert answer[2] == "ERR||EVN^1^6|102^Data type error^HL70357|E|||bad_time"
    assert not [line for line in answer if "SURNAME" in line]


@pytest.mark.parametrize(
    ("code", "verdict", "number"),
    [
        ("not_hl7", "refused", "100"),
        ("missing_field", "unusable", "101"),
        ("bad_time", "unusable", "102"),
        ("schema", "unusable", "102"),
        ("unsupported_type", "refused", "200"),
        ("unsupported_processing_id", "refused", "202"),
        ("unsupported_version", "refused", "203"),
        ("too_large", "refused", "207"),
        ("unavailable", "refused", "207"),
    ],
)
def test_code_decides_between_rejected_and_in_error(code: str, verdict: Verdict, number: str) -> None:
    assert verdict_of(code) == verdict
    assert lines(adt("A01"), verdict, code)[2].split("|")[3].startswith(f"{number}^")


@pytest.mark.parametrize(
    ("commit", "application", "accepted", "unusable"),
    [
        ("", "", "AA", "AE"),
        ("AL", "NE", "CA", "CE"),
        ("AL", "AL", "CA", "CE"),
        ("NE", "AL", "AA", "AE"),
        ("", "AL", "AA", "AE"),
        ("NE", "NE", "", ""),
        ("ER", "NE", "", "CE"),
        ("SU", "NE", "CA", ""),
        ("ER", "AL", "AA", "CE"),
        ("NE", "ER", "", "AE"),
        ("??", "", "CA", "CE"),
    ],
)
def test_sender_gets_the_acknowledgement_that_it_asks_for(
    commit: str, application: str, accepted: str, unusable: str
) -> None:
    body = adt("A01", msh={15: commit, 16: application})
    assert [(lines(body, verdict) or ["", ""])[1][4:6] for verdict in ("accepted", "unusable")] == [accepted, unusable]


def test_http_is_answered_in_any_case() -> None:
    assert lines(adt("A01", msh={15: "NE", 16: "NE"}), always=True)[1] == "MSA|AA|C1"


@pytest.mark.parametrize("kind", ["ACK", "ACK^A01^ACK", "MCF"])
def test_acknowledgement_is_never_acknowledged(kind: str) -> None:
    assert lines(message(header(kind)), always=True) == []


def test_answer_is_in_the_separators_and_bytes_of_the_sender() -> None:
    body = (
        adt("A01", msh={4: "Süd", 18: "8859/1"}).decode().translate(str.maketrans("|^~\\&", "#!*@%")).encode("latin-1")
    )
    answer = acknowledge(body, "accepted", at=AT)
    assert answer.startswith(b"MSH#!*@%#TIELINE##HIS#S\xfcd#")
    assert b"#8859/1\rMSA#AA#C1\r" in answer


def test_batch_is_answered_as_a_whole_by_its_own_id() -> None:
    assert lines(b"BHS|^~\\&|HIS|NORTH|TL|SOUTH|20260302||||B9\r" + adt("A01"))[1] == "MSA|AA|B9"


@pytest.mark.parametrize(
    "body", [b"", b"GET / HTTP/1.1", b"MSH", b"MSH|||||", b"\xff" * 99, b"x|x|x|x|x|x|x|x|x|x|NAME"]
)
def test_what_is_not_hl7_is_rejected_without_repeating_any_of_it(body: bytes) -> None:
    answer = lines(body, "refused", "not_hl7")
    assert answer[0].startswith("MSH|^~\\&|||||20260302081530+0000||ACK|")
    assert answer[1] == "MSA|AR|"
    assert "NAME" not in "".join(answer)


def test_header_cannot_smuggle_frames_or_segments_into_the_answer() -> None:
    body = adt("A01", msh={10: "C1\x1c\x0bMSA", 4: "x" * 5000})
    answer = acknowledge(body, "accepted", at=AT)
    assert answer.count(b"\r") == 2
    assert b"\x1c" not in answer
    assert len(answer) < 300


def test_error_codes_and_fields_that_are_none_are_not_told() -> None:
    assert lines(adt("A01"), "unusable", "Süß|x", "PV1-19|x")[2] == "ERR|||102^Data type error^HL70357|E|||"
