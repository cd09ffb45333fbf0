"""What a handoff shows about the two roles: timeliness, accuracy, problem-solving and frequency of contact."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any, cast, get_args

from schemas.envelope import Envelope
from schemas.events import (
    HandoffAccepted,
    HandoffClarificationRequested,
    HandoffDeclined,
    HandoffEvent,
    HandoffOffered,
    HandoffReturned,
)
from schemas.vocabulary import CONTENT_REASONS, INFERRED_RULES, Mark, Rule
from streams.inference.handoffs import HandoffEpisode, reason_of
from streams.inference.observation import Observation, actors
from streams.inference.rules.waiting import handoff_waiting, holding
from streams.inference.timeline import Timeline, human_of

_Naming = HandoffClarificationRequested | HandoffReturned | HandoffDeclined
_NAMING = frozenset(get_args(_Naming))
HandoffRule = Callable[[HandoffEpisode, Timeline], Observation | None]


def handoff_observations(episode: HandoffEpisode, line: Timeline) -> Iterator[Observation]:
    """All observations that the policy in force lets this handoff's source show."""
    observed = line.observed(episode.start.source)
    for rule, observe in _INFERRED if episode.origin == "inferred" else _EXPLICIT:
        if rule in observed and (found := observe(episode, line)) is not None:
            yield found


def acceptance(episode: HandoffEpisode, line: Timeline) -> Observation | None:
    """receiver → offerer: 1 if answered by due, 0 if due passed with the offer open, nothing if it left before due.

    Who answers late stands behind the 0: otherwise a tie that is always late had nobody on that side and stayed hidden,
    and one person's lateness could not be told from a role's.
    """
    due, answer = episode.due.at, episode.answer
    if due is None or episode.skewed or episode.left_before_due:
        return None
    waited, held = handoff_waiting(episode, due, line), holding(episode, line)
    in_time = answer is not None and answer.time <= due
    return Observation(
        rule="handoff_acceptance",
        start=episode.start,
        communicator_role=episode.to_role,
        experiencer_role=episode.from_role,
        communicator_actors=actors(human_of(answer)) if answer else (),
        experiencer_actors=actors(episode.offerer),
        value=1.0 if in_time else 0.0,
        horizon=due,
        events=(*waited.by, *held.by),
        origin=episode.origin,
        calendar=line.calendar(episode.to_role),
        waited_s=waited.waited_s,
        answered=waited.answered,
        held_s=held.held_s,
        marks=() if in_time else ("late",) if answer else ("unanswered",),
    )


def offer(episode: HandoffEpisode, line: Timeline) -> Observation | None:
    """offerer → receiver: whether the handoff was offered by the time the receiver needed it."""
    needed_at = episode.start.data.needed_at if isinstance(episode.start, HandoffOffered) else None
    if needed_at is None:
        return None
    return Observation(
        rule="handoff_offer",
        start=episode.start,
        communicator_role=episode.from_role,
        experiencer_role=episode.to_role,
        communicator_actors=actors(episode.offerer),
        # Both outcomes are known with the offer; who experienced it, once it is answered or settled.
        experiencer_actors=_settled_receiver(episode, line),
        value=1.0 if episode.offered_at <= needed_at else 0.0,
        horizon=_settled_at(episode, line),
        calendar=line.calendar(episode.to_role),
        marks=() if episode.offered_at <= needed_at else ("offered_late",),
    )


def _settled_at(episode: HandoffEpisode, line: Timeline) -> datetime:
    return episode.start.time + line.settle


def _settled_receiver(episode: HandoffEpisode, line: Timeline) -> tuple[str, ...]:
    answer = episode.answer
    return actors(human_of(answer)) if answer is not None and answer.time <= _settled_at(episode, line) else ()


def accuracy(episode: HandoffEpisode, line: Timeline) -> Observation | None:
    """offerer → receiver: 0 if the receiver named wrong content by a coded act in the settling time, else 1.

    Only an accepted handoff can turn out accurate; one declined for its content was not.
    """
    answer = episode.answer
    if episode.skewed or answer is None:
        return None
    until = answer.time + line.settle
    named = [act for act in episode.acts if type(act) in _NAMING and _names_content(act, episode, line, until)]
    if not isinstance(answer, HandoffAccepted) and not named:
        return None
    return Observation(
        rule="handoff_accuracy",
        start=episode.start,
        communicator_role=episode.from_role,
        experiencer_role=episode.to_role,
        communicator_actors=actors(episode.offerer),
        experiencer_actors=actors(human_of(answer)),
        value=0.0 if named else 1.0,
        horizon=until,
        events=(answer, *named),
        calendar=line.calendar(episode.to_role),
        marks=tuple(_reasons(named)) if named else (),
    )


