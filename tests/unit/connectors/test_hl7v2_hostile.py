"""The worst that could be thought of: no input takes long or much memory, and none says what it should not."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Mapping

import pytest

from schemas.errors import InvalidEvent
from streams.gateway.connectors.connector import RoleKind
from streams.gateway.connectors.hl7v2 import Hl7v2, acknowledge
from streams.gateway.connectors.hl7v2.er7 import MAX_BYTES
from streams.gateway.edge.draft import Reading
from tests.unit.connectors.context import RECEIVED_AT, context, delivery
from tests.unit.connectors.payloads_hl7v2 import adt, header, message

LIMIT_MS, LIMIT_MIB = 100.0, 16.0
A01, ORM, ORU, MDM = (message(header(kind)) for kind in ("ADT^A01", "ORM^O01", "ORU^R01", "MDM^T01"))
N = MAX_BYTES - 1000


def charset(name: str) -> bytes:
    return message(header("ADT^A01", {18: name}))


HOSTILE: Mapping[str, bytes] = {
    "fields": A01 + b"PV1" + b"|" * N,
    "components": A01 + b"PV1|||" + b"^" * N,
    "repetitions": A01 + b"PV1|||" + b"~" * N,
    "subcomponents": A01 + b"PV1|||" + b"&" * N,
    "escapes": A01 + b"PV1|||" + b"\\X41\\" * (N // 5),
    "one escape": A01 + b"PV1|||\\X" + b"41" * (N // 2) + b"\\",
    "line ends": A01 + b"\r" * N,
    "empty segments": A01 + b"A\r" * (N // 2),
    "visits": A01 + b"PV1\r" * 9900,
    "swapped visits": message(header("ADT^A17")) + b"PID|1\rPV1|||W||||||||||||||||1\r" * 4900,
    "orders": ORM + b"ORC|NW|1||||||||||||||||ORG\rOBR||||||||||||||||||||||||LAB\r" * 500,
    "orders without tests": ORM + b"ORC|NW|1\r" * 9900,
    "results": ORU + b"OBR||1||X|||||||||||||||||||||LAB|F\r" * 1000,
    "observations": ORU + b"OBR|1|2\r" + b"OBX|1|2|3\r" * 9800,
    "one observation": ORU + b"OBR|1|2\rOBX|1|ED|||" + b"QUJD" * (N // 4),
    "document": MDM + b"TXA|" + b"|" * N,
    "messages": (A01 + b"PV1|||W||||||||||||||||1\r") * 200,
    "too many messages": A01 * 5000,
    "no text": A01 + b"PV1|||" + b"\xff" * N,
    "no text in an unknown character set": charset("KLINGON") + b"PV1|||" + b"\xff" * N,
    "no text in GB 18030": charset("GB 18030-2000") + b"PV1|||" + b"\xff\x81" * (N // 2),
    "no text in BIG-5": charset("BIG-5") + b"PV1|||" + b"\xff" * N,
    "header without an end": b"MSH|^~\\&|" + b"x" * N,
    "header of separators": b"MSH|^~\\&" + b"|" * N,
    "header of nothing else": b"MSH" + b"|" * N,
    "zeros": b"\0" * N,
    "batch headers": b"FHS|^~\\&\r" * 9000,
    "longest number": adt("A01", visit="9" * N),
    "too large": b"MSH|^~\\&|" + b"x" * (2 * MAX_BYTES),
}


class Everybody(dict[str, str]):
    """A map that knows everything, so that everything becomes an event."""

    def get(self, _name: str, default: str | None = None) -> str:  # type: ignore[override]
        return "role"


def read(body: bytes) -> Reading | InvalidEvent:
    everything: Mapping[RoleKind, Mapping[str, str]] = {"location": Everybody(), "organization": Everybody()}
    told = context(roles=everything, actors=Everybody(), options={"work_item": "order", "documents": {"DS": ["r"]}})
    try:
        return Hl7v2().read(delivery(body), told)
    except InvalidEvent as invalid:
        return invalid


@pytest.mark.parametrize("name", HOSTILE)
def test_no_message_takes_long(name: str) -> None:
    body, took_ms = HOSTILE[name], []
    for _ in range(3):
        began = time.process_time()
        read(body)
        acknowledge(body, "accepted", at=RECEIVED_AT)
        took_ms.append((time.process_time() - began) * 1000)
    assert min(took_ms) < LIMIT_MS


@pytest.mark.parametrize("name", HOSTILE)
def test_no_message_takes_much_memory(name: str) -> None:
    tracemalloc.start()
    try:
        read(HOSTILE[name])
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak / 2**20 < LIMIT_MIB


def test_more_orders_or_messages_than_people_send_are_refused_and_not_cut_off() -> None:
    told = [read(HOSTILE[name]) for name in ("orders without tests", "too many messages", "line ends", "too large")]
    assert [each.code if isinstance(each, InvalidEvent) else each for each in told] == [
        "too_many_orders",
        "too_many_messages",
        "too_many_segments",
        "too_large",
    ]
    orders = read(HOSTILE["orders"])
    assert isinstance(orders, Reading)
    assert len(orders.drafts) == 500


def test_no_error_repr_or_code_repeats_what_a_patients_record_says() -> None:
    secret = "SURNAME"
    for body in (
        adt("A01", occurred=secret),
        adt(secret),
        adt("A01", msh={9: secret, 11: secret, 12: secret, 18: secret}),
        adt("A01", place=f"\\X{secret}\\{chr(1)}"),
        message(header("ORM^O01"), f"ORC|{secret}|{secret}"),
        message(header("ORU^R01"), f"OBR||{secret}||||||||||||||||||||||{secret}"),
        secret.encode(),
    ):
        told = read(body)
        said = str(told) if isinstance(told, InvalidEvent) else repr(told.unused)
        assert secret not in said
        assert secret not in repr(delivery(body))
        answer = acknowledge(body, "unusable", "bad_time", "EVN-6", at=RECEIVED_AT).decode("latin-1")
        assert secret not in answer.partition("MSA")[2]


def test_people_in_drafts_are_not_in_their_repr() -> None:
    told = read(adt("A01", operator="SURNAME"))
    assert isinstance(told, Reading)
    assert told.drafts
    assert "SURNAME" not in repr(told)
