"""Inferred handoffs: what systems that only record ownership let us see of handing over."""

from __future__ import annotations

from itertools import pairwise

from streams.inference.due import policy_due
from streams.inference.handoffs import HandoffEpisode
from streams.inference.timeline import Tenure, Timeline


def inferred_handoffs(line: Timeline) -> list[HandoffEpisode]:
    """A handoff for every change of owner: offered when the owner changed, accepted when the new owner first worked.

    A tenure that ends before anyone worked in it was passed on. Closing the work item does not end a tenure.
    Source: docs/method.md#inferred-handoffs
    """
    ends = [*line.tenures[1:], None]
    return [
        _episode(line, giver, taker, after)
        for (giver, taker), after in zip(pairwise(line.tenures), ends[1:], strict=True)
    ]


def _episode(line: Timeline, giver: Tenure, taker: Tenure, after: Tenure | None) -> HandoffEpisode:
    process, work = line.policy.process, taker.worked
    targets = process.targets.accept_s
    left_at = after.assigned.time if after is not None and work is None else None
    return HandoffEpisode(
        start=taker.assigned,
        handoff_id=taker.assigned.ref,
        from_role=giver.role,
        to_role=taker.role,
        origin="inferred",
        state="accepted" if work else "passed_on" if after else "offered",
        due=policy_due(taker.assigned.time, targets, None, taker.role, line.policy, line.pauses),
        answer=work,
        accepted_at=work.time if work else None,
        left_at=left_at,
        work=work,
        given_back_at=after.assigned.time if after else None,
        ended_by=(after.assigned,) if after else (),
        bounced=after is not None and after.role == giver.role,
        offerer=giver.last_worker,
    )
