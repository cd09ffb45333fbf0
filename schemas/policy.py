"""The policy: what a process promises and what its sources record. Versioned; written by the people of the process.

A work item uses, for its whole life, the version in force at its first event.
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import datetime
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Annotated, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from schemas.calendar import Calendar
from schemas.errors import PolicyError
from schemas.role_maps import RoleMaps
from schemas.vocabulary import (
    DIMENSIONS,
    LATEST,
    RULE_DIMENSION,
    Code,
    CommunicationDimension,
    Period,
    ProcessName,
    RoleName,
    Rule,
    UtcTime,
)
from schemas.words import Words

Seconds = Annotated[float, Field(ge=0, le=10 * 366 * 86400, allow_inf_nan=False)]
HOUR_S = 3600.0
DAY_S = 86400.0
ANY = "*"


class PolicyPart(BaseModel):
    """YAML has lists where Python has tuples, so these models are lax about types but know every field."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Observes(PolicyPart):
    """The rules whose both outcomes the sources matching `source` (a shell pattern) record.

    A system that logs acceptances but not refusals or lapses must not be listed for `handoff_acceptance`: its
    silence would be read as lateness.
    """

    source: Annotated[str, Field(min_length=1, max_length=256)]
    rules: frozenset[Rule]


class Targets(PolicyPart):
    """Seconds (of the process's calendar) by urgency; `default` serves every urgency that is not named."""

    accept_s: dict[Code, Seconds] = {}
    reply_s: dict[Code, Seconds] = {}
    respond_s: dict[Code, Seconds] = {}


class Pauses(PolicyPart):
    """Which pause reasons stop the clock of a due time, and for how long at most."""

    reasons: frozenset[Code] = frozenset()
    max_s: Seconds = 7 * DAY_S


class ContactBand(PolicyPart):
    """How many messages about one handoff are enough but not too many."""

    low: Annotated[int, Field(ge=0)]
    high: Annotated[int, Field(ge=0)]

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.low > self.high:
            raise ValueError("low is above high")
        return self


class Publish(PolicyPart):
    """When an atom may be shown. Never below three actors, whatever a policy says."""

    min_actors: Annotated[int, Field(ge=3)] = 5
    min_work_items: Annotated[int, Field(ge=10)] = 10
    max_share: Annotated[float, Field(gt=0, le=0.5)] = 0.5


class ProcessPolicy(PolicyPart):
    """What one process promises. The default promises nothing, so nothing is observed; handoffs are still listed.

    Attributes:
        period: the calendar period of atoms; the same in all versions of the policy.
        roles: the roles of the process, by their normal names; others that events name are reported, not refused. None
            listed: the policy says nothing about that.
        calendars: role → name of a calendar, `*` for every other role; none is open around the clock.
        routers: roles whose job is to pass work on; not advancing it is no failure of theirs.
        settle_s: how long after acceptance the receiver may still report wrong content.
        skew_tolerance_s: how far acceptance may lie before its offer and still count as immediate.
        linger_s: how long a closed, settled work item stays in memory after its last arrival.
        words: what a message or a response means, by the words in it; the first rule that applies decides. The text is
            dropped at the edge either way. None listed: nothing is classified.
    """

    period: Period = "month"
    observes: tuple[Observes, ...] = ()
    targets: Targets = Targets()
    roles: frozenset[RoleName] = frozenset()
    calendars: dict[RoleName, str] = {}
    pauses: Pauses = Pauses()
    routers: frozenset[RoleName] = frozenset()
    settle_s: Seconds = DAY_S
    skew_tolerance_s: Seconds = 120.0
    contact_band: ContactBand | None = None
    required_elements: frozenset[Code] = frozenset()
    publish: Publish = Publish()
    linger_s: Seconds = 7 * DAY_S
    words: Words = ()

    def observes_rule(self, rule: Rule, source: str) -> bool:
        """Whether the policy says that this source records both outcomes of the rule."""
        return rule in self.observed_rules(source)

    def observed_rules(self, source: str) -> frozenset[Rule]:
        """All rules whose both outcomes this source records, as the policy says."""
        return _rules_of(self.observes, source)

    def observed_dimensions(self) -> tuple[CommunicationDimension, ...]:
        """The dimensions that at least one source of the process can show, in the order of `DIMENSIONS`."""
        shown = {RULE_DIMENSION[rule] for entry in self.observes for rule in entry.rules}
        return tuple(dimension for dimension in DIMENSIONS if dimension in shown)


@lru_cache(maxsize=4096)
def _rules_of(observes: tuple[Observes, ...], source: str) -> frozenset[Rule]:
    found = [entry.rules for entry in observes if fnmatchcase(source, entry.source)]
    return frozenset().union(*found)


