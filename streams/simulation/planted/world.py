"""What a simulated world is made of: the model behind the YAML file of `tieline simulate`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from typing import Annotated, NamedTuple, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
    model_validator,
)

from schemas.calendar import Calendar
from schemas.policy import ContactBand
from schemas.vocabulary import RULE_DIMENSION, CommunicationDimension, InterventionKind, Rule

Name = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[a-z0-9][a-z0-9_-]*$")]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Chance = Annotated[float, Field(ge=0.01, le=0.99, allow_inf_nan=False)]
Change = Annotated[float, Field(ge=-1, le=1, allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, le=1e9, allow_inf_nan=False)]
ALL_RULES: frozenset[Rule] = frozenset(RULE_DIMENSION)
PerWeek = Annotated[float, Field(ge=0, le=100_000, allow_inf_nan=False)]
# The order of a set changes from process to process; what is written down must not.
Rules = Annotated[frozenset[Rule], PlainSerializer(sorted)]
Dimensions = Annotated[frozenset[CommunicationDimension], PlainSerializer(sorted)]
Day = Annotated[date, BeforeValidator(lambda given: date.fromisoformat(given) if isinstance(given, str) else given)]


class Part(BaseModel):
    """YAML has lists where Python has tuples, so these models are lax about types but know every field."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Role(Part):
    """`people` of a role take turns; with `uneven` above 0 the k-th of them has a share ~ k^-uneven of the work."""

    people: Annotated[int, Field(ge=1, le=10_000)] = 12
    uneven: Annotated[float, Field(ge=0, le=5)] = 0.0
    calendar: str | None = None


class Tie(Part):
    """Planted qualities of one directed tie; what is left out is drawn from, or is, the world's `quality`.

    `frequency` belongs to the pair: give it with either direction, not both.
    """

    communicator: Name
    experiencer: Name
    timeliness: Chance | None = None
    accuracy: Chance | None = None
    problem_solving: Chance | None = None
    frequency: Chance | None = None


class Quality(Part):
    """Where planted values come from that no tie names: a Beta with this mean and `sd` (0: the mean itself)."""

    timeliness: Chance = 0.8
    accuracy: Chance = 0.85
    problem_solving: Chance = 0.75
    frequency: Chance = 0.8
    sd: Annotated[float, Field(ge=0, le=0.3)] = 0.0

    @model_validator(mode="after")
    def _has_a_distribution(self) -> Self:
        for mean in (self.timeliness, self.accuracy, self.problem_solving, self.frequency):
            if self.sd**2 >= mean * (1 - mean):
                raise ValueError(f"no shares have mean {mean} and sd {self.sd}")
        return self


class Flow(Part):
    """Work items that `giver` hands to `taker`, on average in each week."""

    giver: Name
    taker: Name
    items_per_week: PerWeek


class Contents(Part):
    """How many handoffs, questions and problems one work item has, in turn."""

    handoffs: Annotated[int, Field(ge=0, le=50)] = 1
    questions: Annotated[int, Field(ge=0, le=50)] = 1
    problems: Annotated[int, Field(ge=0, le=50)] = 1


class Promises(Part):
    """What the people are measured by, in seconds of the calendar of who has to act; `settle_s` by the wall clock."""

    accept_s: Positive = 3600.0
    reply_s: Positive = 1800.0
    respond_s: Positive = 3600.0
    settle_s: Positive = 14400.0


class Delays(Part):
    """When an answer comes, in units of its target: log-normal, cut at 1 if in time; 1 plus a log-normal if late.

    `unanswered` of the late answers never come.
    """

    median: Positive = 0.4
    sigma: Positive = 0.8
    late_median: Positive = 0.8
    late_sigma: Positive = 1.0
    unanswered: Share = 0.3


class Clustering(Part):
    """How far observations of one work item, or of one person, resemble each other.

    Correlations of a normal variable behind each outcome: `item` among those of one item, tie and dimension, `actor`
    among those of one communicator's person and dimension. Neither changes the planted mean.
    """

    item: Annotated[float, Field(ge=0, lt=1)] = 0.0
    actor: Annotated[float, Field(ge=0, lt=1)] = 0.0

    @model_validator(mode="after")
    def _leaves_chance(self) -> Self:
        if self.item + self.actor >= 1:
            raise ValueError("item and actor together leave nothing to chance")
        return self


class Variation(Part):
    """How a planted value moves from week to week: an AR(1) path of its own for each tie and dimension."""

    sd: Annotated[float, Field(ge=0, le=0.3)] = 0.0
    autocorrelation: Annotated[float, Field(ge=0, lt=1)] = 0.0


class Directed(NamedTuple):
    """A directed tie."""

    communicator: str
    experiencer: str


