"""FHIR R5 and what subscriptions send, by payloads of our own."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from streams.gateway.connectors.fhir import Fhir
from tests.golden.connectors.golden import Case, Suite
from tests.unit.connectors.context import context, delivery
from tests.unit.connectors.payloads_fhir import ACTORS, ROLES

_OPTIONS = {"reasons": {"http://codes.example|no-bed": "capacity"}}


def _cases(payloads: Path) -> Iterable[Case]:
    for path in sorted(payloads.glob("*.json")):
        known = context("ed-to-ward", roles=ROLES, actors=ACTORS, options=_OPTIONS)
        yield Case(path.name, delivery(path.read_bytes()), known)


SUITE = Suite(Fhir(), _cases)
