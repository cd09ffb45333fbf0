"""An event as a source told it, names and texts still in it. Drafts never leave the process, and are never logged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from schemas.vocabulary import ActorKind


@dataclass(frozen=True, slots=True)
class Acting:
    """Who acted, by the name that the source identifies people with.

    Attributes:
        name: stable within the source: an account id rather than a display name.
        kind: what the source itself says; `unknown` lets the source's settings and patterns decide.
    """

    name: str = field(repr=False)
    kind: ActorKind = "unknown"


@dataclass(frozen=True, slots=True)
class Draft:
    """One Tieline event to be.

    Attributes:
        type: of the contract, such as `tieline.handoff.offered.v1`.
        id: unique within the source, and the same whenever the same thing is told again: never made from the clock,
            chance or a delivery's number. The contract's limit of 256 characters is seen to at the edge.
        time: when it happened, aware.
        subject: the work item.
        data: the event's data as JSON values, without `actor`.
        text: free text that said it, for the policy's word rules; dropped at the edge.
        process: other than the source's.
    """

    type: str
    id: str
    time: datetime
    subject: str
    data: Mapping[str, object] = field(default_factory=dict)
    actor: Acting | None = None
    site: str = ""
    sequence: int = 0
    text: str = field(default="", repr=False)
    process: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """What one delivery said.

    Attributes:
        drafts: in the order in which they happened.
        unused: codes of what was understood and is of no use to Tieline (`star.created`, `no_role`): counted, no error.
    """

    drafts: tuple[Draft, ...] = ()
    unused: tuple[str, ...] = ()
