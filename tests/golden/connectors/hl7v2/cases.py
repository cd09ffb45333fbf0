"""Every published sample as a plain source would read it; orders, results and documents also with roles known.

The samples leave out who orders and who fulfils, so the second reading gets that from maps and settings.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from streams.gateway.connectors.connector import Context
from streams.gateway.connectors.hl7v2 import Hl7v2
from tests.golden.connectors.golden import Case, Suite
from tests.unit.connectors.context import context, delivery

_WITH_ROLES = ("ORM", "OML", "MDHHS-OML", "LRI", "LAB-ORU", "MDM")


class _Everybody(dict[str, str]):
    """Whoever it is, is a physician: the samples' people need no names here."""

    def get(self, _name: str, default: str | None = None) -> str:  # type: ignore[override]
        return "physician"


def _plain() -> Context:
    return context("hospital", options={"processing_ids": ["P", "T"]})


def _with_roles() -> Context:
    return context(
        "hospital",
        roles={
            "location": {"CCU": "cardiac-care", "RADUnit01": "clinic", "LABUnit01": "clinic"},
            "organization": {
                "EHRApp": "diagnostics",
                "NIST Test Lab APP": "laboratory",
                "SomeSystem": "laboratory",
                "MDHHS": "state-laboratory",
                "Detroit City Hospital": "hospital",
            },
        },
        actors=_Everybody(),
        options={
            "processing_ids": ["P", "T"],
            "work_item": "order",
            "orderer": ["ordering_provider", "ordering_facility", "patient_location"],
            "orders_expect_reply": True,
            "documents": {"DI": ["cardiac-care"]},
            "zone": "America/Chicago",
        },
    )


def cases(fixtures: Path) -> Iterable[Case]:
    for path in sorted(fixtures.iterdir()):
        body = path.read_bytes()
        yield Case(path.name, delivery(body), _plain())
        if path.name.startswith(_WITH_ROLES):
            yield Case(f"{path.name}@roles", delivery(body), _with_roles())


SUITE = Suite(Hl7v2(), cases, fixtures="fixtures/hl7v2")
