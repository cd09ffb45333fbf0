"""What the tests build is FHIR: it passes the models of R4B and R5."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fhir import resources as r5
from fhir.resources import R4B as r4b  # noqa: N811 - the name of a version

from tests.unit.connectors import payloads_fhir as fhir
from tests.unit.connectors.payloads_fhir import Json

BOTH = {
    "task": fhir.task(),
    "own task": fhir.own_task("completed", executionPeriod={"start": fhir.at("08:10"), "end": fhir.at("09:00")}),
    "restricted task": fhir.task(restriction={"period": {"end": fhir.at("09:00")}}),
    "communication": fhir.communication(inResponseTo=[fhir.ref("Communication/c0")]),
    "service request": fhir.service_request(),
    "practitioner role": fhir.practitioner_role("r1", "nurse", period={"start": "2026-01-01"}),
    "bundle": fhir.bundle(fhir.task(), fhir.practitioner_role("r1", "nurse")),
    "history": fhir.bundle(fhir.task("accepted", 2), fhir.task(), type_="history"),
}
R4 = {
    "communication request": fhir.communication_request(),
    "encounter": fhir.encounter(),
    "communication with text": fhir.communication(payload=[{"contentString": "Potassium is 7.2"}]),
    "task with a reason": fhir.task("rejected", statusReason=fhir.concept("capacity")),
    "notification": fhir.notification_r4("event-notification", fhir.task()),
    "notification without content": fhir.notification_r4("event-notification", focus=["Task/t1"]),
    "heartbeat": fhir.notification_r4("heartbeat"),
}
R5 = {
    "communication request": fhir.communication_request_r5(),
    "encounter": fhir.encounter_r5(),
    "task with a reason": fhir.task("rejected", statusReason={"concept": fhir.concept("capacity")}),
    "task with a performer": fhir.task("completed", performer=[{"actor": fhir.ref("Practitioner/ben")}]),
    "task that asks": fhir.task(owner=None, requestedPerformer=[{"reference": fhir.ref("Organization/ward")}]),
    "communication with text": fhir.communication(payload=[{"contentCodeableConcept": {"text": "Potassium is 7.2"}}]),
    "notification": fhir.notification_r5("event-notification", fhir.task()),
    "notification without content": fhir.notification_r5("event-notification", focus=["Task/t1"]),
    "heartbeat": fhir.notification_r5("heartbeat"),
}


MODELS = {"R4B": r4b.get_fhir_model_class, "R5": r5.get_fhir_model_class}
GOLDEN = Path(__file__).parents[2] / "golden/connectors/fhir_r5/payloads"


@pytest.mark.parametrize(
    ("version", "payload"),
    [
        *(
            pytest.param(version, payload, id=f"{version} {name}")
            for name, payload in BOTH.items()
            for version in ("R4B", "R5")
        ),
        *(pytest.param("R4B", payload, id=f"R4B {name}") for name, payload in R4.items()),
        *(pytest.param("R5", payload, id=f"R5 {name}") for name, payload in R5.items()),
    ],
)
def test_payload_of_the_tests_is_fhir(version: str, payload: Json) -> None:
    MODELS[version](payload["resourceType"]).model_validate(payload)


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.json")), ids=lambda path: path.stem)
def test_payload_of_the_golden_files_is_fhir(path: Path) -> None:
    payload = json.loads(path.read_text(encoding="utf-8"))
    version = "R4B" if "backport" in path.stem else "R5"
    MODELS[version](payload["resourceType"]).model_validate(payload)
