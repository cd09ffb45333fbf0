"""What rules yield before it becomes a row: one observation on one dimension of one tie."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from schemas.calendar import Calendar
from schemas.envelope import Envelope
from schemas.making import made
from schemas.rows import METHOD_VERSION, UNSAID, EvidenceRow, period_start
from schemas.vocabulary import RULE_DIMENSION, Mark, Origin, Rule
from streams.inference.timeline import Timeline

_NAMED = set(EvidenceRow.model_fields) - UNSAID


@dataclass(slots=True)
class Observation:
    """One rule's result for one episode and tie.

    Attributes:
        start: the event that starts the episode.
        value: in [0, 1]; None while undecided.
        horizon: before it nothing counts, whatever the outcome, so that early outcomes are not over-represented.
        decided_at: when the value was certain, where that can lie after the horizon.
        part: numbers the observations of one rule on one episode.
        calendar: of the role that receives the episode; its clock tells the hour of the start.
        waited_s, answered, held_s, marks: as in `EvidenceRow`; what they rest on is among `events`.
    """

    rule: Rule
    start: Envelope
    communicator_role: str
    experiencer_role: str
    value: float | None
    horizon: datetime
    decided_at: datetime | None = None
    communicator_actors: tuple[str, ...] = ()
    experiencer_actors: tuple[str, ...] = ()
    events: tuple[Envelope, ...] = ()
    origin: Origin = "explicit"
    part: int = 0
    calendar: Calendar | None = None
    waited_s: float | None = None
    answered: bool = False
    held_s: float | None = None
    marks: tuple[Mark, ...] = ()

    @property
    def known_at(self) -> datetime:
        """The first instant at which the observation is ripe."""
        return self.horizon if self.decided_at is None else max(self.horizon, self.decided_at)

    def row(self, run: str, line: Timeline, as_of: datetime) -> EvidenceRow:
        """As evidence. Before it is ripe it says only that it is pending: neither outcome nor who acted."""
        start, known_at = self.start, self.known_at
        ripe = self.value is not None and known_at <= as_of
        period = line.policy.process.period
        values = {
            "run": run,
            "process": start.process,
            "site": start.site,
            "work_item": start.subject,
            "episode_id": line.ref(start),
            "event_ids": line.refs(start, self.events) if ripe else (line.ref(start),),
            "policy_version": line.policy.version,
            "method_version": METHOD_VERSION,
            "revision": 0,
            "is_deleted": 0,
            "rule": self.rule,
            "part": self.part,
            "communicator_role": self.communicator_role,
            "experiencer_role": self.experiencer_role,
            "communicator_actors": self.communicator_actors if ripe else (),
            "experiencer_actors": self.experiencer_actors if ripe else (),
            "dimension": RULE_DIMENSION[self.rule],
            "origin": self.origin,
            "at": start.time,
            "known_at": known_at if ripe else None,
            "ripe": ripe,
            "value": self.value if ripe else None,
            "period": period,
            "period_start": period_start(start.time, period),
            "waited_s": self.waited_s if ripe else None,
            "answered": ripe and self.answered,
            "held_s": self.held_s if ripe else None,
            "hour_of_week": hour_of_week(start.time, self.calendar) if ripe else 0,
            "marks": tuple(sorted(set(self.marks))) if ripe and self.marks else (),
        }
        return made(EvidenceRow, values, _NAMED)


def hour_of_week(at: datetime, calendar: Calendar | None) -> int:
    """The hour that a clock on the wall shows, 0 (Monday 00:00 to 00:59) to 167; in UTC without a calendar.

    An hour that comes twice when clocks change is one hour, and one that they skip is never shown.
    """
    return at.weekday() * 24 + at.hour if calendar is None else _hour_there(at, calendar.zone)


@lru_cache(maxsize=1024)  # an episode asks for each of its observations
def _hour_there(at: datetime, zone: str) -> int:
    local = at.astimezone(ZoneInfo(zone))
    return local.weekday() * 24 + local.hour


def actors(*ids: str | None) -> tuple[str, ...]:
    """Distinct human actor ids, sorted; unknown ones left out."""
    if len(ids) == 1:
        return () if ids[0] is None else (ids[0],)
    return tuple(sorted({actor for actor in ids if actor is not None}))
