"""What messages and problems show: timely replies, accurate messages, constructive responses.

A message or problem addressed to several roles is answered by them jointly: whoever answers, answers for all, so that
a tie is not judged only by the cases in which nobody did.
"""

from __future__ import annotations

from collections.abc import Iterator

from schemas.vocabulary import Mark
from streams.inference.exchanges import MessageEpisode
from streams.inference.observation import Observation, actors
from streams.inference.problems import ProblemEpisode
from streams.inference.rules.waiting import waiting
from streams.inference.timeline import Timeline, automatic, human_of


def message_observations(episode: MessageEpisode, line: Timeline) -> Iterator[Observation]:
    """All observations that the policy in force lets this message's source show. A machine's message shows nothing."""
    if automatic(episode.sent):
        return
    observed = line.observed(episode.sent.source)
    if "reply" in observed:
        yield from reply(episode, line)
    if "message_accuracy" in observed:
        yield from accuracy(episode, line)


def reply(episode: MessageEpisode, line: Timeline) -> Iterator[Observation]:
    """replier → asker: 1 if an addressed role replied by due, 0 once due passed; who replies late stands behind it."""
    due, answer = episode.due_at, episode.reply
    if due is None or not episode.sent.data.expects_reply:
        return
    by = line.policy.role(answer.data.role) if answer else None
    waited, in_time = waiting(episode.sent, due, answer, line), answer is not None and answer.time <= due
    for role, part in zip(episode.to_roles, episode.parts, strict=True):
        yield Observation(
            rule="reply",
            start=episode.sent,
            communicator_role=role,
            experiencer_role=episode.from_role,
            communicator_actors=actors(human_of(answer)) if answer and role == by else (),
            experiencer_actors=actors(human_of(episode.sent)),
            value=1.0 if in_time else 0.0,
            horizon=due,
            events=waited.by,
            part=part,
            calendar=line.calendar(role),
            waited_s=waited.waited_s,
            answered=waited.answered,
            marks=() if in_time else ("late",) if answer else ("unanswered",),
        )


def accuracy(episode: MessageEpisode, line: Timeline) -> Iterator[Observation]:
    """sender → receiver: 0 if a receiver reported an error, or it was corrected after a receiver had acted on it."""
    for role, part in zip(episode.to_roles, episode.parts, strict=True):
        yield Observation(
            rule="message_accuracy",
            start=episode.sent,
            communicator_role=episode.from_role,
            experiencer_role=role,
            communicator_actors=actors(human_of(episode.sent)),
            experiencer_actors=actors(episode.readers.get(role)),
            value=0.0 if episode.wrong else 1.0,
            horizon=episode.settled_at,
            events=(episode.wrong,) if episode.wrong else (),
            part=part,
            calendar=line.calendar(role),
            marks=("corrected",) if episode.wrong else (),
        )


def problem_observations(episode: ProblemEpisode, line: Timeline) -> Iterator[Observation]:
    """addressed role → raiser: how constructively a problem was answered by the time an answer was needed.

    Only neutral answers say nothing about the tie. Whether they are all is known only when the time has passed.
    """
    observed = "problem_response" in line.observed(episode.raised.source)
    if episode.respond_by is None or not observed or automatic(episode.raised):
        return
    value = episode.value()
    if value is None:
        return
    first = episode.answers[0] if episode.answers else None
    waited, marks = waiting(episode.raised, episode.respond_by, first, line), tuple(_marks(episode))
    for role, part in zip(episode.to_roles, episode.parts, strict=True):
        own = [act for act in episode.answers if line.policy.role(act.data.role) == role]
        yield Observation(
            rule="problem_response",
            start=episode.raised,
            communicator_role=role,
            experiencer_role=episode.from_role,
            communicator_actors=actors(*map(human_of, own)),
            experiencer_actors=actors(human_of(episode.raised)),
            value=value,
            horizon=episode.respond_by,
            events=(*episode.answers, *waited.by),
            part=part,
            calendar=line.calendar(role),
            waited_s=waited.waited_s,
            answered=waited.answered,
            marks=marks,
        )


def _marks(episode: ProblemEpisode) -> Iterator[Mark]:
    """What was not constructive by the time an answer was needed. A redirect that was answered was no loss."""
    if not episode.responses:
        yield "unanswered"
    for response in episode.responses:
        if response.data.kind == "blame":
            yield "blame"
        elif response.data.kind == "refuse":
            yield "refuse"
        elif response.data.kind == "redirect" and response not in episode.answered_redirects:
            yield "redirect"
