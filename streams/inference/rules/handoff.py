"""What a handoff shows about the two roles: timeliness, accuracy, problem-solving and frequency of contact."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from schemas.vocabulary import CONTENT_REASONS, INFERRED_RULES, Mark, Rule
from streams.inference.acts import Act, HandoffAct, Message
from streams.inference.handoffs import HandoffEpisode
from streams.inference.observation import Observation, actors
from streams.inference.rules.waiting import handoff_waiting, holding
from streams.inference.timeline import Timeline

_NAMING = frozenset({"clarification_requested", "returned", "declined"})
HandoffRule = Callable[[HandoffEpisode, Timeline], Observation | None]


def handoff_observations(episode: HandoffEpisode, line: Timeline) -> list[Observation]:
    """All observations that the policy in force lets this handoff's source show."""
    observed = line.observed(episode.start.source)
    found: list[Observation] = []
    for rule, observe in _INFERRED if episode.offer is None else _EXPLICIT:
        if rule in observed:
            observation = observe(episode, line)
            if observation is not None:
                found.append(observation)
    return found


def acceptance(episode: HandoffEpisode, line: Timeline) -> Observation | None:
    """receiver → offerer: 1 if answered by due, 0 if due passed with the offer open, nothing if it left before due.

    Who answers late stands behind the 0: otherwise a tie that is always late had nobody on that side and stayed hidden,
    and one person's lateness could not be told from a role's.
    """
    due, answer = episode.due.at, episode.answer
    if due is None or episode.skewed or episode.left_before_due:
        return None
    to_role = episode.to_role
    in_time = answer is not None and answer.time <= due
    value = 1.0 if in_time else 0.0
    found = Observation("handoff_acceptance", episode.start, to_role, episode.from_role, value, due, to_role)
    found.origin = episode.origin
    found.experiencer_actors = actors(episode.offerer)
    if answer is not None:
        found.communicator_actors = actors(answer.human)
    if not in_time:
        found.marks = ("unanswered",) if answer is None else ("late",)
    waited, held = handoff_waiting(episode, due, line), holding(episode, line)
    found.waited_s, found.answered, found.held_s = waited.seconds, waited.answered, held.seconds
    found.events = (*waited.by, *held.by)
    return found


def offer(episode: HandoffEpisode, line: Timeline) -> Observation | None:
    """offerer → receiver: whether the handoff was offered by the time the receiver needed it."""
    needed_at = None if episode.offer is None else episode.offer.needed_at
    if needed_at is None:
        return None
    start, to_role = episode.start, episode.to_role
    value, settled_at = 1.0 if start.time <= needed_at else 0.0, _settled_at(episode, line)
    found = Observation("handoff_offer", start, episode.from_role, to_role, value, settled_at, to_role)
    found.communicator_actors = actors(episode.offerer)
    # Both outcomes are known with the offer; who experienced it, once it is answered or settled.
    answer = episode.answer
    if answer is not None and answer.time <= settled_at:
        found.experiencer_actors = actors(answer.human)
    if value == 0.0:
        found.marks = ("offered_late",)
    return found


def _settled_at(episode: HandoffEpisode, line: Timeline) -> datetime:
    return episode.start.time + line.settle


def accuracy(episode: HandoffEpisode, line: Timeline) -> Observation | None:
    """offerer → receiver: 0 if the receiver named wrong content by a coded act in the settling time, else 1.

    Only an accepted handoff can turn out accurate; one declined for its content was not.
    """
    answer = episode.answer
    if episode.skewed or answer is None:
        return None
    until, to_role = answer.time + line.settle, episode.to_role
    named = [act for act in episode.acts if act.kind in _NAMING and _names_content(act, to_role, until)]
    if answer.kind != "accepted" and not named:
        return None
    value = 0.0 if named else 1.0
    found = Observation("handoff_accuracy", episode.start, episode.from_role, to_role, value, until, to_role)
    found.communicator_actors = actors(episode.offerer)
    found.experiencer_actors = actors(answer.human)
    found.events = (answer, *named)
    if named:
        found.marks = _reasons(named)
    return found


def _reasons(named: Sequence[HandoffAct]) -> tuple[Mark, ...]:
    marks: list[Mark] = []
    for act in named:
        reason = act.reason
        if reason == "missing" or reason == "wrong" or reason == "contradictory" or reason == "wrong_role":
            marks.append(reason)
    return tuple(marks)


def _names_content(act: HandoffAct, to_role: str, until: datetime) -> bool:
    return act.reason in CONTENT_REASONS and act.time <= until and act.role == to_role and act.human is not None


