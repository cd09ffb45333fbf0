"""A `Context` for connectors' tests: role maps are plain dictionaries, snapshots live in memory.

```
context(roles={"group": {"octo/backend": "backend"}}, actors={"4711": "developer"}, options={...})
```
`actors` is by the name that the connector puts into `Acting`, in the clear.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from streams.gateway.connectors.connector import Context, Delivery, RoleKind
from streams.gateway.edge.draft import Acting

RECEIVED_AT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


@dataclass(frozen=True)
class RoleMaps:
    """`Roles` by dictionaries: kind → name → role, and account → role."""

    maps: Mapping[RoleKind, Mapping[str, str]] = field(default_factory=dict)
    actors: Mapping[str, str] = field(default_factory=dict)

    def mapped(self, kind: RoleKind, name: str) -> str:
        return self.maps.get(kind, {}).get(name, "")

    def named(self, kind: RoleKind, name: str) -> str:
        return self.mapped(kind, name) or name

    def of_actor(self, actor: Acting) -> str:
        return self.actors.get(actor.name, "")


@dataclass
class InMemorySnapshots:
    """`Snapshots` that keep at once."""

    kept: dict[str, Mapping[str, object]] = field(default_factory=dict)

    def last(self, resource: str) -> Mapping[str, object] | None:
        return self.kept.get(resource)

    def keep(self, resource: str, snapshot: Mapping[str, object]) -> None:
        self.kept[resource] = snapshot


def context(
    process: str = "incident",
    *,
    roles: Mapping[RoleKind, Mapping[str, str]] | None = None,
    actors: Mapping[str, str] | None = None,
    options: Mapping[str, object] | None = None,
    snapshots: InMemorySnapshots | None = None,
) -> Context:
    """What a connector may know beside the delivery; maps and snapshots are empty unless given."""
    return Context(process, RoleMaps(roles or {}, actors or {}), snapshots or InMemorySnapshots(), options or {})


def delivery(body: bytes, headers: Mapping[str, str] | None = None) -> Delivery:
    """What a source sent, received at a fixed time."""
    return Delivery(body, headers or {}, received_at=RECEIVED_AT)
