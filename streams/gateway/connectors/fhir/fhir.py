"""The connector for FHIR R4 and R5: JSON in, drafts out."""

from __future__ import annotations

from collections.abc import Callable

from pydantic import BaseModel

from schemas.errors import InvalidEvent
from streams.gateway.connectors.connector import Context, Delivery
from streams.gateway.connectors.fhir.bundle import delivered_in
from streams.gateway.connectors.fhir.case import Case, Told
from streams.gateway.connectors.fhir.communication import read_communication
from streams.gateway.connectors.fhir.communication_request import read_communication_request
from streams.gateway.connectors.fhir.directory import Directory
from streams.gateway.connectors.fhir.encounter import read_encounter
from streams.gateway.connectors.fhir.options import FhirOptions
from streams.gateway.connectors.fhir.resource import Resource
from streams.gateway.connectors.fhir.service_request import read_service_request
from streams.gateway.connectors.fhir.task import read_task
from streams.gateway.connectors.reading_json import read_object
from streams.gateway.edge.draft import Draft, Reading

_READERS: dict[str, Callable[[Resource, Case], Told]] = {
    "Task": read_task,
    "Communication": read_communication,
    "CommunicationRequest": read_communication_request,
    "ServiceRequest": read_service_request,
    "Encounter": read_encounter,
}


class Fhir:
    """Tasks are handoffs, Communications messages, Encounters and ServiceRequests work items with an owner.

    Snapshots only ever leave out what was told before. They never change what is told, so that nothing depends on
    whether there is one: see docs/connectors/fhir.md#versions.
    """

    name = "fhir"
    options_model: type[BaseModel] = FhirOptions

    def read(self, delivery: Delivery, context: Context) -> Reading:
        """See `Connector.read`. A resource that cannot be read is refused if it came alone, unused in a Bundle."""
        if not delivery.body.strip():
            return Reading(unused=("empty",))  # a subscription without a payload
        delivered = delivered_in(read_object(delivery.body))
        options = FhirOptions.model_validate(dict(context.options))
        case = Case(context, options, Directory(delivered.resources))
        drafts: list[Draft] = []
        unused = [*delivered.unused]
        for resource in delivered.resources:
            told = _read(resource, case, delivered.bundled)
            drafts += told.drafts
            unused += told.unused
        return Reading(tuple(sorted(drafts, key=lambda draft: (draft.time, draft.sequence))), tuple(unused))


def _read(resource: Resource, case: Case, bundled: bool) -> Told:
    reader = _READERS.get(resource.type)
    if reader is None:
        return Told(unused=("other_type",))  # its name is not repeated: anything could stand there
    try:
        return reader(resource, case)
    except InvalidEvent as invalid:
        if not bundled:
            raise
        return Told(unused=(f"{resource.type}.{invalid.code}",))
