"""Handoff: responsibility for a work item offered by one role and accepted, or not, by another."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from schemas.envelope import Data, Envelope
from schemas.vocabulary import Code, HandoffIntent, Reason, RoleName, UtcTime


def _sorted_elements(elements: dict[str, bool]) -> dict[str, bool]:
    return dict(sorted(elements.items()))


Elements = Annotated[dict[Code, bool], Field(max_length=64), AfterValidator(_sorted_elements)]


class Offer(Data):
    """What is handed over, to whom, how soon. A second offer with the same `handoff_id` is a revision of it.

    `follows` names the handoff that this one continues; `due_at` and `needed_at` are absolute; `elements` says which
    parts of the handover were present.
    """

    handoff_id: Code
    from_role: RoleName
    to_role: RoleName
    intent: HandoffIntent = "transfer"
    follows: Code | None = None
    urgency: Code | None = None
    due_at: UtcTime | None = None
    needed_at: UtcTime | None = None
    elements: Elements | None = None


class HandoffAct(Data):
    """Something that `role` did about a handoff."""

    handoff_id: Code
    role: RoleName


class ReasonedAct(HandoffAct):
    """An act that may say why, as a code."""

    reason: Reason | None = None


class ReadBack(HandoffAct):
    """The receiver repeated what it understood; `matches` says whether that was what was meant."""

    matches: bool


class HandoffOffered(Envelope):
    type: Literal["tieline.handoff.offered.v1"]
    data: Offer


class HandoffAccepted(Envelope):
    type: Literal["tieline.handoff.accepted.v1"]
    data: HandoffAct


class HandoffDeclined(Envelope):
    type: Literal["tieline.handoff.declined.v1"]
    data: ReasonedAct


class HandoffReturned(Envelope):
    type: Literal["tieline.handoff.returned.v1"]
    data: ReasonedAct


class HandoffWithdrawn(Envelope):
    type: Literal["tieline.handoff.withdrawn.v1"]
    data: ReasonedAct


class HandoffClarificationRequested(Envelope):
    type: Literal["tieline.handoff.clarification_requested.v1"]
    data: ReasonedAct


class HandoffClarified(Envelope):
    type: Literal["tieline.handoff.clarified.v1"]
    data: HandoffAct


class HandoffCorrected(Envelope):
    type: Literal["tieline.handoff.corrected.v1"]
    data: ReasonedAct


class HandoffReadBack(Envelope):
    type: Literal["tieline.handoff.read_back.v1"]
    data: ReadBack
