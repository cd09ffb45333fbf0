"""HL7 v2: the connector, the acknowledgement of whatever it was given, and the contract of what came out."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from zlib import crc32

from schemas.errors import InvalidEvent
from streams.gateway.connectors.connector import Context
from streams.gateway.connectors.hl7v2 import Hl7v2, acknowledge, verdict_of
from tests.fuzz.target import Target
from tests.golden.connectors.golden import event
from tests.unit.connectors.context import context, delivery
from tests.unit.connectors.payloads_hl7v2 import adt, order, result

_AT = datetime(2026, 3, 2, tzinfo=UTC)
_TRIGGERS = ("A01", "A02", "A03", "A04", "A08", "A09", "A10", "A11", "A12", "A13", "A17", "A21", "A54", "A55")


class _Everyone(dict[str, str]):
    """A map that knows everybody and every place."""

    def get(self, _name: str, default: str | None = None) -> str:  # type: ignore[override]
        return "role"


def _contexts() -> Sequence[Context]:
    everything = {
        "processing_ids": ["P", "T", "D"],
        "zone": "Europe/Berlin",
        "work_item": "order",
        "visit": ["PV1-50", "PID-18", "PV1-19"],
        "documents": {"DI": ["ward"], "DS": ["ward"]},
        "orders_expect_reply": True,
    }
    told = _Everyone()
    return context(), context(roles={"location": told, "organization": told}, actors=told, options=everything)


_CONTEXTS = _contexts()


def run(data: bytes) -> None:
    """Raises: InvalidEvent; AssertionError: a promise is broken."""
    try:
        reading = Hl7v2().read(delivery(data), _CONTEXTS[crc32(data) % len(_CONTEXTS)])
    except InvalidEvent as invalid:
        _acknowledge(data, invalid)
        raise
    _acknowledge(data, None)
    assert reading.drafts or reading.unused, "a delivery of which nothing is told"
    assert all(draft.id and draft.subject for draft in reading.drafts), "an event of nothing"
    for draft in reading.drafts[:50]:
        with suppress(InvalidEvent):
            event(draft, "hospital")


def _acknowledge(data: bytes, refusal: InvalidEvent | None) -> None:
    verdict = verdict_of(refusal.code) if refusal else "accepted"
    code, field = (refusal.code, refusal.field) if refusal else ("", "")
    answer = acknowledge(data, verdict, code, field, at=_AT, always=True)
    assert len(answer) < 8192, "an acknowledgement that grows with the message"
    assert answer.count(b"\r") in (0, 2, 3), "an acknowledgement of other segments than MSH, MSA and ERR"
    assert not set(answer) & {0x0B, 0x1C}, "an acknowledgement that breaks its frame"


def seeds() -> Sequence[bytes]:
    """Our own messages, and the published samples where they are."""
    own = [
        *(adt(trigger, operator="OP7", pv1={7: "D9", 11: "XRAY"}) for trigger in _TRIGGERS),
        *(order(control) for control in ("NW", "CA", "SC", "UA")),
        *(result(status) for status in ("F", "C", "P")),
        b"FHS|^~\\&\rBHS|^~\\&\r" + adt("A01") + adt("A03", msh={18: "8859/1"}) + b"BTS|2\rFTS|1\r",
    ]
    folder = Path(os.environ.get("TIELINE_SHARED") or Path(__file__).parents[3] / "shared") / "fixtures" / "hl7v2"
    return own + [path.read_bytes() for path in sorted(folder.glob("*.hl7"))]


TARGET = Target(
    run=run,
    seeds=seeds,
    tokens=(
        *(
            b"|",
            b"^",
            b"~",
            b"\\",
            b"&",
            b"\r",
            b"\n",
            b'""',
            b"#",
            b"\x0b",
            b"\x1c",
            b"\\X41\\",
            b"\\.sp99999\\",
            b"\\F\\",
        ),
        *(
            b"MSH|^~\\&|",
            b"\rPV1|",
            b"\rEVN|",
            b"\rORC|NW|",
            b"\rOBR|",
            b"\rTXA|",
            b"BHS|",
            b"FTS|",
            b"ADT^A08",
            b"ORU^R01",
        ),
        *(b"20260302081500+0000", b"19700101", b"+9999", b"8859/2", b"UNICODE UTF-8", b"GB 18030-2000", b"T", b"3.0"),
    ),
    max_bytes=1 << 20,
)