class Intervention(Part):
    """From the Monday of `week` (0 is the first) on planted values of `ties` change by `level`, then by `slope` a week.

    Without ties: of all. Without dimensions: of all but frequency.
    """

    id: Name
    week: Annotated[int, Field(ge=0, le=5000)]
    name: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    kind: InterventionKind = "process"
    hypothesis: Annotated[str, StringConstraints(min_length=1, max_length=200)] = "planted by the simulation"
    owner_role: Name
    ties: tuple[Directed, ...] = ()
    dimensions: Dimensions = frozenset({"timeliness", "accuracy", "problem_solving"})
    level: Change = 0.0
    slope: Change = 0.0


class Disorder(Part):
    """`share` of the events arrive later than they should, by an exponential time with this mean."""

    share: Share = 0.0
    mean_s: Positive = 300.0


class Late(Part):
    """`share` of the events arrive so many days late."""

    share: Share = 0.0
    days: Positive = 10.0


class Bots(Part):
    """A machine answers `share` of all offers, questions and problems at once; unmarked, it passes for a human."""

    share: Share = 0.0
    marked: bool = True


class Disturbances(Part):
    """What goes wrong between the work and the log.

    `duplicates` and `missing` are shares of events. `skew_s`: how far the clock of a role's system is ahead (below 0:
    behind), which is the time in all events of that role.
    """

    duplicates: Share = 0.0
    missing: Share = 0.0
    disorder: Disorder = Disorder()
    late: Late = Late()
    skew_s: dict[Name, Annotated[float, Field(ge=-86400, le=86400)]] = {}
    bots: Bots = Bots()


class World(Part):
    """One process, its roles and ties, and how they work. Everything simulated is a function of this and the seed.

    Attributes:
        start: a Monday; weeks are counted from 00:00 UTC of it.
        flows: who hands work to whom; none: every role to every other, `items_per_week` each.
        steady: exactly `items_per_week` items in a week, rounded, instead of a random number around it.
        rules: outcomes that the simulated sources record; of the others only the good ones happen.
    """

    process: Name = "planted"
    site: Annotated[str, StringConstraints(max_length=64, pattern=r"^[a-z0-9_-]*$")] = ""
    start: Day = date(2026, 1, 5)
    weeks: Annotated[int, Field(ge=1, le=5200)] = 26
    roles: dict[Name, Role] = {"nurse": Role(), "physician": Role(), "ward": Role()}
    calendars: dict[Name, Calendar] = {}
    flows: tuple[Flow, ...] = ()
    items_per_week: PerWeek = 20.0
    steady: bool = False
    item: Contents = Contents()
    rules: Rules = ALL_RULES
    quality: Quality = Quality()
    ties: tuple[Tie, ...] = ()
    promises: Promises = Promises()
    contact: ContactBand = ContactBand(low=1, high=3)
    delays: Delays = Delays()
    clustering: Clustering = Clustering()
    variation: Variation = Variation()
    interventions: tuple[Intervention, ...] = ()
    disturbances: Disturbances = Disturbances()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.start.weekday() != 0:
            raise ValueError("start is not a Monday")
        if len(self.roles) < 2:
            raise ValueError("a world needs at least two roles")
        for role in self._named_roles():
            if role not in self.roles:
                raise ValueError(f"{role!r} is not among the roles")
        for name in filter(None, (role.calendar for role in self.roles.values())):
            if name not in self.calendars:
                raise ValueError(f"calendar {name!r} is not among the calendars")
        for giver, taker in (*((f.giver, f.taker) for f in self.flows), *((t[0], t[1]) for t in self._named_ties())):
            if giver == taker:
                raise ValueError(f"{giver!r} to itself: a tie here needs two roles")
        if len(self.all_flows()) > 2000:
            raise ValueError("more than 2,000 flows: name those that you want")
        if self.contact.low < 1:
            raise ValueError("contact: low is at least 1: otherwise silence would always be good")
        return self

    def _named_ties(self) -> Iterator[Directed]:
        yield from (Directed(tie.communicator, tie.experiencer) for tie in self.ties)
        yield from (tie for intervention in self.interventions for tie in intervention.ties)

    def _named_roles(self) -> Iterator[str]:
        yield from (role for tie in self._named_ties() for role in tie)
        yield from (role for flow in self.flows for role in (flow.giver, flow.taker))
        yield from (intervention.owner_role for intervention in self.interventions)
        yield from self.disturbances.skew_s

    @property
    def start_s(self) -> float:
        """Seconds since 1970 at which week 0 begins."""
        return datetime.combine(self.start, time(), UTC).timestamp()

    def all_flows(self) -> tuple[Flow, ...]:
        """The flows, every ordered pair of roles if none is given."""
        if self.flows:
            return self.flows
        pairs = ((giver, taker) for giver in self.roles for taker in self.roles if giver != taker)
        return tuple(Flow(giver=giver, taker=taker, items_per_week=self.items_per_week) for giver, taker in pairs)