class Policy(PolicyPart):
    """One version. `processes` may hold `*` for every process that is not named.

    Attributes:
        aliases: other name of a role → the role.
        role_maps: what sources know about who acts → the role, for connectors.
    """

    version: Code
    effective_from: UtcTime
    aliases: dict[RoleName, RoleName] = {}
    role_maps: RoleMaps = RoleMaps()
    calendars: dict[str, Calendar] = {}
    processes: dict[ProcessName, ProcessPolicy] = {}

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for alias, role in self.aliases.items():
            if role in self.aliases:
                raise ValueError(f"alias {alias!r} points to {role!r}, which is itself an alias")
        for process, part in self.processes.items():
            for role, calendar in part.calendars.items():
                if calendar not in self.calendars:
                    raise ValueError(f"process {process!r}: role {role!r} uses the unknown calendar {calendar!r}")
            for role in sorted(part.roles & self.aliases.keys()):
                raise ValueError(f"process {process!r}: roles has {role!r}, an alias of {self.aliases[role]!r}")
        return self


class InForce(NamedTuple):
    """The part of a policy that one work item uses."""

    version: str
    process: ProcessPolicy
    aliases: dict[str, str]
    calendars: dict[str, Calendar]
    role_maps: RoleMaps = RoleMaps()

    def role(self, name: str) -> str:
        """The role under its normal name."""
        return self.aliases.get(name, name)

    def calendar(self, role: str) -> Calendar | None:
        """The calendar of a (normalised) role; None is open around the clock."""
        names = self.process.calendars
        name = names.get(role) if names else ""
        return self.calendars.get(names.get(ANY, "") if name is None else name)


BUILT_IN = Policy(version="built-in", effective_from=datetime.fromisoformat("1970-01-01T00:00:00Z"))
"""In force where no policy says anything: handoffs are listed, nothing is judged."""


class PolicyBook:
    """All versions of the policy. A file may name some processes only, so versions are looked up for each process.

    In force for a process at an instant is the latest version by then that names the process; else the latest that
    names `*`; else the built-in one.

    Raises: PolicyError: two versions with one name, two of one process with one start, or a process whose atoms change
        their period.
    """

    def __init__(self, policies: tuple[Policy, ...] = ()) -> None:
        self.policies: tuple[Policy, ...] = tuple(sorted(policies, key=lambda policy: policy.effective_from))
        _refuse_repeats("version", [policy.version for policy in (BUILT_IN, *self.policies)])
        self._versions = self._by_process()
        self._cache: dict[tuple[str, str], InForce] = {}

    def in_force(self, process: str, first_event_at: datetime) -> InForce:
        """The policy of a work item of `process` whose first event was at `first_event_at`."""
        named = self._latest(process, first_event_at)
        name, policy = (process, named) if named else (ANY, self._latest(ANY, first_event_at) or BUILT_IN)
        found = self._cache.get((policy.version, process))
        if found is None:
            part = policy.processes.get(name, ProcessPolicy()).model_copy(update={"period": self.period(process)})
            found = InForce(policy.version, part, policy.aliases, policy.calendars, policy.role_maps)
            if len(self._cache) < 10_000:  # process names come from outside
                self._cache[policy.version, process] = found
        return found

    def newest(self, process: str) -> InForce:
        """The latest version's part for a process: what decides about publishing."""
        return self.in_force(process, LATEST)

    def period(self, process: str) -> Period:
        """The calendar period of the process's atoms, the same for all versions."""
        for name in (process, ANY):
            if name in self._versions:
                return self._versions[name][0].processes[name].period
        return ProcessPolicy().period

    def _latest(self, name: str, at: datetime) -> Policy | None:
        versions = self._versions.get(name, [])
        index = bisect_right(versions, at, key=lambda policy: policy.effective_from)
        return versions[index - 1] if index else None

    def _by_process(self) -> dict[str, list[Policy]]:
        versions: dict[str, list[Policy]] = {}
        for policy in self.policies:
            for name, part in policy.processes.items():
                earlier = versions.setdefault(name, [])
                if earlier and earlier[-1].effective_from == policy.effective_from:
                    raise PolicyError(
                        f"policies {earlier[-1].version!r} and {policy.version!r}: both have process {name!r} with one"
                        f" effective_from"
                    )
                if earlier and earlier[0].processes[name].period != part.period:
                    raise PolicyError(
                        f"policy {policy.version!r}: processes.{name}.period: atoms of one process keep one period; it"
                        f" was {earlier[0].processes[name].period!r} before"
                    )
                earlier.append(policy)
        return versions


def _refuse_repeats(field: str, values: list[str]) -> None:
    for value in values:
        if values.count(value) > 1:
            raise PolicyError(f"two policies with {field} {value!r}")
