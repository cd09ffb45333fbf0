"""Notifications of subscriptions: what the first entry of their Bundle says about the others.

R5 and R4B say it in a SubscriptionStatus, R4 (backport) in a Parameters of the same content.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from streams.gateway.connectors.fhir.elements import code, parts, plain, reference
from streams.gateway.connectors.fhir.reference import Reference
from streams.gateway.connectors.fhir.resource import Resource
from streams.gateway.connectors.reading_json import JsonObject

_EVENT = "event-notification"
_KINDS = frozenset({"handshake", "heartbeat", "query-status", "query-event", _EVENT})


@dataclass(frozen=True, slots=True)
class Notification:
    """One notification.

    Attributes:
        kind: such as `heartbeat`.
        focus: the resources that something happened to.
    """

    kind: str
    focus: tuple[Reference, ...]

    def unused(self, resources: Collection[Resource]) -> list[str]:
        """What it says without sending it: `id_only` for each resource that did not come along."""
        if self.kind not in (_EVENT, "query-event"):
            return [self.kind]
        sent = {resource.key for resource in resources} | {
            resource.full_url for resource in resources if resource.full_url
        }
        missing = [each for each in self.focus if each.key not in sent and each.address not in sent]
        return ["id_only"] * len(missing) if self.focus or resources else ["empty_notification"]


def notification_of(first: Resource) -> Notification | None:
    """What the first entry says; None if it is no notification's."""
    if first.type == "SubscriptionStatus":
        kind = first.code("type")
        focus = (_focus(event.value("focus")) for event in first.parts("notificationEvent"))
    elif first.type == "Parameters":
        named = [(plain(part.value("name"), 64), part) for part in first.parts("parameter")]
        kind = next((code(part.value("valueCode")) for name, part in named if name == "type"), "")
        events = (part for name, part in named if name == "notification-event")
        focus = (
            _focus(part.value("valueReference"))
            for event in events
            for part in parts(event, "part")
            if part.value("name") == "focus"
        )
    else:
        return None
    return Notification(kind, _known(focus)) if kind in _KINDS else None


def _focus(raw: object) -> Reference | None:
    return reference(JsonObject(raw)) if isinstance(raw, dict) else None


def _known(references: Iterable[Reference | None]) -> tuple[Reference, ...]:
    return tuple(filter(None, references))
