"""Builders of HL7 v2 messages for tests: fields by their number, everything else empty."""

from __future__ import annotations

from collections.abc import Mapping

AT = "20260302081500+0000"


def segment(name: str, fields: Mapping[int, str] | None = None) -> str:
    """A segment with these fields, in the usual separators."""
    numbers = fields or {}
    return "|".join([name, *(numbers.get(number, "") for number in range(1, max(numbers, default=0) + 1))])


def header(kind: str, fields: Mapping[int, str] | None = None) -> str:
    """An MSH of that type (`ADT^A01`). MSH-1 is the separator, so field numbers are shifted by one."""
    told = {2: "^~\\&", 3: "HIS", 4: "NORTH", 5: "TIELINE", 7: AT, 9: kind, 10: "C1", 11: "P", 12: "2.5.1"}
    told |= fields or {}
    return segment("MSH", {number - 1: text for number, text in told.items()})


def message(*segments: str, end: str = "\r") -> bytes:
    """Segments as a message."""
    return "".join(f"{line}{end}" for line in segments).encode()


def adt(
    trigger: str,
    *,
    place: str = "ICU^12^1^NORTH",
    visit: str = "V1",
    at: str = AT,
    occurred: str = "",
    operator: str = "",
    pv1: Mapping[int, str] | None = None,
    msh: Mapping[int, str] | None = None,
) -> bytes:
    """An ADT message about one visit; `at` is when it was recorded (EVN-2)."""
    return message(
        header(f"ADT^{trigger}", msh),
        segment("EVN", {2: at, 5: operator, 6: occurred}),
        segment("PID", {3: "4711^^^NORTH^MR", 5: "SURNAME^GIVEN"}),
        segment("PV1", {2: "I", 3: place, 19: visit} | dict(pv1 or {})),
    )


def order(control: str = "NW", *, orc: Mapping[int, str] | None = None, obr: Mapping[int, str] | None = None) -> bytes:
    """An ORM message with one order of the visit V1, from the ward 4E to the laboratory."""
    return message(
        header("ORM^O01"),
        segment("PV1", {3: "4E^^^NORTH", 19: "V1"}),
        segment("ORC", {1: control, 2: "P77^CPOE", 9: AT, 12: "D9^SURNAME", 17: "4E^Ward"} | dict(orc or {})),
        segment("OBR", {2: "P77^CPOE", 4: "GLU^Glucose", 24: "LAB"} | dict(obr or {})),
    )


def result(status: str = "F", *, orc: Mapping[int, str] | None = None, obr: Mapping[int, str] | None = None) -> bytes:
    """An ORU message with the result of that order."""
    told = {
        2: "P77^CPOE",
        3: "F5^LIS",
        4: "GLU^Glucose",
        22: "20260302093000+0000",
        24: "LAB",
        25: status,
        32: "T3&NAME",
    }
    return message(
        header("ORU^R01"),
        segment("PV1", {3: "4E^^^NORTH", 19: "V1"}),
        segment("ORC", {1: "RE", 2: "P77^CPOE", 17: "4E"} | dict(orc or {})),
        segment("OBR", told | dict(obr or {})),
        segment("OBX", {1: "1", 5: "free text", 16: "T4^SURNAME"}),
    )
