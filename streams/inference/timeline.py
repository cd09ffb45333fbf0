"""A work item's events as a timeline: who owned it when, who worked, which pauses, what belongs to which episode."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple, get_args

from schemas.calendar import Calendar
from schemas.envelope import Envelope
from schemas.events import (
    CommunicationCorrected,
    CommunicationRead,
    CommunicationSent,
    Event,
    HandoffEvent,
    HandoffOffered,
    ProblemRaised,
    ProblemReopened,
    ProblemResolved,
    ProblemResponded,
    WorkItemAssigned,
    WorkItemClosed,
    WorkItemOpened,
    WorkItemPaused,
    WorkItemReopened,
    WorkItemResumed,
    WorkItemWorked,
)
from schemas.policy import InForce
from schemas.vocabulary import Rule

ProblemAct = ProblemResponded | ProblemResolved | ProblemReopened
MessageAct = CommunicationRead | CommunicationCorrected
Order = tuple[datetime, int, str, str]
Contact = tuple[CommunicationSent, str, list[str]]
"""A message, who sent it and to whom, under their normal names."""


def human_of(event: Event) -> str | None:
    """The id of the human who acted; None for a bot, a system, or where it is not known."""
    actor = event.data.actor
    return actor.id if actor is not None and actor.kind == "human" else None


def automatic(event: Event) -> bool:
    """Whether a machine acted. An unknown actor is not taken for one."""
    actor = event.data.actor
    return actor is not None and actor.kind in ("bot", "system")


@dataclass(slots=True)
class Tenure:
    """A time in which one role owns the work item, from the event that assigned it until the next owner's.

    `worked` is the first work by a human of the owner, `last_worker` the human who worked last.
    """

    role: str
    assigned: WorkItemAssigned
    worked: WorkItemWorked | None = None
    last_worker: str | None = None


class PauseSpan(NamedTuple):
    """A pause of the work item; `role` is who paused it (the owner, where the event does not say)."""

    start: datetime
    end: datetime | None
    role: str | None


@dataclass(slots=True)
class Timeline:
    """The visible events of one work item, sorted by what they are about. Roles are under their normal names.

    `events` are all of them, in their order; `settle` is the settling time of the policy; `work` is by role; `offers`
    holds the first offer of each handoff, revisions are among `handoffs`; `closing` is the event that closed it, while
    it is closed.
    """

    policy: InForce
    events: Sequence[Event]
    settle: timedelta
    tenures: list[Tenure] = field(default_factory=list)
    pauses: list[PauseSpan] = field(default_factory=list)
    handoffs: dict[str, list[HandoffEvent]] = field(default_factory=lambda: defaultdict(list))
    offers: list[HandoffOffered] = field(default_factory=list)
    messages: list[CommunicationSent] = field(default_factory=list)
    replies: dict[str, list[CommunicationSent]] = field(default_factory=lambda: defaultdict(list))
    message_acts: dict[str, list[MessageAct]] = field(default_factory=lambda: defaultdict(list))
    problems: dict[str, list[ProblemRaised]] = field(default_factory=lambda: defaultdict(list))
    problem_acts: dict[str, list[ProblemAct]] = field(default_factory=lambda: defaultdict(list))
    work: dict[str, list[WorkItemWorked]] = field(default_factory=lambda: defaultdict(list))
    closing: WorkItemClosed | None = None
    _observed: dict[str, frozenset[Rule]] = field(default_factory=dict)
    _calendars: dict[str, Calendar | None] = field(default_factory=dict)
    _refs: list[str] = field(default_factory=list)
    _places: dict[int, int] = field(default_factory=dict)
    _contacts: list[Contact] | None = None
    _human_acts: dict[str, list[Order]] | None = None
    _offered: set[str] = field(default_factory=set)
    _open_pauses: list[tuple[datetime, str | None]] = field(default_factory=list)

    @property
    def closed_at(self) -> datetime | None:
        """When the work item was closed; None: it is open."""
        return self.closing.time if self.closing else None

    def owner(self) -> str | None:
        """The role that owns the work item now."""
        return self.tenures[-1].role if self.tenures else None

    def observed(self, source: str) -> frozenset[Rule]:
        """The rules whose both outcomes a source records, as the policy in force says."""
        rules = self._observed.get(source)
        if rules is None:
            rules = self._observed[source] = self.policy.process.observed_rules(source)
        return rules

    def calendar(self, role: str) -> Calendar | None:
        """The calendar of a role; None is open around the clock."""
        if role not in self._calendars:
            self._calendars[role] = self.policy.calendar(role)
        return self._calendars[role]

    def place(self, event: Envelope) -> int:
        """The place of an event of this timeline in the order of the work item; compares as `order` does."""
        return self._places[id(event)]

    def ref(self, event: Envelope) -> str:
        """The reference to an event of this timeline: the same text each time."""
        return self._refs[self._places[id(event)]]

    def refs(self, start: Envelope, others: Sequence[Envelope]) -> tuple[str, ...]:
        """References to events of this timeline, in the order of the work item, each once."""
        places, refs = self._places, self._refs
        first = places[id(start)]
        if not others:
            return (refs[first],)
        if len(others) == 1:
            other = places[id(others[0])]
            return (refs[first], refs[other]) if first < other else (refs[other], refs[first])[: 1 + (first != other)]
        return tuple([refs[place] for place in sorted({first, *[places[id(event)] for event in others]})])

    def human_acts(self, role: str) -> list[Order]:
        """When humans of a role acted. Worked out once it is asked for: seldom, and all events have to be looked at."""
        if self._human_acts is None:
            self._human_acts = defaultdict(list)
            for event in self.events:
                self._note_human_act(event, self._human_acts)
        return self._human_acts.get(role, [])

    def contacts(self) -> list[Contact]:
        """The messages that no machine sent. Worked out once, for all handoffs of the work item."""
        if self._contacts is None:
            role = self.policy.role
            self._contacts = [
                (sent, role(sent.data.role), [role(name) for name in sent.data.to_roles])
                for sent in self.messages
                if not automatic(sent)
            ]
        return self._contacts

    def read(self) -> None:
        """Take in the events."""
        self._refs = [event.ref for event in self.events]
        self._places = dict(zip(map(id, self.events), range(len(self.events)), strict=True))
        for event in self.events:
            take = _TAKE.get(type(event))
            if take is not None:
                take(self, event)
        # What nothing ended stays open.
        self.pauses.extend(PauseSpan(start, None, role) for start, role in self._open_pauses)
        self.pauses.sort(key=lambda pause: pause.start)

    def _add_handoff(self, event: HandoffEvent) -> None:
        self.handoffs[event.data.handoff_id].append(event)

    def _add_offer(self, event: HandoffOffered) -> None:
        self.handoffs[event.data.handoff_id].append(event)
        self.closing = None
        if event.data.handoff_id not in self._offered:
            self._offered.add(event.data.handoff_id)
            self.offers.append(event)

    def _add_message(self, event: CommunicationSent) -> None:
        self.messages.append(event)
        if event.data.in_reply_to is not None:
            self.replies[event.data.in_reply_to].append(event)

    def _add_message_act(self, event: MessageAct) -> None:
        self.message_acts[event.data.message_id].append(event)

    def _add_problem(self, event: ProblemRaised) -> None:
        self.problems[event.data.problem_id].append(event)

    def _add_problem_act(self, event: ProblemAct) -> None:
        self.problem_acts[event.data.problem_id].append(event)

    def _assign(self, event: WorkItemAssigned) -> None:
        self.closing = None
        role = self.policy.role(event.data.role)
        if role != self.owner():
            self.tenures.append(Tenure(role, event))

    def _work(self, event: WorkItemWorked) -> None:
        actor = human_of(event)
        if actor is None:
            return
        self.closing = None
        role = self.policy.role(event.data.role)
        self.work[role].append(event)
        tenure = self.tenures[-1] if self.tenures else None
        if tenure is not None and tenure.role == role:
            tenure.worked = tenure.worked or event
            tenure.last_worker = actor

    def _pause(self, event: WorkItemPaused) -> None:
        if event.data.reason in self.policy.process.pauses.reasons:
            role = self.policy.role(event.data.role) if event.data.role else self.owner()
            self._open_pauses.append((event.time, role))

    def _resume(self, event: WorkItemResumed | WorkItemClosed) -> None:
        self.pauses.extend(PauseSpan(start, event.time, role) for start, role in self._open_pauses)
        self._open_pauses.clear()

    def _close(self, event: WorkItemClosed) -> None:
        self._resume(event)
        self.closing = event

    def _open(self, _: WorkItemReopened | WorkItemOpened) -> None:
        self.closing = None

    def _note_human_act(self, event: Event, acts: dict[str, list[Order]]) -> None:
        """Reading is not acting on what was read, and who assigns an item seldom is of the role that gets it."""
        if human_of(event) is None or isinstance(event, CommunicationRead | HandoffOffered | WorkItemAssigned):
            return
        role = getattr(event.data, "role", None)
        if role is not None:
            acts[self.policy.role(role)].append(event.order)


# By the type of the event: asking for one class after the other costs more than everything else here. Interventions
# and surveys are about no work item.
_TAKE: dict[type[Envelope], Callable[[Timeline, Any], None]] = {
    **dict.fromkeys(get_args(HandoffEvent), Timeline._add_handoff),
    **dict.fromkeys(get_args(MessageAct), Timeline._add_message_act),
    **dict.fromkeys(get_args(ProblemAct), Timeline._add_problem_act),
    HandoffOffered: Timeline._add_offer,
    CommunicationSent: Timeline._add_message,
    ProblemRaised: Timeline._add_problem,
    WorkItemAssigned: Timeline._assign,
    WorkItemWorked: Timeline._work,
    WorkItemPaused: Timeline._pause,
    WorkItemResumed: Timeline._resume,
    WorkItemClosed: Timeline._close,
    WorkItemReopened: Timeline._open,
    WorkItemOpened: Timeline._open,
}


def timeline(events: Sequence[Event], policy: InForce) -> Timeline:
    """The timeline of a work item's visible events, given in the order of the work item."""
    line = Timeline(policy, events, timedelta(seconds=policy.process.settle_s))
    line.read()
    return line
