"""The policy under which the inference sees exactly what was planted."""

from __future__ import annotations

from datetime import UTC, datetime

from schemas.policy import Observes, Policy, ProcessPolicy, Targets
from schemas.vocabulary import Period
from streams.simulation.planted.world import World

OBSERVED = "/planted/*"


def matching_policy(world: World, period: Period = "week") -> Policy:
    """Targets, calendars, band and recorded rules of the simulated people."""
    promises = world.promises
    part = ProcessPolicy(
        period=period,
        roles=frozenset(world.roles),
        observes=(Observes(source=OBSERVED, rules=world.rules),),
        targets=Targets(
            accept_s={"default": promises.accept_s},
            reply_s={"default": promises.reply_s},
            respond_s={"default": promises.respond_s},
        ),
        settle_s=promises.settle_s,
        contact_band=world.contact,
        calendars={name: role.calendar for name, role in world.roles.items() if role.calendar},
    )
    return Policy(
        version=f"{world.process}-1",
        effective_from=datetime(1970, 1, 1, tzinfo=UTC),
        calendars=dict(world.calendars),
        processes={world.process: part},
    )
