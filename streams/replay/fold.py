"""One whole work item, folded once: the same fold as live, its rows kept for one scope."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

from schemas.rows import Row, revision
from streams.inference.facts import RowKey, facts_of
from streams.inference.history import MAX_EVENTS
from streams.replay.known import Known, known
from streams.replay.scope import Scope, has_part
from streams.replay.source import WorkItemEvents


class Folded(NamedTuple):
    """What became of one work item.

    Attributes:
        rows: by key, without their revision.
        revision: of all of them.
        events: distinct contents that were known by `as_of`, of an oversize item as many as it may have; 0: the item
            is not of the scope.
        oversize: it has more events than a work item has, and therefore no rows.
        unusable: payloads that are no events, by reason.
    """

    rows: Mapping[RowKey, Row]
    revision: int
    events: int
    oversize: bool
    unusable: Counter[str]


def fold(item: WorkItemEvents, scope: Scope) -> Folded:
    """The rows of one work item in a scope. Pure: equal events give equal rows, in whatever order they come."""
    found = known(item.payloads)
    if found.oversize:
        return Folded({}, 0, MAX_EVENTS, True, found.unusable)
    seen = _seen(found, scope)
    if not seen:
        return Folded({}, 0, 0, False, found.unusable)
    rows = facts_of(found.contents, scope.policies, scope.as_of, scope.run).rows
    if scope.bounded:
        rows = {key: row for key, row in rows.items() if scope.holds(key.at)}
    if scope.role:
        rows = {key: row for key, row in rows.items() if has_part(row, scope.role)}
    return Folded(rows, revision(found.distinct, scope.as_of), seen, False, found.unusable)


def _seen(found: Known, scope: Scope) -> int:
    """Contents known by `as_of`; none, if none of them lies in the period: then no episode starts there."""
    winners, losers = found.contents
    if not winners:
        return 0
    if scope.bounded and not any(scope.holds(event.time) and event.time <= scope.as_of for event in winners):
        return 0
    if winners[-1].time <= scope.as_of and not losers:
        return len(winners)
    return sum(event.time <= scope.as_of for event in (*winners, *losers))
