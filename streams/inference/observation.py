"""What rules yield before it becomes a row: one observation on one dimension of one tie."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from schemas.calendar import Calendar
from schemas.envelope import Envelope
from schemas.rows import EvidenceRow, period_start
from schemas.vocabulary import RULE_DIMENSION, Mark, Origin, Period, Rule


@dataclass(frozen=True, slots=True)
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
        return max(self.horizon, self.decided_at or self.horizon)

    def row(self, run: str, policy_version: str, period: Period, as_of: datetime) -> EvidenceRow:
        """As evidence. Before it is ripe it says only that it is pending: neither outcome nor who acted."""
        ripe = self.value is not None and self.known_at <= as_of
        return EvidenceRow(
            run=run,
            process=self.start.process,
            site=self.start.site,
            work_item=self.start.subject,
            episode_id=self.start.ref,
            event_ids=refs((self.start, *self.events)) if ripe else (self.start.ref,),
            policy_version=policy_version,
            rule=self.rule,
            part=self.part,
            communicator_role=self.communicator_role,
            experiencer_role=self.experiencer_role,
            communicator_actors=self.communicator_actors if ripe else (),
            experiencer_actors=self.experiencer_actors if ripe else (),
            dimension=RULE_DIMENSION[self.rule],
            origin=self.origin,
            at=self.start.time,
            known_at=self.known_at if ripe else None,
            ripe=ripe,
            value=self.value if ripe else None,
            period=period,
            period_start=period_start(self.start.time, period),
            waited_s=self.waited_s if ripe else None,
            answered=ripe and self.answered,
            held_s=self.held_s if ripe else None,
            hour_of_week=hour_of_week(self.start.time, self.calendar) if ripe else 0,
            marks=tuple(sorted(set(self.marks))) if ripe and self.marks else (),
        )


def hour_of_week(at: datetime, calendar: Calendar | None) -> int:
    """The hour that a clock on the wall shows, 0 (Monday 00:00 to 00:59) to 167; in UTC without a calendar.

    An hour that comes twice when clocks change is one hour, and one that they skip is never shown.
    """
    local = at if calendar is None else at.astimezone(ZoneInfo(calendar.zone))
    return local.weekday() * 24 + local.hour


def refs(events: Iterable[Envelope]) -> tuple[str, ...]:
    """Event references in the order of the work item, each once."""
    return tuple(dict.fromkeys(event.ref for event in sorted(events, key=lambda event: event.order)))


def actors(*ids: str | None) -> tuple[str, ...]:
    """Distinct human actor ids, sorted; unknown ones left out."""
    return tuple(sorted({actor for actor in ids if actor is not None}))
