"""What rules yield before it becomes a row: one observation on one dimension of one tie."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from schemas.calendar import Calendar
from schemas.making import made
from schemas.rows import METHOD_VERSION, UNSAID, EvidenceRow
from schemas.vocabulary import RULE_DIMENSION, Mark, Origin, Rule
from streams.inference.acts import Act
from streams.inference.timeline import Timeline

_NAMED = set(EvidenceRow.model_fields) - UNSAID
_DIMENSIONS: dict[Rule, str] = {**RULE_DIMENSION}


class Observation:
    """One rule's result for one episode and tie.

    Attributes:
        start: the event that starts the episode.
        value: in [0, 1]; None while undecided.
        horizon: before it nothing counts, whatever the outcome, so that early outcomes are not over-represented.
        decided_at: when the value was certain, where that can lie after the horizon.
        events: what it rests on beside the start.
        part: numbers the observations of one rule on one episode.
        receiver: the role that receives the episode; the clock of its calendar tells the hour of the start.
        waited_s, answered, held_s, marks: as in `EvidenceRow`; what they rest on is among `events`.
    """

    __slots__ = (
        "answered",
        "communicator_actors",
        "communicator_role",
        "decided_at",
        "events",
        "experiencer_actors",
        "experiencer_role",
        "held_s",
        "horizon",
        "marks",
        "origin",
        "part",
        "receiver",
        "rule",
        "start",
        "value",
        "waited_s",
    )

    def __init__(
        self,
        rule: Rule,
        start: Act,
        communicator_role: str,
        experiencer_role: str,
        value: float | None,
        horizon: datetime,
        receiver: str,
        part: int = 0,
    ) -> None:
        self.rule: Rule = rule
        self.start = start
        self.communicator_role = communicator_role
        self.experiencer_role = experiencer_role
        self.value = value
        self.horizon = horizon
        self.receiver = receiver
        self.part = part
        self.decided_at: datetime | None = None
        self.communicator_actors: tuple[str, ...] = ()
        self.experiencer_actors: tuple[str, ...] = ()
        self.events: Sequence[Act] = ()
        self.origin: Origin = "explicit"
        self.waited_s: float | None = None
        self.answered = False
        self.held_s: float | None = None
        self.marks: tuple[Mark, ...] = ()

    @property
    def known_at(self) -> datetime:
        """The first instant at which the observation is ripe."""
        decided_at = self.decided_at
        return self.horizon if decided_at is None or decided_at < self.horizon else decided_at

    def row(self, run: str, line: Timeline, as_of: datetime) -> EvidenceRow:
        """As evidence. Before it is ripe it says only that it is pending: neither outcome nor who acted."""
        start, known_at = self.start, self.known_at
        ripe = self.value is not None and known_at <= as_of
        values: dict[str, Any] = {
            "event_ids": line.refs(start, self.events) if ripe else (start.ref,),
            "policy_version": line.policy.version,
            "method_version": METHOD_VERSION,
            "revision": 0,
            "is_deleted": 0,
            "run": run,
            "process": line.process,
            "site": start.site,
            "work_item": line.work_item,
            "episode_id": start.ref,
            "rule": self.rule,
            "part": self.part,
            "at": start.time,
            "communicator_role": self.communicator_role,
            "experiencer_role": self.experiencer_role,
            "dimension": _DIMENSIONS[self.rule],
            "origin": self.origin,
            "period": line.period,
            "period_start": line.period_start(start),
            "communicator_actors": self.communicator_actors if ripe else (),
            "experiencer_actors": self.experiencer_actors if ripe else (),
            "known_at": known_at if ripe else None,
            "ripe": ripe,
            "value": self.value if ripe else None,
            "waited_s": self.waited_s if ripe else None,
            "answered": ripe and self.answered,
            "held_s": self.held_s if ripe else None,
            "hour_of_week": hour_of_week(start.time, line.calendar(self.receiver)) if ripe else 0,
            "marks": _sorted(self.marks) if ripe else (),
        }
        return made(EvidenceRow, values, _NAMED)


def _sorted(marks: tuple[Mark, ...]) -> tuple[Mark, ...]:
    return marks if len(marks) < 2 else tuple(sorted(set(marks)))


def hour_of_week(at: datetime, calendar: Calendar | None) -> int:
    """The hour that a clock on the wall shows, 0 (Monday 00:00 to 00:59) to 167; in UTC without a calendar.

    An hour that comes twice when clocks change is one hour, and one that they skip is never shown.
    """
    return at.weekday() * 24 + at.hour if calendar is None else _hour_there(at, calendar.zone)


@lru_cache(maxsize=1024)  # an episode asks for each of its observations
def _hour_there(at: datetime, zone: str) -> int:
    local = at.astimezone(ZoneInfo(zone))
    return local.weekday() * 24 + local.hour


def actors(actor: str | None) -> tuple[str, ...]:
    """A human actor's id, if there is one."""
    return () if actor is None else (actor,)


def all_actors(acts: Iterable[Act]) -> tuple[str, ...]:
    """Distinct human actors' ids, sorted."""
    return tuple(sorted({act.human for act in acts if act.human is not None}))
