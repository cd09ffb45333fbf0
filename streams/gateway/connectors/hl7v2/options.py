"""What a source's settings may say about its HL7 v2 feed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from schemas.calendar import Zone
from schemas.vocabulary import RoleName

VisitField = Literal["PV1-19", "PV1-50", "PID-18"]
Orderer = Literal[
    "entering_organization",
    "ordering_provider",
    "entered_by",
    "entering_location",
    "ordering_facility",
    "patient_location",
]
ProcessingId = Literal["P", "T", "D"]


class Hl7v2Options(BaseModel):
    """Settings of a source of kind `hl7v2`.

    Attributes:
        zone: IANA zone of times without an offset; without it MSH-7's offset counts, and without that they are refused.
        ambiguous, nonexistent: as in mapping files, for local times that occur twice or never.
        visit: where the number of the visit is; the first that holds one.
        work_item: what orders and results are about: the visit, or the order itself.
        owner: whose a visit is: its location's (PV1-3), or its hospital service's (PV1-10).
        site: what an event's `site` is.
        orderer: where to look for the role that orders, in this order.
        orders_expect_reply: an order waits for its result. Off: an order that is cancelled would wait for ever.
        documents: the roles that a type of document (TXA-2) is for.
        processing_ids: kinds of messages that are real (MSH-11): production, training, debugging.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    zone: Zone | None = None
    ambiguous: Literal["earlier", "later", "skip"] = "earlier"
    nonexistent: Literal["shift", "skip"] = "shift"
    visit: Annotated[tuple[VisitField, ...], Field(min_length=1)] = ("PV1-19",)
    work_item: Literal["visit", "order"] = "visit"
    owner: Literal["location", "service"] = "location"
    site: Literal["facility", "point_of_care", "none"] = "facility"
    orderer: tuple[Orderer, ...] = (
        "entering_organization",
        "ordering_provider",
        "entered_by",
        "entering_location",
        "ordering_facility",
    )
    orders_expect_reply: bool = False
    documents: Mapping[str, Annotated[tuple[RoleName, ...], Field(min_length=1, max_length=32)]] = Field(
        default_factory=dict
    )
    processing_ids: Annotated[tuple[ProcessingId, ...], Field(min_length=1)] = ("P",)
