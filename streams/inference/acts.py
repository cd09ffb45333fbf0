"""One event as the rules read it: plain values, roles under their normal names, its place in the work item.

A rule asks an event for a dozen things, a model takes ten times as long to answer as a slot, and whoever asks for a
role has to normalise it each time. So each event is read once. Classes are as few as the slots they need, and are
written out so that they can be compiled as they stand (docs/adr/0030-speed.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from operator import itemgetter
from typing import Any

from schemas.events import Event
from schemas.vocabulary import HandoffIntent, Reason, ResponseKind


class Act:
    """What every event of a work item says.

    Attributes:
        kind: the verb of its type, and the noun where two nouns share a verb: see `streams.inference.timeline`.
        place: in the order of the work item; compares as `Envelope.order` does.
        ref: `source#id`, the same text each time.
        role: who did it, under its normal name (the offerer of an offer); empty where the source does not say.
        human: the id of the human who acted; None for a bot, a system, or where it is not known.
        automatic: whether a machine acted. An unknown actor is not taken for one.
        period_start: see `Timeline.period_start`.
    """

    __slots__ = ("automatic", "human", "kind", "period_start", "place", "ref", "role", "site", "source", "time")

    def __init__(self, kind: str, place: int, values: dict[str, Any], data: dict[str, Any], role: str) -> None:
        """`values` and `data` are the fields of the event and of its payload."""
        source: str = values["source"]
        self.kind = kind
        self.place = place
        self.source = source
        self.ref: str = f"{source}#{values['id']}"
        self.time: datetime = values["time"]
        self.site: str = values["site"]
        self.role = role
        self.human: str | None = None
        self.automatic = False
        self.period_start: date | None = None
        actor = data["actor"]
        if actor is not None:
            acting: str = actor.kind
            if acting == "human":
                self.human = actor.id
            elif acting != "unknown":
                self.automatic = True


class HandoffAct(Act):
    """Something that `role` did about a handoff; `matches` is of a read-back, `reason` of acts that can say why."""

    __slots__ = ("handoff_id", "matches", "reason")

    def __init__(self, kind: str, place: int, values: dict[str, Any], data: dict[str, Any], role: str) -> None:
        super().__init__(kind, place, values, data, role)
        self.handoff_id: str = data["handoff_id"]
        self.reason: Reason | None = data.get("reason")
        self.matches: bool = data.get("matches", False)


class Offer(HandoffAct):
    """An offer of a handoff, or a revision of one; `role` offers it to `to_role`."""

    __slots__ = ("due_at", "elements", "follows", "intent", "needed_at", "to_role", "urgency")

    def __init__(self, place: int, values: dict[str, Any], data: dict[str, Any], role: str, to_role: str) -> None:
        super().__init__("offered", place, values, data, role)
        self.to_role = to_role
        self.intent: HandoffIntent = data["intent"]
        self.follows: str | None = data["follows"]
        self.urgency: str | None = data["urgency"]
        self.due_at: datetime | None = data["due_at"]
        self.needed_at: datetime | None = data["needed_at"]
        self.elements: dict[str, bool] | None = data["elements"]


class Message(Act):
    """A message; `to_roles` under their normal names, as many as the event has, in its order."""

    __slots__ = ("expects_reply", "in_reply_to", "message_id", "reply_due_at", "to_roles")

    def __init__(
        self, place: int, values: dict[str, Any], data: dict[str, Any], role: str, to_roles: Sequence[str]
    ) -> None:
        super().__init__("sent", place, values, data, role)
        self.message_id: str = data["message_id"]
        self.to_roles = to_roles
        self.in_reply_to: str | None = data["in_reply_to"]
        self.expects_reply: bool = data["expects_reply"]
        self.reply_due_at: datetime | None = data["reply_due_at"]


class Correction(Act):
    """A message was wrong; `reported_by` is the role that noticed, where the event names it."""

    __slots__ = ("reported_by",)

    def __init__(
        self, place: int, values: dict[str, Any], data: dict[str, Any], role: str, reported_by: str | None
    ) -> None:
        super().__init__("corrected", place, values, data, role)
        self.reported_by = reported_by


class Raising(Act):
    """A problem raised; `to_roles` as in `Message`."""

    __slots__ = ("problem_id", "respond_by", "to_roles")

    def __init__(
        self, place: int, values: dict[str, Any], data: dict[str, Any], role: str, to_roles: Sequence[str]
    ) -> None:
        super().__init__("raised", place, values, data, role)
        self.problem_id: str = data["problem_id"]
        self.to_roles = to_roles
        self.respond_by: datetime | None = data["respond_by"]


class Response(Act):
    """An answer to a problem; `to_roles` are those that a redirect names."""

    __slots__ = ("response", "to_roles")

    def __init__(
        self, place: int, values: dict[str, Any], data: dict[str, Any], role: str, to_roles: Sequence[str]
    ) -> None:
        super().__init__("responded", place, values, data, role)
        self.response: ResponseKind = data["kind"]
        self.to_roles = to_roles


def values_of(event: Event) -> dict[str, Any]:
    """The fields of an event, as it holds them: asking the model for one after the other takes ten times as long."""
    return event.__dict__


_ORDER = itemgetter("time", "sequence", "source", "id")


def in_order(events: Iterable[Event]) -> tuple[Event, ...]:
    """Events of distinct identities by `Envelope.order`, in half the time."""
    keyed = [(*_ORDER(values_of(event)), event) for event in events]
    keyed.sort()
    return tuple([key[4] for key in keyed])


def ref_of(event: Event) -> str:
    """`Envelope.ref` in half the time."""
    values = values_of(event)
    return f"{values['source']}#{values['id']}"