def _reasons(named: Iterable[HandoffEvent]) -> Iterator[Mark]:
    for act in named:
        reason: Any = reason_of(act)
        if reason is not None:
            yield reason


def _names_content(act: HandoffEvent, episode: HandoffEpisode, line: Timeline, until: datetime) -> bool:
    if act.time > until or reason_of(act) not in CONTENT_REASONS:
        return False
    return line.policy.role(cast(_Naming, act).data.role) == episode.to_role and human_of(act) is not None


def advanced(episode: HandoffEpisode, line: Timeline) -> Observation | None:
    """receiver → offerer: 1 if a human of the receiver worked on it, 0 if responsibility left it unworked.

    Nothing for what the receiver could not advance: wrong content or wrong role, withdrawn, or a router's job. A tenure
    that still lasts unworked is pending, however long.
    """
    if episode.to_role in line.policy.process.routers or not _responsible(episode):
        return None
    work, left_at = episode.work, episode.given_back_at
    if work is None and (episode.withdrawn or _excused(episode)):
        return None
    acted = work or episode.answer
    value = 1.0 if work else 0.0 if left_at else None
    return Observation(
        rule="handoff_advanced",
        start=episode.start,
        communicator_role=episode.to_role,
        experiencer_role=episode.from_role,
        communicator_actors=actors(human_of(acted)) if acted else (),
        experiencer_actors=actors(episode.offerer),
        value=value,
        horizon=_settled_at(episode, line),
        decided_at=work.time if work else left_at,
        events=(*((work,) if work else episode.ended_by), *_step_back(episode, line)),
        origin=episode.origin,
        calendar=line.calendar(episode.to_role),
        marks=_what_became(episode, value),
    )


def _what_became(episode: HandoffEpisode, value: float | None) -> tuple[Mark, ...]:
    unworked: tuple[Mark, ...] = ("left_unworked",) if value == 0.0 else ()
    if episode.bounced:
        return (*unworked, "bounced")
    return (*unworked, "planned_return") if episode.planned_return else unworked


def _step_back(episode: HandoffEpisode, line: Timeline) -> tuple[Envelope, ...]:
    """What shows that it went back to the offerer: the first return, an offer, or a change of owner."""
    if not (episode.bounced or episode.planned_return):
        return ()
    if episode.origin == "inferred":
        return episode.ended_by
    returns = (act for act in episode.acts if isinstance(act, HandoffReturned) and act is not episode.answer)
    returned = next(
        (act for act in returns if line.policy.role(act.data.role) == episode.to_role and human_of(act)), None
    )
    return tuple(step for step in (returned, episode.step_back) if step is not None)


def _responsible(episode: HandoffEpisode) -> bool:
    """In an ownership log the new owner is responsible at once; an explicit offer has to be accepted first."""
    return episode.origin == "inferred" or (episode.accepted_at is not None and not episode.skewed)


def _excused(episode: HandoffEpisode) -> bool:
    return episode.returned is not None and episode.returned.data.reason in CONTENT_REASONS


def contact(episode: HandoffEpisode, line: Timeline) -> Observation | None:
    """The unordered pair: whether the messages between them, from offer to settled, lie in the policy's band.

    A machine's messages are nobody's contact.
    """
    band, accepted_at = line.policy.process.contact_band, episode.accepted_at
    if band is None or accepted_at is None or episode.skewed or episode.from_role == episode.to_role:
        return None
    offered_at, until = episode.start.time, accepted_at + line.settle
    first, second = sorted((episode.from_role, episode.to_role))
    between = [
        sent
        for sent, sender, to in line.contacts()
        if offered_at <= sent.time <= until
        and ((sender == first and second in to) or (sender == second and first in to))
    ]
    offerer, receiver = actors(episode.offerer), actors(_actor(episode))
    return Observation(
        rule="contact",
        start=episode.start,
        communicator_role=first,
        experiencer_role=second,
        communicator_actors=offerer if first == episode.from_role else receiver,
        experiencer_actors=offerer if second == episode.from_role else receiver,
        value=1.0 if band.low <= len(between) <= band.high else 0.0,
        horizon=until,
        events=(*((episode.answer,) if episode.answer else ()), *between),
        calendar=line.calendar(episode.to_role),
        marks=("too_few",) if len(between) < band.low else ("too_many",) if len(between) > band.high else (),
    )


def _actor(episode: HandoffEpisode) -> str | None:
    return human_of(episode.answer) if episode.answer else None


HANDOFF_RULES: dict[Rule, HandoffRule] = {
    "handoff_acceptance": acceptance,
    "handoff_offer": offer,
    "handoff_accuracy": accuracy,
    "handoff_advanced": advanced,
    "contact": contact,
}
_EXPLICIT = tuple(HANDOFF_RULES.items())
_INFERRED = tuple((rule, observe) for rule, observe in _EXPLICIT if rule in INFERRED_RULES)
