"""How long an episode waited for its answer, and how long an accepted handoff was held: wall clock, never negative.

What ends unanswered, or has not ended, is right-censored: the seconds then say *at least*.
Source: docs/method.md#waiting-times
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from schemas.envelope import Envelope
from streams.inference.handoffs import HandoffEpisode
from streams.inference.timeline import Timeline


class End(NamedTuple):
    """When something ended, and the events that say so."""

    at: datetime
    by: tuple[Envelope, ...]


class Waiting(NamedTuple):
    """How long an episode waited. `by` are the events that ended it.

    `waited_s` is None while nothing has ended it; if not `answered` it is the time until it ended without an answer.
    """

    waited_s: float | None
    answered: bool
    by: tuple[Envelope, ...]


class Holding(NamedTuple):
    """How long the receiver held what it accepted; None while it lasts, and for what was not accepted."""

    held_s: float | None
    by: tuple[Envelope, ...]


def waiting(start: Envelope, due: datetime, answer: Envelope | None, line: Timeline, *ends: End) -> Waiting:
    """From the start to the answer; without one, to the first of `ends` and of the closing of the work item.

    Until due it counts as waiting whatever was closed before: the rules take it so too, so that of what was answered
    by due the curve of answers and the figure say the same.
    """
    if answer is not None:
        return Waiting(_seconds(start.time, answer.time), True, (answer,))
    end = _first((*ends, *_closing(line, start)))
    return Waiting(_seconds(start.time, max(end.at, due)), False, end.by) if end else Waiting(None, False, ())


def handoff_waiting(episode: HandoffEpisode, due: datetime, line: Timeline) -> Waiting:
    """From the offer to the answer of the receiver, or until the offer ended without one."""
    left = () if episode.left_at is None else (End(episode.left_at, _left_by(episode)),)
    return waiting(episode.start, due, episode.answer, line, *left)


def holding(episode: HandoffEpisode, line: Timeline) -> Holding:
    """From the acceptance until responsibility left the receiver or the work item was closed."""
    answer = episode.answer
    if answer is None or episode.accepted_at is None:
        return Holding(None, ())
    given_back, closed = _given_back(episode), _closing(line, answer)
    end = _first((*given_back, *closed) if given_back else closed)
    if end is None:
        return Holding(None, ())
    return Holding(_seconds(max(episode.accepted_at, episode.start.time), end.at), end.by)


def _first(ends: Sequence[End]) -> End | None:
    return min(ends, key=lambda end: end.at) if len(ends) > 1 else ends[0] if ends else None


def _left_by(episode: HandoffEpisode) -> tuple[Envelope, ...]:
    return (episode.withdrawn,) if episode.withdrawn else episode.ended_by


def _given_back(episode: HandoffEpisode) -> tuple[End, ...]:
    if episode.withdrawn is None and episode.given_back_at is None:
        return ()
    withdrawn = () if episode.withdrawn is None else (End(episode.withdrawn.time, (episode.withdrawn,)),)
    return withdrawn if episode.given_back_at is None else (*withdrawn, End(episode.given_back_at, episode.ended_by))


def _closing(line: Timeline, after: Envelope) -> tuple[End, ...]:
    closing = line.closing
    return () if closing is None or line.place(closing) < line.place(after) else (End(closing.time, (closing,)),)


def _seconds(start: datetime, end: datetime) -> float:
    return (end - start).total_seconds() if end > start else 0.0
