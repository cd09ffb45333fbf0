"""Due times: an event's own, else the policy's target on the calendar of who has to act."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from schemas.policy import InForce
from streams.inference.calendar import Pause, due_at
from streams.inference.timeline import PauseSpan

DEFAULT = "default"
_BEYOND = datetime(2290, 1, 1, tzinfo=UTC)  # the store's time type ends before 2300


class Due(NamedTuple):
    """`at` is when it is due, `unpaused_at` when it would have been had no pause counted; None: no target."""

    at: datetime | None
    unpaused_at: datetime | None


NO_DUE = Due(None, None)


def policy_due(
    start: datetime,
    targets: dict[str, float],
    urgency: str | None,
    role: str,
    policy: InForce,
    pauses: Iterable[PauseSpan] = (),
) -> Due:
    """The earliest instant at which counted time since `start` reaches the target for the urgency.

    Counted on the calendar of `role`; `pauses` are those that may count (not by the role itself before it acted).
    Source: docs/method.md#due-times
    """
    target_s = targets.get(urgency or DEFAULT, targets.get(DEFAULT))
    if target_s is None:
        return NO_DUE
    calendar = policy.calendar(role)
    eligible = [Pause(pause.start, pause.end) for pause in pauses if pause.role != role]
    try:
        unpaused = due_at(start, target_s, calendar, (), 0.0)
        at = due_at(start, target_s, calendar, eligible, policy.process.pauses.max_s) if eligible else unpaused
    except OverflowError:
        return NO_DUE
    return Due(at, unpaused) if at < _BEYOND else NO_DUE


def joint_due(
    start: datetime,
    own: datetime | None,
    targets: dict[str, float],
    roles: Iterable[str],
    policy: InForce,
    pauses: Sequence[PauseSpan],
) -> datetime | None:
    """When several addressed roles should have answered: the event's `own` due time, else the latest of theirs."""
    if own is not None:
        return own
    dues = (policy_due(start, targets, None, role, policy, pauses).at for role in roles)
    return max((due for due in dues if due is not None), default=None)
