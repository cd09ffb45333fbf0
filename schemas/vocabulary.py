"""The closed word lists of the contract, and the constrained strings that every event uses."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal, NewType

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Strict, StringConstraints

EventRef = NewType("EventRef", str)
"""`source#id`: the identity of an event as one string. `id` alone is unique only within its source."""

ActorKind = Literal["human", "bot", "system", "unknown"]
HandoffIntent = Literal["transfer", "consult"]
Reason = Literal["missing", "wrong", "contradictory", "wrong_role", "capacity", "not_ready", "other"]
ResponseKind = Literal["diagnose", "propose", "act", "inform", "redirect", "blame", "refuse"]
MessageIntent = Literal["question", "answer", "inform", "request", "other"]
InterventionKind = Literal["relational", "process", "structural"]

RoleKind = Literal["group", "practitioner_role", "organization", "location", "label", "association", "actor"]
"""What a role can be told by. `group`: a team, an assignment group, a queue, an escalation policy. `association`: how
somebody belongs to a project. `actor`: by the keyed hash of the person's account."""

CommunicationDimension = Literal["frequency", "timeliness", "accuracy", "problem_solving"]
SurveyDimension = Literal[
    "frequency",
    "timeliness",
    "accuracy",
    "problem_solving",
    "shared_goals",
    "shared_knowledge",
    "mutual_respect",
]
DIMENSIONS: tuple[CommunicationDimension, ...] = ("frequency", "timeliness", "accuracy", "problem_solving")

Rule = Literal[
    "handoff_acceptance",
    "handoff_offer",
    "reply",
    "handoff_accuracy",
    "message_accuracy",
    "problem_response",
    "handoff_advanced",
    "contact",
]
RULE_DIMENSION: dict[Rule, CommunicationDimension] = {
    "handoff_acceptance": "timeliness",
    "handoff_offer": "timeliness",
    "reply": "timeliness",
    "handoff_accuracy": "accuracy",
    "message_accuracy": "accuracy",
    "problem_response": "problem_solving",
    "handoff_advanced": "problem_solving",
    "contact": "frequency",
}
INFERRED_RULES: frozenset[Rule] = frozenset({"handoff_acceptance", "handoff_advanced"})
"""All that ownership logs can show; the other rules need explicit handoff events."""

CONTENT_REASONS: frozenset[Reason] = frozenset({"missing", "wrong", "contradictory", "wrong_role"})
"""Reasons that name what was handed over as inaccurate (or misdirected), not the receiver's situation."""
CONSTRUCTIVE: frozenset[ResponseKind] = frozenset({"diagnose", "propose", "act"})
UNCONSTRUCTIVE: frozenset[ResponseKind] = frozenset({"blame", "refuse"})

Mark = Literal[
    "blame",
    "bounced",
    "contradictory",
    "corrected",
    "late",
    "left_unworked",
    "missing",
    "offered_late",
    "planned_return",
    "redirect",
    "refuse",
    "too_few",
    "too_many",
    "unanswered",
    "wrong",
    "wrong_role",
]
MARK_MEANINGS: dict[Mark, str] = {
    "late": "answered, but after due",
    "unanswered": "nobody of the receiving role has answered",
    "offered_late": "offered after the receiver needed it",
    "missing": "the receiver named something missing",
    "wrong": "the receiver named something wrong",
    "contradictory": "the receiver named something contradictory",
    "wrong_role": "it was meant for another role",
    "corrected": "a message was reported wrong, or corrected after somebody had acted",
    "blame": "a response that blames",
    "refuse": "a response that refuses",
    "redirect": "passed on to somebody who did not answer in time",
    "bounced": "given back to where it came from",
    "planned_return": "a worked consult that came back, as meant",
    "left_unworked": "it left the receiver before anybody worked on it",
    "too_few": "fewer messages than the policy's band",
    "too_many": "more messages than the policy's band",
}
"""What one observation may say beside its value, and how a chart words it. A mark names a reason, never a person.

`bounced`, `planned_return` and `redirect` may go with any value, the others only with one below 1.
"""

HandoffState = Literal["offered", "accepted", "declined", "returned", "withdrawn", "superseded", "passed_on"]
Origin = Literal["explicit", "inferred"]
Period = Literal["week", "month", "quarter"]

EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = datetime(2200, 1, 1, tzinfo=UTC)
ACTOR_ID_PATTERN = r"^[a-z0-9][a-z0-9_-]{0,31}:[0-9a-f]{32}$"


def utc_in_range(at: datetime) -> datetime:
    """The same instant in UTC; refused outside 1970..2200, which the store's time type could not keep exactly."""
    if not EARLIEST <= at < LATEST:
        raise ValueError("time outside 1970..2200")
    return at.astimezone(UTC)


def written_out(given: object) -> object:
    """Refuses numbers, also as text, which would be read as seconds or milliseconds since 1970, whichever fits."""
    if isinstance(given, str | int | float) and str(given)[4:5] != "-":
        raise ValueError("a time is written as 2026-01-31T00:00:00Z")
    return given


# Not strict: behind a BeforeValidator even JSON's text counts as Python's, and strict Python takes no text.
_Aware = Annotated[AwareDatetime, Strict(False)]
UtcTime = Annotated[_Aware, BeforeValidator(written_out), AfterValidator(utc_in_range)]
# No control characters anywhere: they break keys, logs and terminals.
PLAIN = r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]*$"
Code = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=PLAIN)]
RoleName = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=PLAIN)]
ProcessName = Annotated[
    str, StringConstraints(min_length=1, max_length=64, pattern=r"^[^/\x00-\x1f\x7f-\x9f\u2028\u2029]+$")
]
LongId = Annotated[str, StringConstraints(min_length=1, max_length=256, pattern=PLAIN)]
SourceName = Annotated[
    str, StringConstraints(min_length=1, max_length=256, pattern=r"^[^#\x00-\x1f\x7f-\x9f\u2028\u2029]+$")
]
SiteName = Annotated[str, StringConstraints(max_length=128, pattern=PLAIN)]
ActorId = Annotated[str, StringConstraints(pattern=ACTOR_ID_PATTERN)]


def unique_sorted(roles: tuple[str, ...]) -> tuple[str, ...]:
    """Addressees are a set: sorted and without repeats, so that equal content has equal canonical bytes."""
    return tuple(sorted(set(roles)))


RoleSet = Annotated[tuple[RoleName, ...], AfterValidator(unique_sorted)]
