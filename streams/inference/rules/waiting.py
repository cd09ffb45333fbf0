"""How long an episode waited for its answer, and how long an accepted handoff was held: wall clock, never negative.

What ends unanswered, or has not ended, is right-censored: the seconds then say *at least*.
Source: docs/method.md#waiting-times
"""

from __future__ import annotations

from datetime import datetime

from streams.inference.acts import Act
from streams.inference.handoffs import HandoffEpisode
from streams.inference.timeline import Timeline


class Waiting:
    """How long an episode waited, or how long what was accepted was held. `by` are the events that ended it.

    `seconds` is None while nothing has ended it; if not `answered` it is the time until it ended without an answer.
    """

    __slots__ = ("answered", "by", "seconds")

    def __init__(self, seconds: float | None, answered: bool, by: tuple[Act, ...]) -> None:
        self.seconds = seconds
        self.answered = answered
        self.by = by


_STILL = Waiting(None, False, ())


def waiting(start: Act, due: datetime, answer: Act | None, line: Timeline) -> Waiting:
    """From the start to the answer; without one, to the closing of the work item.

    Until due it counts as waiting whatever was closed before: the rules take it so too, so that of what was answered
    by due the curve of answers and the figure say the same.
    """
    if answer is not None:
        return Waiting(_seconds(start.time, answer.time), True, (answer,))
    closing = _closing(line, start)
    return _STILL if closing is None else _censored(start, due, closing.time, (closing,))


def handoff_waiting(episode: HandoffEpisode, due: datetime, line: Timeline) -> Waiting:
    """From the offer to the answer of the receiver, or until the offer ended without one."""
    left_at, closing = episode.left_at, _closing(line, episode.start)
    if episode.answer is None and left_at is not None and (closing is None or left_at <= closing.time):
        return _censored(episode.start, due, left_at, _left_by(episode))
    return waiting(episode.start, due, episode.answer, line)


def holding(episode: HandoffEpisode, line: Timeline) -> Waiting:
    """From the acceptance until responsibility left the receiver or the work item was closed; `seconds` is None while
    it lasts, and for what was not accepted."""
    answer, accepted_at = episode.answer, episode.accepted_at
    if answer is None or accepted_at is None:
        return _STILL
    closing = _closing(line, answer)
    end: datetime | None = None if closing is None else closing.time
    by: tuple[Act, ...] = () if closing is None else (closing,)
    given_back_at, withdrawn = episode.given_back_at, episode.withdrawn
    # Of several at one instant the first of this order counts: withdrawn, given back, closed.
    if given_back_at is not None and (end is None or given_back_at <= end):
        end, by = given_back_at, episode.ended_by
    if withdrawn is not None and (end is None or withdrawn.time <= end):
        end, by = withdrawn.time, (withdrawn,)
    if end is None:
        return _STILL
    started = max(accepted_at, episode.start.time)
    return Waiting(_seconds(started, end), False, by)


def _censored(start: Act, due: datetime, end: datetime, by: tuple[Act, ...]) -> Waiting:
    return Waiting(_seconds(start.time, max(end, due)), False, by)


def _left_by(episode: HandoffEpisode) -> tuple[Act, ...]:
    return episode.ended_by if episode.withdrawn is None else (episode.withdrawn,)


def _closing(line: Timeline, after: Act) -> Act | None:
    """The event that closed the work item, if it is the later one."""
    closing = line.closing
    return None if closing is None or closing.place < after.place else closing


def _seconds(start: datetime, end: datetime) -> float:
    return (end - start).total_seconds() if end > start else 0.0
