"""ADT: what happens to a visit, as changes of whose it is.

A cancelled event is told by the event that makes up for it, at the time of the cancellation: until then people believed
it, and acted on it.
"""

from __future__ import annotations

import re
from dataclasses import replace

from streams.gateway.connectors.connector import Context
from streams.gateway.connectors.hl7v2.er7 import Message, Segment
from streams.gateway.connectors.hl7v2.options import Hl7v2Options
from streams.gateway.connectors.hl7v2.people import person
from streams.gateway.connectors.hl7v2.places import Place, read_place
from streams.gateway.connectors.hl7v2.times import Times
from streams.gateway.connectors.hl7v2.visit import NO_VISIT, Movement, Verb, visit_number
from streams.gateway.connectors.hl7v2.visit_states import is_away, read_update, remember
from streams.gateway.edge.draft import Reading

_SAYS: dict[str, tuple[Verb, ...]] = {
    "A01": ("opened", "assigned"),
    "A02": ("assigned",),
    "A03": ("closed",),
    "A04": ("opened", "assigned"),
    "A06": ("assigned",),
    "A07": ("assigned",),
    "A11": ("closed",),
    "A12": ("assigned",),
    "A13": ("reopened", "assigned"),
    "A17": ("assigned",),
    "A21": ("paused",),
    "A22": ("resumed",),
    "A33": ("resumed",),
    "A52": ("resumed",),
    "A53": ("paused",),
}
_ATTENDING = frozenset({"A54", "A55"})
_USED = frozenset({*_SAYS, *_ATTENDING, "A08", "A09", "A10"})
_TRANSFERS = frozenset({"A02", "A06", "A07", "A12"})
_KNOWN = re.compile(r"A\d\d", re.ASCII)

_CANCELS = frozenset({"A11", "A12", "A13", "A33", "A52", "A53", "A55"})
"""Their EVN-6 is the time of what they cancel, not their own."""
_LATER = _CANCELS | {"A10", "A22"}
"""At the same time they come after what they end: many senders tell no seconds."""


def read_visits(message: Message, trigger: str, context: Context, options: Hl7v2Options) -> Reading:
    """What an ADT message says. Only A17 (two patients swap beds) is about more than one visit.

    Raises: InvalidEvent: a value or time that is needed cannot be used.
    """
    if trigger not in _USED:
        return Reading(unused=(_unused(trigger),))
    movements = [
        movement
        for pid, pv1 in message.patients()[: 2 if trigger == "A17" else 1]
        if (movement := _movement(message, pid, pv1, trigger, context, options))
    ]
    if not movements:
        return Reading(unused=(NO_VISIT,))
    readings = [_told(movement, context) for movement in movements]
    return Reading(
        tuple(draft for reading in readings for draft in reading.drafts),
        tuple(dict.fromkeys(code for reading in readings for code in reading.unused)),
    )


def _movement(
    message: Message, pid: Segment, pv1: Segment, trigger: str, context: Context, options: Hl7v2Options
) -> Movement | None:
    number = visit_number(pid, pv1, options)
    if not number:
        return None
    evn = message.first("EVN")
    times = [(evn, 2), (message.header, 7)] if trigger in _CANCELS else [(evn, 6), (evn, 2), (message.header, 7)]
    place, attending = read_place(pv1, 3), person(pv1, 7)
    return Movement(
        visit=number,
        trigger=trigger,
        at=Times(message.header, options).first(times),
        # Many senders tell no seconds, so a second transfer may have the time of the first.
        moved_to=place.point_of_care if "assigned" in _SAYS.get(trigger, ()) else "",
        role=_owner(pv1, place, context, options),
        attending=context.roles.of_actor(attending) if attending else "",
        temporary=bool(pv1.value(11)),
        pending=bool(pv1.value(42)),
        actor=person(evn, 5),
        site=place.site(options),
        step=1 if trigger in _LATER else 0,
    )


def _owner(segment: Segment, place: Place, context: Context, options: Hl7v2Options) -> str:
    if options.owner == "service":
        return context.roles.named("group", segment.value(10))
    return place.role(context.roles)


def _told(movement: Movement, context: Context) -> Reading:
    trigger = movement.trigger
    if trigger == "A08":
        return read_update(movement, context)
    if trigger == "A09":
        return _departing(movement, context)
    if trigger == "A10" and movement.temporary:
        return Reading(unused=("temporary_location",))
    if trigger in _ATTENDING:
        remember(movement, context, away=is_away(movement, context))
        return movement.says(("assigned",), role=movement.attending)
    if trigger == "A10":
        reading = movement.says(("resumed", "assigned"))
    else:
        arrived: tuple[Verb, ...] = ("resumed",) if trigger in _TRANSFERS and is_away(movement, context) else ()
        reading = movement.says((*arrived, *_SAYS[trigger]), reason="leave_of_absence")
    remember(movement, context, closed="closed" in _SAYS.get(trigger, ()))
    return reading


def _departing(movement: Movement, context: Context) -> Reading:
    """A09: the patient is on the way. The visit stays whose it was; a policy may let its pause stop a clock."""
    if not (movement.temporary or movement.pending):
        return Reading(unused=(_unused("A09"),))
    # Who is away still belongs where they were: some senders tell the temporary place as PV1-3.
    remember(replace(movement, role=""), context, away=True)
    return movement.says(("paused",), reason="temporary_location" if movement.temporary else "in_transit")


def _unused(trigger: str) -> str:
    return f"adt.{trigger.lower()}" if _KNOWN.fullmatch(trigger) else "adt.other"
