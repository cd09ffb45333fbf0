"""Review requests: asked of a role, answered by a review. Remembered, because a review does not say what it answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import cast

from streams.gateway.connectors.connector import Snapshots

MAX_REQUESTS = 100
"""Remembered for one pull request; the oldest are forgotten first."""

WITHDRAWN = "withdrawn:"
"""How the `ended_by` of a request begins that nobody wants answered any more."""


@dataclass(frozen=True, slots=True)
class Request:
    """One review asked of one role.

    Attributes:
        handoff_id: also names the webhook that first asked.
        team: its slug, if a team was asked; empty for a person.
        asked_by: the webhooks that asked the same while it was open; one handoff, as one role has one answer to give.
        ended_by: the review that answered or the webhook that withdrew it; empty while it is open.
    """

    handoff_id: str
    from_role: str
    to_role: str
    at: str
    team: str = ""
    asked_by: tuple[str, ...] = ()
    ended_by: str = ""


class Requests:
    """The requests of one pull request, as far as webhooks have told them."""

    def __init__(self, snapshots: Snapshots, key: str) -> None:
        self._snapshots, self._resource = snapshots, f"github:{key}:reviews"
        last = snapshots.last(self._resource) or {}
        self._all = [_request(one) for one in cast("Iterable[Mapping[str, object]]", last.get("requests", ()))]

    @property
    def roles(self) -> tuple[str, ...]:
        """The roles that have been asked, whether or not they have answered."""
        return tuple(one.to_role for one in self._all if not one.ended_by.startswith(WITHDRAWN))

    def ask(self, asked: Request) -> Request | None:
        """The request to offer: the same again for a webhook told again, None if the role was asked already."""
        for one in self._all:
            if asked.handoff_id in one.asked_by:
                return one if one.handoff_id == asked.handoff_id else None
        for one in self._all:
            if one.to_role == asked.to_role and not one.ended_by and one.at <= asked.at:
                self._put(one, replace(one, asked_by=(*one.asked_by, asked.handoff_id)))
                return None
        self._all.append(replace(asked, asked_by=(asked.handoff_id,)))
        self._keep()
        return asked

    def end(self, ending: str, at: str, applies: Callable[[Request], bool]) -> list[Request]:
        """Those that this webhook ends: the same again if it is told again, else the open ones that it applies to.

        Args:
            at: when, as ISO 8601 in UTC; nothing ends before it began.
        """
        again = [one for one in self._all if one.ended_by == ending]
        if again:
            return again
        ended = [one for one in self._all if not one.ended_by and one.at <= at and applies(one)]
        for one in ended:
            self._put(one, replace(one, ended_by=ending))
        return ended

    def _put(self, old: Request, new: Request) -> None:
        self._all[self._all.index(old)] = new
        self._keep()

    def _keep(self) -> None:
        self._snapshots.keep(self._resource, {"requests": [asdict(one) for one in self._all[-MAX_REQUESTS:]]})


def _request(kept: Mapping[str, object]) -> Request:
    told = dict(cast("Mapping[str, str]", kept))
    asked_by = tuple(told.pop("asked_by", ()))
    return Request(**told, asked_by=asked_by)
