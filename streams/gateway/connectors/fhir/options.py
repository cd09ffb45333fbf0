"""What a FHIR source may be told to do otherwise. Codes are `system|code` or the code alone."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from schemas.vocabulary import MessageIntent, Reason

CodeName = Annotated[str, StringConstraints(min_length=1, max_length=1024)]
Codes = Annotated[frozenset[CodeName], Field(max_length=1_000)]
WorkItemOf = Literal["encounter", "focus", "based_on", "part_of", "group", "task"]
OwnerBy = Literal["location", "attending", "service_provider"]

_INFORMS: dict[CodeName, MessageIntent] = {"alert": "inform", "notification": "inform", "reminder": "inform"}
_OWN_WORDS: dict[CodeName, Reason] = {
    "missing": "missing",
    "wrong": "wrong",
    "contradictory": "contradictory",
    "wrong_role": "wrong_role",
    "capacity": "capacity",
    "not_ready": "not_ready",
    "other": "other",
}


class FhirOptions(BaseModel):
    """Settings of one source.

    Attributes:
        work_item: what a Task is part of: the first of these that it has. What stands for a person is passed over.
        tasks: `offers`: a requested Task waits for an answer. `assignments`: whoever owns a Task is responsible, asked
            or not (work lists); handoffs are then inferred.
        transfer_codes: of `Task.code`: these hand over responsibility for the work item.
        consult_codes: of `Task.code`: these ask for a contribution.
        reasons: code of `statusReason` → reason. Those of Tieline itself need no entry.
        message_intents: code of a message's category → what it is meant as.
        expects_reply: categories of messages that wait for a reply.
        encounter_owner: what tells who is responsible in an Encounter: the first of these that does.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    work_item: Annotated[tuple[WorkItemOf, ...], Field(min_length=1, max_length=6)] = ("encounter", "focus", "task")
    tasks: Literal["offers", "assignments"] = "offers"
    transfer_codes: Codes = frozenset()
    consult_codes: Codes = frozenset()
    reasons: Annotated[dict[CodeName, Reason], Field(max_length=1_000)] = {}
    message_intents: Annotated[dict[CodeName, MessageIntent], Field(max_length=1_000)] = _INFORMS
    expects_reply: Codes = frozenset()
    encounter_owner: Annotated[tuple[OwnerBy, ...], Field(min_length=1, max_length=3)] = (
        "location",
        "service_provider",
    )

    def reason(self, names: tuple[str, ...]) -> Reason | None:
        """The reason that the first known of these names stands for."""
        return next((reason for name in names if (reason := self.reasons.get(name) or _OWN_WORDS.get(name))), None)
