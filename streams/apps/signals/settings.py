"""What a site wants to be told, and from where on."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from schemas.calendar import Calendar, Hours, Zone, shift_minutes
from schemas.signal import Finding, SignalKind
from schemas.vocabulary import Code, ProcessName

DAY_S = 86_400
Seconds = Annotated[int, Field(ge=0, le=366 * DAY_S)]
Share = Annotated[float, Field(gt=0, lt=1)]
_WEEK_MINUTES = 7 * 1440


class Part(BaseModel):
    """Nothing is ignored: a misspelt field is an error. Values are not repeated in errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Kind(Part):
    """What every kind of signal has.

    Attributes:
        enabled: whether it is said at all.
        processes: only of these; none named: of all.
        every_s: how often it is looked at.
    """

    enabled: bool = True
    processes: frozenset[ProcessName] = frozenset()
    every_s: Annotated[int, Field(ge=1, le=DAY_S)] = 5

    def wants(self, finding: Finding) -> bool:
        """Whether it is of a chosen process; what is of no process at all is of everybody's."""
        return not self.processes or not finding.process or finding.process in self.processes


class Waiting(Kind):
    """A handoff or a problem that waits past its due time.

    Attributes:
        after_s: how long past due.
        within_s: what was due longer ago than this is no news any more, and is not said. What was said stays open.
        urgent: urgencies for which webhooks do not wait for the end of quiet hours; `*` for every one.
    """

    after_s: Seconds = 300
    within_s: Seconds = 7 * DAY_S
    urgent: frozenset[Code] = frozenset()

    def is_urgent(self, finding: Finding) -> bool:
        """Whether somebody should be told at any hour."""
        return "*" in self.urgent or finding.urgency in self.urgent


class Shifted(Kind):
    """A tie whose newest ripe period lies beyond its limits. Never urgent: it is about weeks."""

    every_s: Annotated[int, Field(ge=1, le=DAY_S)] = 3600

    def is_urgent(self, finding: Finding) -> bool:
        """It can wait till morning."""
        return False


class Quality(Kind):
    """Data that cannot be relied on. Each check is off where its limit is null.

    Attributes:
        dead_letters: share of what arrived in the last two hours that could not be used.
        skewed_handoffs: share of a process's handoffs of the last day that were accepted before they were offered.
        unknown_actors: share of a source's events of the last day of which nobody knows who acted.
        source_quiet: a source has sent nothing for at least an hour, and in each of the four weeks before at least so
            many events in the same hours of the week.
        least: shares of fewer events or handoffs than this say nothing.
        urgent: whether webhooks are told in quiet hours too.
    """

    every_s: Annotated[int, Field(ge=1, le=DAY_S)] = 60
    dead_letters: Share | None = 0.01
    skewed_handoffs: Share | None = 0.05
    unknown_actors: Share | None = 0.5
    source_quiet: Annotated[int, Field(ge=1)] | None = 5
    least: Annotated[int, Field(ge=1)] = 20
    urgent: bool = False

    def is_urgent(self, finding: Finding) -> bool:
        """As the site says, for all checks alike."""
        return self.urgent


class Kinds(Part):
    """All kinds of signals."""

    handoff_overdue: Waiting = Waiting()
    problem_unanswered: Waiting = Waiting()
    tie_shifted: Shifted = Shifted()
    data_quality: Quality = Quality()

    def of(self, kind: SignalKind) -> Waiting | Shifted | Quality:
        """The settings of one kind."""
        found: Waiting | Shifted | Quality = getattr(self, kind)
        return found


class QuietHours(Part):
    """When nobody wants to be told by webhook; signals are recorded all the same. Hours as in a calendar of the policy:
    `HH:MM-HH:MM` by weekday, those over midnight written as two.
    """

    zone: Zone
    hours: Hours

    def model_post_init(self, _context: object) -> None:
        minutes = sum(end - start for day in self.hours.week() for start, end in map(shift_minutes, day))
        if not 0 < minutes < _WEEK_MINUTES:
            raise ValueError("quiet hours have to begin, and to end: expected some of the week, and not all of it")

    @property
    def calendar(self) -> Calendar:
        """A calendar that is open while it is quiet."""
        return Calendar(zone=self.zone, hours=self.hours)
