"""A work item's events as a timeline: who owned it when, who worked, which pauses, what belongs to which episode."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from schemas.calendar import Calendar
from schemas.envelope import Envelope
from schemas.events import (
    CommunicationCorrected,
    CommunicationRead,
    CommunicationSent,
    Event,
    HandoffAccepted,
    HandoffClarificationRequested,
    HandoffClarified,
    HandoffCorrected,
    HandoffDeclined,
    HandoffOffered,
    HandoffReadBack,
    HandoffReturned,
    HandoffWithdrawn,
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
from schemas.rows import period_start
from schemas.vocabulary import Period, Rule
from streams.inference.acts import Act, Correction, HandoffAct, Message, Offer, Raising, Response, values_of
from streams.inference.calendar import Interval, Pause, merged

Values = dict[str, Any]
"""The fields of an event, or of its payload."""


class Tenure:
    """A time in which one role owns the work item, from the event that assigned it until the next owner's.

    `worked` is the first work by a human of the owner, `last_worker` the human who worked last.
    """

    __slots__ = ("assigned", "last_worker", "role", "worked")

    def __init__(self, role: str, assigned: Act) -> None:
        self.role = role
        self.assigned = assigned
        self.worked: Act | None = None
        self.last_worker: str | None = None


class PauseSpan(NamedTuple):
    """A pause of the work item; `role` is who paused it (the owner, where the event does not say)."""

    start: datetime
    end: datetime | None
    role: str | None


_FEW_REFS, _MOST_REFS, _MOST_REF_BYTES = 60, 500, 128 * 1024
"""A row travels as one record: references of however many events must leave room in its megabyte."""


class Timeline:
    """The visible events of one work item, sorted by what they are about. Roles are under their normal names.

    Attributes:
        events: all of them, in their order.
        process, work_item: of all of them.
        settle: the settling time of the policy.
        handoffs: the acts about each handoff, its offers and their revisions among them; `offers`: the first of each.
        replies, message_acts, problem_acts: by the id of what they are about; copies of messages are among `messages`.
        problems: by id, the first that raised each.
        work: work of humans, by role.
        paused_due: due times with pauses, by start, seconds, and the identities of calendar and pauses.
        closing: the event that closed it, while it is closed.
    """

    __slots__ = (
        "_aliases",
        "_calendars",
        "_contacts",
        "_human_acts",
        "_observed",
        "_offered",
        "_open_pauses",
        "_pausers",
        "_pauses_by_others",
        "closing",
        "events",
        "handoffs",
        "message_acts",
        "messages",
        "offers",
        "pause_reasons",
        "paused_due",
        "pauses",
        "period",
        "policy",
        "problem_acts",
        "problems",
        "process",
        "replies",
        "routers",
        "settle",
        "tenures",
        "work",
        "work_item",
    )

    def __init__(self, events: Sequence[Event], policy: InForce) -> None:
        """`events` are the visible ones in the order of the work item, at least one."""
        self.policy = policy
        self.events = events
        first = values_of(events[0])
        self.process: str = first["process"]
        self.work_item: str = first["subject"]
        self.settle = timedelta(seconds=policy.process.settle_s)
        self.period: Period = policy.process.period
        self.pause_reasons: frozenset[str] = policy.process.pauses.reasons
        self.routers: frozenset[str] = policy.process.routers
        self.tenures: list[Tenure] = []
        self.pauses: list[PauseSpan] = []
        self.handoffs: dict[str, list[HandoffAct]] = {}
        self.offers: list[Offer] = []
        self.messages: list[Message] = []
        self.replies: dict[str, list[Message]] = {}
        self.message_acts: dict[str, list[Act]] = {}
        self.problems: dict[str, Raising] = {}
        self.problem_acts: dict[str, list[Act]] = {}
        self.work: dict[str, list[Act]] = {}
        self.closing: Act | None = None
        self._aliases: dict[str, str] = policy.aliases
        self._observed: dict[str, frozenset[Rule]] = {}
        self._calendars: dict[str, Calendar | None] = {}
        self._contacts: list[Message] | None = None
        self._human_acts: dict[str, list[int]] | None = None
        self._offered: set[str] = set()
        self._open_pauses: list[tuple[datetime, str | None]] = []
        self._pausers: set[str | None] | None = None
        self._pauses_by_others: dict[str | None, tuple[Interval, ...]] = {}
        self.paused_due: dict[tuple[datetime, float, int, int], datetime] = {}
        self._read()

    @property
    def closed_at(self) -> datetime | None:
        """When the work item was closed; None: it is open."""
        return None if self.closing is None else self.closing.time

    def role(self, name: str) -> str:
        """The role under its normal name."""
        return self._aliases.get(name, name)

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

    def pauses_by_others(self, role: str) -> tuple[Interval, ...]:
        """The pauses that are not by this role, merged; the same object for all roles that never paused."""
        if self._pausers is None:
            self._pausers = {pause.role for pause in self.pauses}
        pauser = role if role in self._pausers else None
        found = self._pauses_by_others.get(pauser)
        if found is None:
            pauses = (pause for pause in self.pauses if pauser is None or pause.role != pauser)
            found = self._pauses_by_others[pauser] = merged(Pause(pause.start, pause.end) for pause in pauses)
        return found

    def period_start(self, act: Act) -> date:
        """The first day (UTC) of the atom that an act falls in."""
        if act.period_start is None:
            act.period_start = period_start(act.time, self.period)
        return act.period_start

    def refs(self, start: Act, others: Sequence[Act]) -> tuple[str, ...]:
        """References to acts of this timeline, in the order of the work item, each once; of very many the first."""
        if not others:
            return (start.ref,)
        if len(others) == 1:
            other = others[0]
            if start.place == other.place:
                return (start.ref,)
            return (start.ref, other.ref) if start.place < other.place else (other.ref, start.ref)
        acts = {act.place: act.ref for act in others}
        acts[start.place] = start.ref
        refs = [acts[place] for place in sorted(acts)]
        return tuple(refs if len(refs) < _FEW_REFS else _as_many_as_fit(refs))

    def human_acts(self, role: str) -> list[int]:
        """The places at which humans of a role acted. Worked out once it is asked for: seldom, and from all events."""
        acts = self._human_acts
        if acts is None:
            acts = self._human_acts = {}
            for place, event in enumerate(self.events):
                self._note_human_act(place, event, acts)
        return acts.get(role, [])

    def contacts(self) -> list[Message]:
        """The messages that no machine sent. Worked out once, for all handoffs of the work item."""
        if self._contacts is None:
            self._contacts = [sent for sent in self.messages if not sent.automatic]
        return self._contacts

    def _read(self) -> None:
        """Take in the events."""
        for place, event in enumerate(self.events):
            reading = _READING.get(type(event))
            if reading is not None:
                values = values_of(event)
                reading[1](self, reading[0], place, values, values["data"].__dict__)
        # What nothing ended stays open.
        if self._open_pauses:
            self.pauses.extend([PauseSpan(start, None, role) for start, role in self._open_pauses])
        if len(self.pauses) > 1:
            self.pauses.sort(key=_start)

    def _note_human_act(self, place: int, event: Event, acts: dict[str, list[int]]) -> None:
        """Reading is not acting on what was read, and who assigns an item seldom is of the role that gets it."""
        data: Values = values_of(event)["data"].__dict__
        actor, role = data["actor"], data.get("role")
        if role is None or actor is None or actor.kind != "human":
            return
        if not isinstance(event, CommunicationRead | HandoffOffered | WorkItemAssigned):
            acts.setdefault(self.role(role), []).append(place)


def _start(pause: PauseSpan) -> datetime:
    return pause.start


def _act(line: Timeline, kind: str, place: int, values: Values, data: Values) -> Act:
    role = data["role"]
    return Act(kind, place, values, data, line.role(role) if role is not None else "")


def _handoff_act(line: Timeline, kind: str, place: int, values: Values, data: Values) -> None:
    act = HandoffAct(kind, place, values, data, line.role(data["role"]))
    line.handoffs.setdefault(act.handoff_id, []).append(act)


def _offer(line: Timeline, kind: str, place: int, values: Values, data: Values) -> None:
    act = Offer(place, values, data, line.role(data["from_role"]), line.role(data["to_role"]))
    line.handoffs.setdefault(act.handoff_id, []).append(act)
    line.closing = None
    if act.handoff_id not in line._offered:
        line._offered.add(act.handoff_id)
        line.offers.append(act)


def _roles(line: Timeline, names: tuple[str, ...]) -> list[str]:
    return [line.role(name) for name in names]


def _message(line: Timeline, kind: str, place: int, values: Values, data: Values) -> None:
    act = Message(place, values, data, line.role(data["role"]), _roles(line, data["to_roles"]))
    line.messages.append(act)
    if act.in_reply_to is not None:
        line.replies.setdefault(act.in_reply_to, []).append(act)


def _message_read(line: Timeline, kind: str, place: int, values: Values, data: Values) -> None:
    line.message_acts.setdefault(data["message_id"], []).append(_act(line, kind, place, values, data))


def _message_corrected(line: Timeline, kind: str, place: int, values: Values, data: Values) -> None:
    reporter: str | None = data["reported_by"]
    reported_by = None if reporter is None else line.role(reporter)
    act = Correction(place, values, data, line.role(data["role"]), reported_by)
    line.message_acts.setdefault(data["message_id"], []).append(act)


def _problem(line: Timeline, kind: str, place: int, values: Values, data: Values) -> None:
    act = Raising(place, values, data, line.role(data["role"]), _roles(line, data["to_roles"]))
    line.problems.setdefault(act.problem_id, act)


def _response(line: Timeline, kind: str, place: int, values: Values, data: Values) -> None:
    act = Response(place, values, data, line.role(data["role"]), _roles(line, data["to_roles"]))
    line.problem_acts.setdefault(data["problem_id"], []).append(act)


def _problem_act(line: Timeline, kind: str, place: int, values: Values, data: Values) -> None:
    line.problem_acts.setdefault(data["problem_id"], []).append(_act(line, kind, place, values, data))


def _assigned(line: Timeline, kind: str, place: int, values: Values, data: Values) -> None:
    line.closing = None
    role = line.role(data["role"])
    if role != line.owner():
        line.tenures.append(Tenure(role, Act(kind, place, values, data, role)))


def _worked(line: Timeline, kind: str, place: int, values: Values, data: Values) -> None:
    act = _act(line, kind, place, values, data)
    if act.human is None:
        return
    line.closing = None
    line.work.setdefault(act.role, []).append(act)
    tenure = line.tenures[-1] if line.tenures else None
    if tenure is not None and tenure.role == act.role:
        if tenure.worked is None:
            tenure.worked = act
        tenure.last_worker = act.human


def _paused(line: Timeline, kind: str, place: int, values: Values, data: Values) -> None:
    if data["reason"] in line.pause_reasons:
        role = line.role(data["role"]) if data["role"] else line.owner()
        line._open_pauses.append((values["time"], role))


def _resumed(line: Timeline, kind: str, place: int, values: Values, data: Values) -> None:
    if line._open_pauses:
        line.pauses.extend([PauseSpan(start, values["time"], role) for start, role in line._open_pauses])
        line._open_pauses.clear()


def _closed(line: Timeline, kind: str, place: int, values: Values, data: Values) -> None:
    _resumed(line, kind, place, values, data)
    line.closing = _act(line, kind, place, values, data)


def _opened(line: Timeline, kind: str, place: int, values: Values, data: Values) -> None:
    line.closing = None


Reading = Callable[[Timeline, str, int, Values, Values], None]

# By the type of the event: asking for one class after the other costs more than everything else here. Interventions
# and surveys are about no work item.
_READING: dict[type[Envelope], tuple[str, Reading]] = {
    HandoffOffered: ("offered", _offer),
    HandoffAccepted: ("accepted", _handoff_act),
    HandoffDeclined: ("declined", _handoff_act),
    HandoffReturned: ("returned", _handoff_act),
    HandoffWithdrawn: ("withdrawn", _handoff_act),
    HandoffClarificationRequested: ("clarification_requested", _handoff_act),
    HandoffClarified: ("clarified", _handoff_act),
    HandoffCorrected: ("corrected", _handoff_act),
    HandoffReadBack: ("read_back", _handoff_act),
    CommunicationSent: ("sent", _message),
    CommunicationRead: ("read", _message_read),
    CommunicationCorrected: ("corrected", _message_corrected),
    ProblemRaised: ("raised", _problem),
    ProblemResponded: ("responded", _response),
    ProblemResolved: ("resolved", _problem_act),
    ProblemReopened: ("reopened", _problem_act),
    WorkItemAssigned: ("assigned", _assigned),
    WorkItemWorked: ("worked", _worked),
    WorkItemPaused: ("paused", _paused),
    WorkItemResumed: ("resumed", _resumed),
    WorkItemClosed: ("closed", _closed),
    WorkItemReopened: ("reopened", _opened),
    WorkItemOpened: ("opened", _opened),
}


def _as_many_as_fit(refs: list[str]) -> list[str]:
    left, count = _MOST_REF_BYTES, 0
    for ref in refs[:_MOST_REFS]:
        left -= len(ref.encode())
        if left < 0:
            break
        count += 1
    return refs[:count]
