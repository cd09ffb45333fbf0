"""A payload through mapping and edge, with a key that is thrown away and nothing sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from schemas.errors import InvalidEvent
from schemas.policy import PolicyBook
from streams.gateway.actors import new_actor_key
from streams.gateway.connectors.connector import Context, Delivery
from streams.gateway.connectors.json_mapping.findings import EntryFindings
from streams.gateway.connectors.json_mapping.mapping import PayloadMapping
from streams.gateway.connectors.json_mapping.reader import PayloadReader
from streams.gateway.edge.edge import Edge
from streams.gateway.edge.keyring import Keyring, Keys

TRIAL_SOURCE = "urn:tieline:try"


@dataclass(slots=True)
class Trial:
    """What would happen.

    Attributes:
        events: as they would be written, in canonical bytes.
        invalid: (position among the drafts, why) of what the contract refuses.
        unused: codes of what is of no use.
        entries: what is to be told about each entry, in their order; nothing in it is a value of the payload.
        refused: why the whole payload would be a dead letter, if it would.
    """

    events: list[bytes] = field(default_factory=list)
    invalid: list[tuple[int, InvalidEvent]] = field(default_factory=list)
    unused: tuple[str, ...] = ()
    entries: list[EntryFindings] = field(default_factory=list)
    refused: InvalidEvent | None = None


class _NothingBefore:
    """Snapshots of a source that never told anything; entries of the one payload see those before them."""

    def __init__(self) -> None:
        self._kept: dict[str, Mapping[str, object]] = {}

    def last(self, resource: str) -> Mapping[str, object] | None:
        return self._kept.get(resource)

    def keep(self, resource: str, snapshot: Mapping[str, object]) -> None:
        self._kept[resource] = snapshot


def try_payload(
    mapping: PayloadMapping, body: bytes, headers: Mapping[str, str], policies: PolicyBook, process: str
) -> Trial:
    """What the gateway would do with a payload of a source that has this mapping and process."""
    edge = Edge(Keyring(Keys(new_actor_key())), policies)
    context = Context(process, edge.roles(mapping.process or process), _NothingBefore())
    trial = Trial()
    delivery = Delivery(body, headers, received_at=datetime.now(UTC))
    try:
        reading = PayloadReader(mapping).read(delivery, context, trial.entries)
    except InvalidEvent as refused:
        trial.refused = refused
        return trial
    trial.unused = reading.unused
    for number, draft in enumerate(reading.drafts):
        try:
            sealed = edge.seal(draft, mapping.source or TRIAL_SOURCE, process, now=delivery.received_at)
        except InvalidEvent as invalid:
            trial.invalid.append((number, invalid))
        else:
            trial.events.append(sealed.value)
    return trial
