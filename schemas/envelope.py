"""The CloudEvents 1.0 envelope that every Tieline event shares."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from schemas.vocabulary import ActorId, ActorKind, EventRef, LongId, ProcessName, SiteName, SourceName, UtcTime


class Contract(BaseModel):
    """Base of what crosses a boundary: frozen, strict, and nothing in it that the contract does not name."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", ser_json_inf_nan="null")


class Actor(Contract):
    """Who acted, as a keyed hash `<key-id>:<32 hex>`; never a name. Only a `human` accepts, replies or works."""

    id: ActorId
    kind: ActorKind = "unknown"

    @property
    def key_id(self) -> str:
        """The id of the key that the hash was made with; hashes of two keys cannot be compared."""
        return self.id.partition(":")[0]


class Data(Contract):
    """The payload of an event. An unknown field is refused: it could be free text, and free text is never stored."""

    actor: Actor | None = None


class Envelope(BaseModel):
    """CloudEvents 1.0, structured JSON mode, with the extensions `process`, `site` and `sequence`.

    `source` + `id` is the identity, `time` the event time, `subject` the work item. Extension attributes that
    Tieline does not know (`traceparent`, …) are legal CloudEvents and dropped.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")

    specversion: Literal["1.0"] = "1.0"
    id: LongId
    source: SourceName
    time: UtcTime
    subject: LongId
    process: ProcessName
    site: SiteName = ""
    sequence: Annotated[int, Field(ge=0, lt=2**63)] = 0

    @property
    def ref(self) -> EventRef:
        """`source#id`. `#` cannot occur in a source, so two identities never share a reference."""
        return EventRef(f"{self.source}#{self.id}")

    @property
    def order(self) -> tuple[datetime, int, str, str]:
        """Position among the events of the work item: (time, sequence, source, id)."""
        return (self.time, self.sequence, self.source, self.id)

    def canonical(self) -> bytes:
        """The one byte form of this content: fields in contract order, times in UTC, nothing that is unset."""
        return self.model_dump_json(exclude_none=True).encode()
