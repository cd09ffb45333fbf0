"""A work item's events as a timeline: who owned it when, who worked, which pauses, what belongs to which episode."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

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

ProblemAct = ProblemResponded | ProblemResolved | ProblemReopened
MessageAct = CommunicationRead | CommunicationCorrected
Order = tuple[datetime, int, str, str]


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

    `work` and `human_acts` are by role; `offers` holds the first offer of each handoff, revisions are among `handoffs`;
    `closing` is the event that closed it, while it is closed.
    """

    policy: InForce
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
    human_acts: dict[str, list[Order]] = field(default_factory=lambda: defaultdict(list))
    closing: WorkItemClosed | None = None
    _offered: set[str] = field(default_factory=set)
    _open_pauses: list[tuple[datetime, str | None]] = field(default_factory=list)

    @property
    def closed_at(self) -> datetime | None:
        """When the work item was closed; None: it is open."""
        return self.closing.time if self.closing else None

    def owner(self) -> str | None:
        """The role that owns the work item now."""
        return self.tenures[-1].role if self.tenures else None

    def add(self, event: Event) -> None:
        """Take in the next event, in the order of the work item."""
        if isinstance(event, HandoffEvent):
            self._add_handoff(event)
        elif isinstance(event, CommunicationSent | CommunicationRead | CommunicationCorrected):
            self._add_communication(event)
        elif isinstance(event, ProblemRaised):
            self.problems[event.data.problem_id].append(event)
        elif isinstance(event, ProblemAct):
            self.problem_acts[event.data.problem_id].append(event)
        else:
            self._add_work_item(event)
        self._note_human_act(event)

    def _add_handoff(self, event: HandoffEvent) -> None:
        self.handoffs[event.data.handoff_id].append(event)
        if isinstance(event, HandoffOffered):
            self.closing = None
            if event.data.handoff_id not in self._offered:
                self._offered.add(event.data.handoff_id)
                self.offers.append(event)

    def _add_communication(self, event: CommunicationSent | MessageAct) -> None:
        if not isinstance(event, CommunicationSent):
            self.message_acts[event.data.message_id].append(event)
            return
        self.messages.append(event)
        if event.data.in_reply_to is not None:
            self.replies[event.data.in_reply_to].append(event)

    def _add_work_item(self, event: Event) -> None:
        if isinstance(event, WorkItemAssigned):
            self._assign(event)
        elif isinstance(event, WorkItemWorked):
            self._work(event)
        elif isinstance(event, WorkItemPaused):
            self._pause(event)
        elif isinstance(event, WorkItemResumed):
            self._end_pauses(event.time)
        elif isinstance(event, WorkItemClosed):
            self._end_pauses(event.time)
            self.closing = event
        elif isinstance(event, WorkItemReopened | WorkItemOpened):
            self.closing = None

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

    def _end_pauses(self, at: datetime) -> None:
        self.pauses.extend(PauseSpan(start, at, role) for start, role in self._open_pauses)
        self._open_pauses.clear()

    def _note_human_act(self, event: Event) -> None:
        """Reading is not acting on what was read, and who assigns an item seldom is of the role that gets it."""
        if human_of(event) is None or isinstance(event, CommunicationRead | HandoffOffered | WorkItemAssigned):
            return
        role = getattr(event.data, "role", None)
        if role is not None:
            self.human_acts[self.policy.role(role)].append(event.order)

    def finish(self) -> None:
        """All events are in: pauses that nothing ended stay open."""
        self.pauses.extend(PauseSpan(start, None, role) for start, role in self._open_pauses)
        self._open_pauses.clear()
        self.pauses.sort(key=lambda pause: pause.start)


def timeline(events: Sequence[Event], policy: InForce) -> Timeline:
    """The timeline of a work item's visible events, given in the order of the work item."""
    line = Timeline(policy)
    for event in events:
        line.add(event)
    line.finish()
    return line
