"""Registering interventions: the events that say so, and what is known of them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from pydantic import ValidationError

from deploy.composition.reading import Reader, Row, quoted
from schemas.errors import TielineError
from schemas.events.intervention import (
    InterventionEnd,
    InterventionEnded,
    InterventionStart,
    InterventionStarted,
    TieName,
)
from schemas.policy import InForce
from schemas.vocabulary import InterventionKind

SOURCE = "/tieline/interventions"
_LONGEST_NAME_IN_ID = 60
_SEPARATORS = ("->", "→", ":")


class InterventionRefused(TielineError):  # noqa: N818 - says what is the matter
    """The registration contradicts what is registered already, or is none.

    Operator action: see what `tieline interventions list` shows; what is registered is never changed.
    """


class Plan(NamedTuple):
    """What somebody wants to register.

    Attributes:
        id: empty: made of the name and the day it starts.
        ties: (communicator role, experiencer role); none: the whole process.
        started_at: aware.
    """

    process: str
    name: str
    kind: InterventionKind
    hypothesis: str
    owner_role: str
    started_at: datetime
    ties: tuple[tuple[str, str], ...] = ()
    expected_loss: float | None = None
    worry: str | None = None
    site: str = ""
    id: str = ""


def tie_of(text: str) -> tuple[str, str]:
    """`A:B`, or `A->B` for roles with a colon in their name: communicator role, experiencer role.

    Raises: InterventionRefused.
    """
    for separator in _SEPARATORS:
        left, found, right = text.partition(separator)
        if found and left.strip() and right.strip() and separator not in right:
            return left.strip(), right.strip()
    raise InterventionRefused(
        "a tie is written COMMUNICATOR:EXPERIENCER, such as ed-nurse:ward-nurse; with -> for roles that hold a colon"
    )


def started(plan: Plan, policy: InForce) -> InterventionStarted:
    """The event of a plan, its roles under their normal names. The same plan is the same event.

    Args:
        policy: of the process, the newest.
    Raises: InterventionRefused: a field that the contract refuses.
    """
    ties = [(policy.role(communicator), policy.role(experiencer)) for communicator, experiencer in plan.ties]
    name = plan.id or id_of(plan.name, plan.started_at)
    try:
        return InterventionStarted(
            id=f"{plan.process}/{name}-started",
            source=SOURCE,
            type="tieline.intervention.started.v1",
            time=plan.started_at,
            subject=name,
            process=plan.process,
            site=plan.site,
            data=InterventionStart(
                name=plan.name,
                kind=plan.kind,
                ties=tuple(TieName(communicator_role=one, experiencer_role=other) for one, other in sorted(set(ties))),
                hypothesis=plan.hypothesis,
                expected_loss=plan.expected_loss,
                worry=plan.worry,
                owner_role=policy.role(plan.owner_role),
            ),
        )
    except ValidationError as error:
        raise _refused(error) from None


def ended(known: Row, ended_at: datetime) -> InterventionEnded:
    """The event that ends a registered intervention.

    Args:
        known: its row of `registered`.
    Raises: InterventionRefused: it has ended, or had not begun by then.
    """
    name = str(known["intervention"])
    if known["ended_at"] is not None:
        raise InterventionRefused(f"{name} has ended already, at {known['ended_at']:%Y-%m-%d %H:%M} UTC")
    if ended_at <= known["started_at"]:
        raise InterventionRefused(f"{name} began at {known['started_at']:%Y-%m-%d %H:%M} UTC: it cannot end before")
    return InterventionEnded(
        id=f"{known['process']}/{name}-ended",
        source=SOURCE,
        type="tieline.intervention.ended.v1",
        time=ended_at,
        subject=name,
        process=str(known["process"]),
        site=str(known["site"]),
        data=InterventionEnd(),
    )


def id_of(name: str, at: datetime) -> str:
    """Such as `bedside-handover-2026-03-02`; letters without their accents, and nothing else of the name."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    words = "-".join(re.findall(r"[a-z0-9]+", plain))[:_LONGEST_NAME_IN_ID].strip("-")
    return f"{words or 'intervention'}-{at:%Y-%m-%d}"


def unlisted_roles(event: InterventionStarted, policy: InForce) -> list[str]:
    """Roles that the policy of the process does not list; none where it lists no roles."""
    named = {role for tie in event.data.ties for role in (tie.communicator_role, tie.experiencer_role)}
    return sorted((named | {event.data.owner_role}) - policy.process.roles) if policy.process.roles else []


def registered(reader: Reader, process: str = "", intervention: str = "") -> list[Row]:
    """What is registered, by start: process, site, intervention, name, kind, ties, hypothesis, expected_loss, worry,
    owner_role, started_at, ended_at, registered_at."""
    conditions = [
        f"{column} = {quoted(value)}"
        for column, value in (("process", process), ("intervention", intervention))
        if value
    ]
    where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    return reader.rows(
        f"""SELECT process, site, intervention, name, kind, ties, hypothesis, expected_loss, worry, owner_role,
    started_at, ended_at, registered_at
FROM quality_interventions {where} ORDER BY started_at, process, site, intervention"""
    )


def only_one(reader: Reader, intervention: str, process: str = "") -> Row:
    """The registered intervention with that id.

    Raises: InterventionRefused: there is none, or one in several processes or sites.
    """
    found = registered(reader, process, intervention)
    if not found:
        raise InterventionRefused(f"no intervention {intervention!r} is registered; see `tieline interventions list`")
    if len(found) > 1:
        where = ", ".join(sorted({str(row["process"]) for row in found}))
        raise InterventionRefused(f"{intervention!r} is registered in {where}: say which with --process")
    return found[0]


def is_there(reader: Reader, event: InterventionStarted, *, started_now: bool = False) -> bool:
    """Is this very intervention registered already?

    Args:
        started_now: when it began was not said, or as so long ago: saying it again a minute later is no contradiction.
    Raises: InterventionRefused: another one has its id.
    """
    known = registered(reader, event.process, event.subject)
    if not known:
        return False
    data = event.data
    ties = [(tie.communicator_role, tie.experiencer_role) for tie in data.ties]
    said = (event.site, data.name, data.kind, data.hypothesis, data.expected_loss, data.worry, ties)
    same_start = started_now or [event.time] == [row["started_at"] for row in known]
    if same_start and [said] == [_said(row) for row in known]:
        return True
    raise InterventionRefused(
        f"{event.subject!r} is registered already, and says something else; what was expected is never changed"
        " afterwards. Register it under another --id"
    )


def _said(row: Row) -> tuple[object, ...]:
    return (
        row["site"],
        row["name"],
        row["kind"],
        row["hypothesis"],
        row["expected_loss"],
        row["worry"] or None,
        ties_of(row),
    )


def ties_of(row: Row) -> list[tuple[str, str]]:
    """The ties of a row of `registered`, as (communicator role, experiencer role)."""
    return [
        (tie["communicator_role"], tie["experiencer_role"]) if isinstance(tie, dict) else (tie[0], tie[1])
        for tie in row["ties"]
    ]


def _refused(error: ValidationError) -> InterventionRefused:
    fields: Sequence[str] = sorted({".".join(str(part) for part in problem["loc"]) for problem in error.errors()})
    return InterventionRefused(f"not allowed in an event: {', '.join(fields)}")
