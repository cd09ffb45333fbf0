"""What the tests build is FHIR: it passes the models of R4B and R5."""

from __future__ import annotations

from typing import Any

import pytest

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


def _model(version: str, payload: Json) -> Any:
    module = pytest.importorskip(f"fhir.resources{'.R4B' if version == 'R4B' else ''}")
    return module.get_fhir_model_class(payload["resourceType"])


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
    _model(version, payload).model_validate(payload)
