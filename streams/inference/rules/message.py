"""What messages and problems show: timely replies, accurate messages, constructive responses.

A message or problem addressed to several roles is answered by them jointly: whoever answers, answers for all, so that
a tie is not judged only by the cases in which nobody did.
"""

from __future__ import annotations

from schemas.vocabulary import Mark
from streams.inference.exchanges import MessageEpisode
from streams.inference.observation import Observation, actors, all_actors
from streams.inference.problems import ProblemEpisode
from streams.inference.rules.waiting import waiting
from streams.inference.timeline import Timeline


def message_observations(episode: MessageEpisode, line: Timeline) -> list[Observation]:
    """All observations that the policy in force lets this message's source show. A machine's message shows nothing."""
    found: list[Observation] = []
    if not episode.sent.automatic:
        observed = line.observed(episode.sent.source)
        if "reply" in observed:
            reply(episode, line, found)
        if "message_accuracy" in observed:
            accuracy(episode, found)
    return found


def reply(episode: MessageEpisode, line: Timeline, found: list[Observation]) -> None:
    """replier → asker: 1 if an addressed role replied by due, 0 once due passed; who replies late stands behind it."""
    sent, due, answer = episode.sent, episode.due_at, episode.reply
    if due is None:
        return
    in_time = answer is not None and answer.time <= due
    value = 1.0 if in_time else 0.0
    marks: tuple[Mark, ...] = () if in_time else ("unanswered",) if answer is None else ("late",)
    waited, asker = waiting(sent, due, answer, line), actors(sent.human)
    for number, role in enumerate(episode.to_roles):
        one = Observation("reply", sent, role, sent.role, value, due, role, episode.parts[number])
        one.experiencer_actors = asker
        if answer is not None and role == answer.role:
            one.communicator_actors = actors(answer.human)
        one.events, one.waited_s, one.answered = waited.by, waited.seconds, waited.answered
        one.marks = marks
        found.append(one)


def accuracy(episode: MessageEpisode, found: list[Observation]) -> None:
    """sender → receiver: 0 if a receiver reported an error, or it was corrected after a receiver had acted on it."""
    sent, wrong, readers = episode.sent, episode.wrong, episode.readers
    value, sender = 1.0 if wrong is None else 0.0, actors(sent.human)
    for number, role in enumerate(episode.to_roles):
        part = episode.parts[number]
        one = Observation("message_accuracy", sent, sent.role, role, value, episode.settled_at, role, part)
        one.communicator_actors = sender
        if readers is not None:
            one.experiencer_actors = actors(readers.get(role))
        if wrong is not None:
            one.events, one.marks = (wrong,), ("corrected",)
        found.append(one)


def problem_observations(episode: ProblemEpisode, line: Timeline) -> list[Observation]:
    """addressed role → raiser: how constructively a problem was answered by the time an answer was needed.

    Only neutral answers say nothing about the tie. Whether they are all is known only when the time has passed.
    """
    found: list[Observation] = []
    raised, respond_by = episode.raised, episode.respond_by
    if respond_by is None or raised.automatic or "problem_response" not in line.observed(raised.source):
        return found
    value = episode.value()
    if value is None:
        return found
    waited = waiting(raised, respond_by, episode.answers[0] if episode.answers else None, line)
    events, raiser, marks = (*episode.answers, *waited.by), actors(raised.human), _marks(episode)
    for number, role in enumerate(episode.to_roles):
        part = episode.parts[number]
        one = Observation("problem_response", raised, role, raised.role, value, respond_by, role, part)
        one.communicator_actors = all_actors([act for act in episode.answers if act.role == role])
        one.experiencer_actors = raiser
        one.events, one.waited_s, one.answered = events, waited.seconds, waited.answered
        one.marks = marks
        found.append(one)
    return found


def _marks(episode: ProblemEpisode) -> tuple[Mark, ...]:
    """What was not constructive by the time an answer was needed. A redirect that was answered was no loss."""
    if not episode.responses:
        return ("unanswered",)
    marks: list[Mark] = []
    for response in episode.responses:
        if response.response == "blame":
            marks.append("blame")
        elif response.response == "refuse":
            marks.append("refuse")
        elif response.response == "redirect" and response not in episode.answered_redirects:
            marks.append("redirect")
    return tuple(marks)
