"""Review requests: asked of a role, answered by a review. Remembered, because a review does not say what it answers.

One snapshot for each role that was asked, so that webhooks that come at once, one for each team, do not overwrite each
other; and one that lists those roles.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import cast

from streams.gateway.connectors.connector import Snapshots

MAX_ROUNDS, MAX_ROLES, MAX_ASKING = 8, 32, 4
"""Remembered for one role, for one pull request, and of webhooks for one round: a snapshot stays below 16 KB."""
WITHDRAWN = "withdrawn:"
"""How the `ended_by` of a request begins that nobody wants answered any more."""


@dataclass(frozen=True, slots=True)
class Request:
    """One review asked of one role.

    Attributes:
        handoff_id: also names the webhook that first asked.
        at: when, as ISO 8601 in UTC.
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
        self._teams = dict(cast("Mapping[str, str]", last.get("teams", {})))

    @property
    def roles(self) -> tuple[str, ...]:
        """The roles that have been asked, whether or not they have answered."""
        wanted = (role for role in self._teams for one in self._rounds(role) if not one.ended_by.startswith(WITHDRAWN))
        return tuple(dict.fromkeys(wanted))

    def without(self, teams: Iterable[str]) -> tuple[str, ...]:
        """The roles that were asked as teams, but for these teams (slugs)."""
        still = {*teams, ""}
        return tuple(role for role, team in self._teams.items() if team not in still)

    def ask(self, asked: Request, teams: Mapping[str, str]) -> Request | None:
        """The request to offer: the same again for a webhook told again, None if the role was asked already.

        Args:
            teams: role → slug, of all teams that the webhook tells of: others may be asked at the same time.
        """
        rounds = self._rounds(asked.to_role)
        for one in rounds:
            if asked.handoff_id in one.asked_by:
                return one if one.handoff_id == asked.handoff_id else None
        self._list({**teams, asked.to_role: asked.team})
        standing = next((one for one in rounds if not one.ended_by and one.at <= asked.at), None)
        if standing is None:
            self._keep(asked.to_role, [*rounds, replace(asked, asked_by=(asked.handoff_id,))])
            return asked
        # The first of them is the one that was offered.
        asked_by = (*standing.asked_by[: MAX_ASKING - 1], asked.handoff_id)
        self._keep(asked.to_role, [replace(one, asked_by=asked_by) if one is standing else one for one in rounds])
        return None

    def end(self, ending: str, at: str, roles: Iterable[str], team: str | None = None) -> list[Request]:
        """What this webhook ends: the same again if it is told again, else what was asked of these roles and is open.

        Args:
            at: when; nothing ends before it began.
            team: only what was asked of that team, or of no team if it is empty.
        """
        ended: list[Request] = []
        for role in dict.fromkeys(roles):
            rounds = self._rounds(role)
            found = [one for one in rounds if one.ended_by == ending] or [
                one for one in rounds if not one.ended_by and one.at <= at and team in (None, one.team)
            ]
            if found:
                self._keep(role, [replace(one, ended_by=ending) if one in found else one for one in rounds])
            ended.extend(found)
        return ended

    def _rounds(self, role: str) -> list[Request]:
        last = self._snapshots.last(f"{self._resource}:{role}") or {}
        return [_request(one) for one in cast("Iterable[Mapping[str, object]]", last.get("rounds", ()))]

    def _keep(self, role: str, rounds: list[Request]) -> None:
        told = [asdict(one) for one in rounds[-MAX_ROUNDS:]]
        self._snapshots.keep(f"{self._resource}:{role}", {"rounds": told})

    def _list(self, teams: Mapping[str, str]) -> None:
        self._teams = dict(list({**self._teams, **teams}.items())[-MAX_ROLES:])
        self._snapshots.keep(self._resource, {"teams": self._teams})


def _request(kept: Mapping[str, object]) -> Request:
    told = dict(cast("Mapping[str, str]", kept))
    asked_by = tuple(told.pop("asked_by", ()))
    return Request(**told, asked_by=asked_by)
