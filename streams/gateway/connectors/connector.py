"""What a connector is: a pure function from a delivery to drafts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from schemas.vocabulary import RoleKind
from streams.gateway.edge.draft import Acting, Reading

__all__ = ["Connector", "Context", "Delivery", "RoleKind", "Roles", "Snapshots"]


@dataclass(frozen=True, slots=True)
class Delivery:
    """What a source sent: never logged, never kept.

    Attributes:
        body: as it came; signatures are made over these bytes.
        headers: lower-case names.
        received_at: aware UTC; only for what tells no time of its own.
    """

    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    received_at: datetime = field(kw_only=True)


class Roles(Protocol):
    """From what a source knows to roles, by the policy's maps."""

    def mapped(self, kind: RoleKind, name: str) -> str:
        """The role that the policy's map gives this name; empty if it says nothing."""
        ...

    def named(self, kind: RoleKind, name: str) -> str:
        """As `mapped`, else the name itself, for what is a role by nature (a group, a ward); empty for no name."""
        ...

    def of_actor(self, actor: Acting) -> str:
        """The role of a person, by the map of actor hashes; empty if it says nothing."""
        ...


class Snapshots(Protocol):
    """What a source's resources looked like when they were last told, for sources that send states and not changes."""

    def last(self, resource: str) -> Mapping[str, object] | None:
        """The last one that was kept, None if none was. Only codes, times and roles: never a name or a text."""
        ...

    def keep(self, resource: str, snapshot: Mapping[str, object]) -> None:
        """Told during `Connector.read`; kept once the drafts of that reading are durable, forgotten if they are not."""
        ...


@dataclass(frozen=True, slots=True)
class Context:
    """What a connector may know beside the delivery.

    Attributes:
        process: the source's process.
        options: the connector's own settings, checked by its own model (`Connector.options`).
    """

    process: str
    roles: Roles
    snapshots: Snapshots
    options: Mapping[str, object] = field(default_factory=dict)


class Connector(Protocol):
    """One kind of source. No I/O, clock or chance: the same delivery and snapshots give the same reading."""

    @property
    def name(self) -> str:
        """As settings name it: `github`."""
        ...

    def read(self, delivery: Delivery, context: Context) -> Reading:
        """The drafts that a delivery stands for.

        Raises: InvalidEvent: it cannot be read (`not_json`, `missing_field`, `bad_time`, ...), with the path of the
            field, never its value. The whole delivery then is a dead letter; one unusable entry of a bundle is not a
            reason to refuse the others: it is unused.
        """
        ...
