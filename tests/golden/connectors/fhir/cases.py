"""FHIR R4: the official examples, as a hospital would read them that maps who occurs in them to roles."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from streams.gateway.connectors.fhir import Fhir
from tests.golden.connectors.golden import Case, Suite
from tests.unit.connectors.context import context, delivery

_ACTORS = {
    "Practitioner/example": "physician",
    "Practitioner/3ad0687e-f477-468c-afd5-fcc2bf897809": "physician",
    "Practitioner/f202": "laboratory",
    "Practitioner/6789": "claims",
    "Device/f001": "laboratory",
}
_ORGANIZATIONS = {
    "Clinical Laboratory @ Acme Hospital": "laboratory",
    "Organization/example": "clinic",
    "http://nationalinsurers.com/identifiers|12345": "insurer",
    "http://www.jurisdiction.com/insurer|123456": "insurer",
    "http://www.jurisdiction.com/provideroffices|3456": "clinic",
    "Organization/f001": "medical center",
    "Organization/2": "oncology",
}
LEFT_OUT = {
    "Provenance-consent-signature.json": "says who signed something else",
    "Provenance-example.json": "says who made something else",
}


def _cases(fixtures: Path) -> Iterable[Case]:
    for path in sorted(fixtures.glob("*.json")):
        if path.name not in LEFT_OUT:
            yield Case(
                path.name,
                delivery(path.read_bytes()),
                context("orders", roles={"organization": _ORGANIZATIONS}, actors=_ACTORS),
            )


SUITE = Suite(Fhir(), _cases, fixtures="fixtures/fhir_r4", left_out=LEFT_OUT)
