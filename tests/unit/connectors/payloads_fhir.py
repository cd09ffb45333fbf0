"""Builders of FHIR resources, R4 and R5; `test_fhir_payloads.py` holds what they build against the models of FHIR."""

from __future__ import annotations

import json
from typing import Any

from streams.gateway.connectors.connector import Context
from streams.gateway.connectors.fhir import Fhir
from streams.gateway.edge.draft import Draft, Reading
from tests.unit.connectors.context import InMemorySnapshots, context, delivery

Json = dict[str, Any]

DAY = "2026-03-02T"
ROLES = {
    "organization": {"Organization/ed": "emergency", "Organization/ward": "ward", "Organization/lab": "laboratory"},
    "location": {"Location/ed": "emergency", "Location/ward": "ward", "Location/or": "theatre"},
    "practitioner_role": {"http://codes.example|nurse": "nursing", "physician": "physicians"},
    "group": {"CareTeam/stroke": "stroke team"},
    "association": {"Patient": "patient"},
}
ACTORS = {"Practitioner/anna": "emergency", "Practitioner/ben": "ward"}


def at(clock: str) -> str:
    """That time of the day of all tests, in UTC."""
    return f"{DAY}{clock}:00+00:00"


def ref(to: str, **more: object) -> Json:
    return {"reference": to, **more}


def concept(*codes: str, system: str = "http://codes.example") -> Json:
    return {"coding": [{"system": system, "code": code} for code in codes]}


def meta(version: int, clock: str) -> Json:
    return {"versionId": str(version), "lastUpdated": at(clock)}


def task(status: str = "requested", version: int = 1, clock: str = "08:00", **more: object) -> Json:
    """A Task from the emergency department to the ward about an encounter, valid in R4 and R5; None drops a field."""
    found: Json = {
        "resourceType": "Task",
        "id": "t1",
        "meta": meta(version, clock),
        "status": status,
        "intent": "order",
        "priority": "urgent",
        "encounter": ref("Encounter/e1"),
        "for": ref("Patient/p1", display="Peter Chalmers"),
        "authoredOn": at("08:00"),
        "lastModified": at(clock),
        "requester": ref("Practitioner/anna", display="Dr Anna Able"),
        "owner": ref("Practitioner/ben", display="Ben Baker"),
        **more,
    }
    return {name: value for name, value in found.items() if value is not None}


def own_task(status: str = "requested", version: int = 1, clock: str = "08:00", **more: object) -> Json:
    """As `task`, a work item of its own."""
    return task(status, version, clock, **{"encounter": None, **more})


def communication(**more: object) -> Json:
    """A message from the emergency department to the ward, valid in R4 and R5."""
    found: Json = {
        "resourceType": "Communication",
        "id": "c1",
        "status": "completed",
        "encounter": ref("Encounter/e1"),
        "sent": at("08:00"),
        "sender": ref("Practitioner/anna"),
        "recipient": [ref("Organization/ward")],
        **more,
    }
    return {name: value for name, value in found.items() if value is not None}


def communication_request(**more: object) -> Json:
    """The ward asks the laboratory to tell something (R4; `communication_request_r5` in R5)."""
    found: Json = {
        "resourceType": "CommunicationRequest",
        "id": "q1",
        "status": "active",
        "encounter": ref("Encounter/e1"),
        "authoredOn": at("08:00"),
        "occurrencePeriod": {"end": at("10:00")},
        "requester": ref("Practitioner/ben"),
        "sender": ref("Organization/lab"),
        "recipient": [ref("Organization/ward")],
        **more,
    }
    return {name: value for name, value in found.items() if value is not None}


def communication_request_r5(**more: object) -> Json:
    asked = {"intent": "order", "sender": None, "informationProvider": [ref("Organization/lab")]}
    return communication_request(**{**asked, **more})


def service_request(status: str = "active", version: int = 1, clock: str = "08:00", **more: object) -> Json:
    """An order of the emergency department for the laboratory, valid in R4 and R5."""
    found: Json = {
        "resourceType": "ServiceRequest",
        "id": "s1",
        "meta": meta(version, clock),
        "status": status,
        "intent": "order",
        "subject": ref("Patient/p1"),
        "encounter": ref("Encounter/e1"),
        "authoredOn": at("08:00"),
        "requester": ref("Practitioner/anna"),
        "performer": [ref("Organization/lab")],
        **more,
    }
    return {name: value for name, value in found.items() if value is not None}


def at_location(where: str, start: str = "", end: str = "", status: str = "") -> Json:
    period = {name: at(clock) for name, clock in (("start", start), ("end", end)) if clock}
    return {
        "location": ref(f"Location/{where}"),
        **({"status": status} if status else {}),
        **({"period": period} if period else {}),
    }


