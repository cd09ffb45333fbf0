"""Inferred handoffs: what systems that only record ownership let us see of handing over."""

from __future__ import annotations

from streams.inference.due import policy_due
from streams.inference.handoffs import HandoffEpisode
from streams.inference.timeline import Tenure, Timeline


def inferred_handoffs(line: Timeline) -> list[HandoffEpisode]:
    """A handoff for every change of owner: offered when the owner changed, accepted when the new owner first worked.

    A tenure that ends before anyone worked in it was passed on. Closing the work item does not end a tenure.
    Source: docs/method.md#inferred-handoffs
    """
    tenures = line.tenures
    last = len(tenures) - 1
    return [
        _episode(line, tenures[number - 1], tenures[number], tenures[number + 1] if number < last else None)
        for number in range(1, len(tenures))
    ]


def _episode(line: Timeline, giver: Tenure, taker: Tenure, after: Tenure | None) -> HandoffEpisode:
    start, work = taker.assigned, taker.worked
    targets = line.policy.process.targets.accept_s
    due = policy_due(start.time, targets, None, taker.role, line)
    found = HandoffEpisode(start, None, start.ref, giver.role, taker.role, "offered", due, [])
    found.offerer = giver.last_worker
    if work is not None:
        found.state, found.answer, found.accepted_at, found.work = "accepted", work, work.time, work
    if after is not None:
        ended = after.assigned
        found.given_back_at, found.ended_by, found.bounced = ended.time, (ended,), after.role == giver.role
        if work is None:
            found.state, found.left_at = "passed_on", ended.time
    return found
