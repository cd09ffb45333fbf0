"""What is remembered of a visit: A08 tells a state, not a change, and who is transferred has also arrived."""

from __future__ import annotations

from streams.gateway.connectors.connector import Context
from streams.gateway.connectors.hl7v2.visit import Movement
from streams.gateway.edge.draft import Reading


def read_update(movement: Movement, context: Context) -> Reading:
    """A change of owner if the role of the location, or else that of the attending physician, is another than before.

    Unused: `first_state` (nothing is known to compare with), `out_of_order` (something later is known), `closed` (an
    update of a visit that has ended would open it again), `no_change`.
    """
    last = context.snapshots.last(_resource(movement))
    if last is not None and _at(movement) < str(last.get("order", "")):
        return Reading(unused=("out_of_order",))
    closed = last is not None and bool(last.get("closed"))
    remember(movement, context, closed=closed, away=is_away(movement, context))
    if last is None:
        return Reading(unused=("first_state",))
    if closed:
        return Reading(unused=("closed",))
    if movement.role and movement.role != last.get("role"):
        return movement.says(("assigned",))
    # Many a visit has no attending physician at first: that one is named is no change of whose it is.
    before = last.get("attending")
    if before and movement.attending and movement.attending != before:
        return movement.says(("assigned",), role=movement.attending)
    return Reading(unused=("no_change",))


def is_away(movement: Movement, context: Context) -> bool:
    """Whether the patient departed (A09), and nothing has told since that they came back or arrived."""
    last = context.snapshots.last(_resource(movement)) or {}
    return bool(last.get("away"))


def remember(movement: Movement, context: Context, *, closed: bool = False, away: bool = False) -> None:
    """Keeps the roles that an A08 is compared with, unless something later is known already."""
    last = context.snapshots.last(_resource(movement)) or {}
    if _at(movement) < str(last.get("order", "")):
        return
    context.snapshots.keep(
        _resource(movement),
        {
            "order": _at(movement),
            "role": movement.role or last.get("role", ""),
            "attending": movement.attending or last.get("attending", ""),
            "closed": closed,
            "away": away,
        },
    )


def _resource(movement: Movement) -> str:
    return f"visit:{movement.visit}"


def _at(movement: Movement) -> str:
    """As text, so that texts compare as times do."""
    return movement.at.isoformat(timespec="microseconds")
