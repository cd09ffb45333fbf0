"""Due times: an event's own, else the policy's target on the calendar of who has to act."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from schemas.calendar import Calendar
from streams.inference.calendar import Interval, due_at
from streams.inference.timeline import Timeline

DEFAULT = "default"
_BEYOND = datetime(2290, 1, 1, tzinfo=UTC)  # the store's time type ends before 2300


class Due:
    """`at` is when it is due, `unpaused_at` when it would have been had no pause counted; None: no target."""

    __slots__ = ("at", "unpaused_at")

    def __init__(self, at: datetime | None, unpaused_at: datetime | None) -> None:
        self.at = at
        self.unpaused_at = unpaused_at


NO_DUE = Due(None, None)


def policy_due(start: datetime, targets: Mapping[str, float], urgency: str | None, role: str, line: Timeline) -> Due:
    """The earliest instant at which counted time since `start` reaches the target for the urgency.

    Counted on the calendar of `role`; of the pauses of the work item those may count that are not by the role itself
    before it acted.
    Source: docs/method.md#due-times
    """
    target_s = targets.get(urgency or DEFAULT)
    if target_s is None:
        target_s = targets.get(DEFAULT)
        if target_s is None:
            return NO_DUE
    calendar = line.calendar(role)
    try:
        at = unpaused = due_at(start, target_s, calendar, (), 0.0)
        if line.pauses:
            eligible = line.pauses_by_others(role)
            if eligible:
                at = _paused_due(start, target_s, calendar, eligible, line)
    except OverflowError:
        return NO_DUE
    return Due(at, unpaused) if at < _BEYOND else NO_DUE


def _paused_due(
    start: datetime, target_s: float, calendar: Calendar | None, pauses: tuple[Interval, ...], line: Timeline
) -> datetime:
    """Worked out once for all the roles that a message addresses: they mostly share calendar and pauses."""
    key = (start, target_s, id(calendar), id(pauses))
    at = line.paused_due.get(key)
    if at is None:
        at = line.paused_due[key] = due_at(start, target_s, calendar, pauses, line.policy.process.pauses.max_s)
    return at


def joint_due(
    start: datetime, own: datetime | None, targets: Mapping[str, float], roles: Iterable[str], line: Timeline
) -> datetime | None:
    """When several addressed roles should have answered: the event's `own` due time, else the latest of theirs."""
    if own is not None:
        return own
    latest: datetime | None = None
    for role in roles:
        due = policy_due(start, targets, None, role, line).at
        if due is not None and (latest is None or due > latest):
            latest = due
    return latest
