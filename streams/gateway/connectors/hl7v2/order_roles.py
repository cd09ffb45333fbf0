"""Who orders, and who fulfils: roles of organizations and departments, or of the people that an order names."""

from __future__ import annotations

from collections.abc import Callable

from streams.gateway.connectors.connector import Context, RoleKind
from streams.gateway.connectors.hl7v2.er7 import Segment
from streams.gateway.connectors.hl7v2.groups import Group
from streams.gateway.connectors.hl7v2.options import Hl7v2Options, Orderer
from streams.gateway.connectors.hl7v2.people import person
from streams.gateway.connectors.hl7v2.places import read_place


def orderer(group: Group, context: Context, options: Hl7v2Options) -> str:
    """The role that orders, from the first of the chosen places that tells one; empty if none does."""
    found: dict[Orderer, Callable[[], str]] = {
        "entering_organization": lambda: context.roles.named("organization", _code(group.orc, 17)),
        "ordering_provider": lambda: _of_person(group.orc, 12, context) or _of_person(group.obr, 16, context),
        "entered_by": lambda: _of_person(group.orc, 10, context),
        "entering_location": lambda: read_place(group.orc, 13).role(context.roles),
        "ordering_facility": lambda: _mapped(context, "organization", group.orc, 21),
        "patient_location": lambda: read_place(group.pv1, 3).role(context.roles),
    }
    return next((role for choice in options.orderer if (role := found[choice]())), "")


def filler(group: Group, context: Context, application: tuple[Segment, int], facility: tuple[Segment, int]) -> str:
    """The role that fulfils: the department (OBR-24), else an application or facility of MSH, if the map knows it."""
    return (
        context.roles.named("organization", group.obr.value(24))
        or _mapped(context, "organization", *application)
        or _mapped(context, "organization", *facility)
    )


def _code(segment: Segment, number: int) -> str:
    return segment.value(number) or segment.value(number, 2)


def _of_person(segment: Segment, number: int, context: Context) -> str:
    who = person(segment, number)
    return context.roles.of_actor(who) if who else ""


def _mapped(context: Context, kind: RoleKind, segment: Segment, number: int) -> str:
    name = segment.value(number)
    return context.roles.mapped(kind, name) if name else ""