def encounter(status: str = "in-progress", version: int = 1, clock: str = "08:00", **more: object) -> Json:
    """A stay that begins in the emergency department (R4; `encounter_r5` in R5)."""
    found: Json = {
        "resourceType": "Encounter",
        "id": "e1",
        "meta": meta(version, clock),
        "status": status,
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "EMER"},
        "subject": ref("Patient/p1", display="Peter Chalmers"),
        "period": {"start": at("08:00")},
        "location": [at_location("ed", "08:00", status="active")],
        **more,
    }
    return {name: value for name, value in found.items() if value is not None}


def encounter_r5(status: str = "in-progress", version: int = 1, clock: str = "08:00", **more: object) -> Json:
    kind = concept("EMER", system="http://terminology.hl7.org/CodeSystem/v3-ActCode")
    r5 = {"class": [kind], "period": None, "actualPeriod": {"start": at("08:00")}}
    return encounter(status, version, clock, **{**r5, **more})


def practitioner_role(id_: str, *codes: str, **more: object) -> Json:
    found: Json = {
        "resourceType": "PractitionerRole",
        "id": id_,
        "practitioner": ref("Practitioner/carl", display="Carl Clever"),
        **({"code": [concept(*codes)]} if codes else {}),
        **more,
    }
    return {name: value for name, value in found.items() if value is not None}


def bundle(*resources: Json, type_: str = "collection") -> Json:
    """Entries with a `fullUrl`, as servers send them."""
    entries: list[Json] = []
    for resource in resources:
        entry: Json = {
            "fullUrl": f"http://ehr.example/fhir/{resource['resourceType']}/{resource['id']}",
            "resource": resource,
        }
        if type_ == "history":
            entry["request"] = {"method": "PUT", "url": f"{resource['resourceType']}/{resource['id']}"}
            entry["response"] = {"status": "200"}
        entries.append(entry)
    return {"resourceType": "Bundle", "type": type_, "entry": entries}


def reader(**more: Any) -> Context:
    """A context that knows the roles of all builders."""
    return context("ed-to-ward", **{"roles": ROLES, "actors": ACTORS, **more})


def read(payload: Json | bytes, known: Context | None = None) -> Reading:
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return Fhir().read(delivery(body), known or reader())


def drafts(payload: Json | bytes, known: Context | None = None) -> tuple[Draft, ...]:
    return read(payload, known).drafts


def told(payload: Json | bytes, known: Context | None = None) -> list[tuple[str, str]]:
    """Verb and time of the day of what is told."""
    return [(verb(draft), draft.time.strftime("%H:%M")) for draft in drafts(payload, known)]


def successively(*payloads: Json, **more: Any) -> list[tuple[str, str]]:
    """What is told when these are delivered one after the other."""
    known = reader(**{"snapshots": InMemorySnapshots(), **more})
    return [each for payload in payloads for each in told(payload, known)]


def verb(draft: Draft) -> str:
    return draft.type.removeprefix("tieline.").removesuffix(".v1")


def only(payload: Json | bytes, wanted: str, known: Context | None = None) -> Draft:
    """The one draft of that verb."""
    (found,) = [draft for draft in drafts(payload, known) if verb(draft) == wanted]
    return found


def notification_r5(kind: str, *resources: Json, focus: list[str] | None = None) -> Json:
    """A subscription's notification in R5; `focus`: of what did not come along."""
    foci = focus if focus is not None else [f"{each['resourceType']}/{each['id']}" for each in resources]
    status: Json = {
        "resourceType": "SubscriptionStatus",
        "id": "n1",
        "status": "active",
        "type": kind,
        "subscription": ref("Subscription/tieline"),
    }
    if foci:
        status["notificationEvent"] = [
            {"eventNumber": number, "focus": ref(each)} for number, each in enumerate(foci, start=1)
        ]
    found = bundle(status, *resources, type_="subscription-notification")
    found["entry"][0]["fullUrl"] = "urn:uuid:292d3c72-edc1-4d8a-afaa-d85e19c7f563"
    for entry in found["entry"]:
        entry["request"] = {"method": "GET", "url": "Subscription/tieline/$status"}
        entry["response"] = {"status": "200"}
    return found


def notification_r4(kind: str, *resources: Json, focus: list[str] | None = None) -> Json:
    """A subscription's notification in R4 (backport)."""
    foci = focus if focus is not None else [f"{each['resourceType']}/{each['id']}" for each in resources]
    events = [
        {
            "name": "notification-event",
            "part": [
                {"name": "event-number", "valueString": str(number)},
                {"name": "focus", "valueReference": ref(each)},
            ],
        }
        for number, each in enumerate(foci, start=1)
    ]
    parameters: Json = {
        "resourceType": "Parameters",
        "id": "n1",
        "parameter": [
            {"name": "subscription", "valueReference": ref("Subscription/tieline")},
            {"name": "status", "valueCode": "active"},
            {"name": "type", "valueCode": kind},
            *events,
        ],
    }
    return bundle(parameters, *resources, type_="history")
