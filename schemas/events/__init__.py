"""Every event of the contract, discriminated on `type`."""

from __future__ import annotations

from typing import Annotated, get_args

from pydantic import Field, TypeAdapter

from schemas.envelope import Envelope
from schemas.events.communication import CommunicationCorrected, CommunicationRead, CommunicationSent
from schemas.events.handoff import (
    HandoffAccepted,
    HandoffClarificationRequested,
    HandoffClarified,
    HandoffCorrected,
    HandoffDeclined,
    HandoffOffered,
    HandoffReadBack,
    HandoffReturned,
    HandoffWithdrawn,
)
from schemas.events.intervention import InterventionEnded, InterventionStarted
from schemas.events.problem import ProblemRaised, ProblemReopened, ProblemResolved, ProblemResponded
from schemas.events.survey import SurveyScored
from schemas.events.work_item import (
    WorkItemAssigned,
    WorkItemClosed,
    WorkItemOpened,
    WorkItemPaused,
    WorkItemReopened,
    WorkItemResumed,
    WorkItemWorked,
)

Event = (
    HandoffOffered
    | HandoffAccepted
    | HandoffDeclined
    | HandoffReturned
    | HandoffWithdrawn
    | HandoffClarificationRequested
    | HandoffClarified
    | HandoffCorrected
    | HandoffReadBack
    | WorkItemOpened
    | WorkItemAssigned
    | WorkItemWorked
    | WorkItemPaused
    | WorkItemResumed
    | WorkItemClosed
    | WorkItemReopened
    | CommunicationSent
    | CommunicationRead
    | CommunicationCorrected
    | ProblemRaised
    | ProblemResponded
    | ProblemResolved
    | ProblemReopened
    | InterventionStarted
    | InterventionEnded
    | SurveyScored
)
HandoffEvent = (
    HandoffOffered
    | HandoffAccepted
    | HandoffDeclined
    | HandoffReturned
    | HandoffWithdrawn
    | HandoffClarificationRequested
    | HandoffClarified
    | HandoffCorrected
    | HandoffReadBack
)
WorkItemEvent = (
    WorkItemOpened
    | WorkItemAssigned
    | WorkItemWorked
    | WorkItemPaused
    | WorkItemResumed
    | WorkItemClosed
    | WorkItemReopened
)

EVENT_CLASSES: tuple[type[Envelope], ...] = get_args(Event)
EVENT_TYPES: dict[str, type[Envelope]] = {
    get_args(cls.model_fields["type"].annotation)[0]: cls for cls in EVENT_CLASSES
}
EVENT_ADAPTER: TypeAdapter[Event] = TypeAdapter(Annotated[Event, Field(discriminator="type")])

__all__ = [
    "EVENT_ADAPTER",
    "EVENT_CLASSES",
    "EVENT_TYPES",
    "CommunicationCorrected",
    "CommunicationRead",
    "CommunicationSent",
    "Event",
    "HandoffAccepted",
    "HandoffClarificationRequested",
    "HandoffClarified",
    "HandoffCorrected",
    "HandoffDeclined",
    "HandoffEvent",
    "HandoffOffered",
    "HandoffReadBack",
    "HandoffReturned",
    "HandoffWithdrawn",
    "InterventionEnded",
    "InterventionStarted",
    "ProblemRaised",
    "ProblemReopened",
    "ProblemResolved",
    "ProblemResponded",
    "SurveyScored",
    "WorkItemAssigned",
    "WorkItemClosed",
    "WorkItemEvent",
    "WorkItemOpened",
    "WorkItemPaused",
    "WorkItemReopened",
    "WorkItemResumed",
    "WorkItemWorked",
]