def advanced(episode: HandoffEpisode, line: Timeline) -> Observation | None:
    """receiver → offerer: 1 if a human of the receiver worked on it, 0 if responsibility left it unworked.

    Nothing for what the receiver could not advance: wrong content or wrong role, withdrawn, or a router's job. A tenure
    that still lasts unworked is pending, however long.
    """
    to_role = episode.to_role
    if not _responsible(episode) or to_role in line.routers:
        return None
    work, left_at = episode.work, episode.given_back_at
    if work is None and (episode.withdrawn is not None or _excused(episode)):
        return None
    value = 1.0 if work is not None else None if left_at is None else 0.0
    settled_at = _settled_at(episode, line)
    found = Observation("handoff_advanced", episode.start, to_role, episode.from_role, value, settled_at, to_role)
    found.origin = episode.origin
    found.experiencer_actors = actors(episode.offerer)
    acted = episode.answer if work is None else work
    if acted is not None:
        found.communicator_actors = actors(acted.human)
    if work is None:
        found.decided_at, shown = left_at, episode.ended_by
    else:
        found.decided_at, shown = work.time, (work,)
    found.events = (*shown, *_step_back(episode))
    found.marks = _what_became(episode, value)
    return found


def _what_became(episode: HandoffEpisode, value: float | None) -> tuple[Mark, ...]:
    unworked: tuple[Mark, ...] = ("left_unworked",) if value == 0.0 else ()
    if episode.bounced:
        return (*unworked, "bounced")
    return (*unworked, "planned_return") if episode.planned_return else unworked


def _step_back(episode: HandoffEpisode) -> tuple[Act, ...]:
    """What shows that it went back to the offerer: the first return, an offer, or a change of owner."""
    if not (episode.bounced or episode.planned_return):
        return ()
    if episode.offer is None:
        return episode.ended_by
    steps: list[Act] = []
    returned = next((act for act in episode.acts if _is_step_back(act, episode)), None)
    if returned is not None:
        steps.append(returned)
    if episode.step_back is not None:
        steps.append(episode.step_back)
    return tuple(steps)


def _is_step_back(act: HandoffAct, episode: HandoffEpisode) -> bool:
    if act.kind != "returned" or act.role != episode.to_role or act.human is None:
        return False
    return episode.answer is None or act.place != episode.answer.place


def _responsible(episode: HandoffEpisode) -> bool:
    """In an ownership log the new owner is responsible at once; an explicit offer has to be accepted first."""
    return episode.offer is None or (episode.accepted_at is not None and not episode.skewed)


def _excused(episode: HandoffEpisode) -> bool:
    return episode.returned is not None and episode.returned.reason in CONTENT_REASONS


def contact(episode: HandoffEpisode, line: Timeline) -> Observation | None:
    """The unordered pair: whether the messages between them, from offer to settled, lie in the policy's band.

    A machine's messages are nobody's contact.
    """
    accepted_at, start, answer = episode.accepted_at, episode.start, episode.answer
    if accepted_at is None or episode.skewed or episode.from_role == episode.to_role:
        return None
    band = line.policy.process.contact_band
    if band is None:
        return None
    until = accepted_at + line.settle
    one, other = episode.from_role, episode.to_role
    between = [sent for sent in line.contacts() if _is_between(sent, one, other, start.time, until)]
    low, number = band.low, len(between)
    value = 1.0 if low <= number <= band.high else 0.0
    first, second = (one, other) if one <= other else (other, one)
    found = Observation("contact", start, first, second, value, until, other)
    offerer, receiver = actors(episode.offerer), () if answer is None else actors(answer.human)
    found.communicator_actors, found.experiencer_actors = (offerer, receiver) if one <= other else (receiver, offerer)
    found.events = between if answer is None else [answer, *between]
    if value == 0.0:
        found.marks = ("too_few",) if number < low else ("too_many",)
    return found


def _is_between(sent: Message, one: str, other: str, start: datetime, until: datetime) -> bool:
    by = sent.role
    if by == one:
        return other in sent.to_roles and start <= sent.time <= until
    return by == other and one in sent.to_roles and start <= sent.time <= until


HANDOFF_RULES: dict[Rule, HandoffRule] = {
    "handoff_acceptance": acceptance,
    "handoff_offer": offer,
    "handoff_accuracy": accuracy,
    "handoff_advanced": advanced,
    "contact": contact,
}
_EXPLICIT = tuple(HANDOFF_RULES.items())
_INFERRED = tuple([(rule, observe) for rule, observe in _EXPLICIT if rule in INFERRED_RULES])
