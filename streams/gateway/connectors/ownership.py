"""What sources that record ownership say: the drafts of `tieline.work_item.*`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

from streams.gateway.edge.draft import Acting, Draft, Reading

Verb = Literal["opened", "reopened", "resumed", "assigned", "worked", "paused", "closed"]
VERBS: tuple[Verb, ...] = get_args(Verb)
"""What one change of a ticket can say, in the order in which it says it: work and a new owner would reopen what was
closed before them, and a pause would end with what resumes."""
PLACES = 8
"""Sequence numbers kept for one change: more than there are verbs, so that none moves when one is added."""

NO_ROLE, NOT_HUMAN, NO_CHANGE = "no_role", "not_human", "no_change"
OTHER_EVENT = "other_event"
"""For types that a connector does not list: what a payload calls itself is nothing to count by."""
_NEEDS_ROLE: frozenset[Verb] = frozenset({"assigned", "worked"})


@dataclass(frozen=True, slots=True)
class Change:
    """One change of a ticket.

    Attributes:
        id: the same whenever the same change is told again.
        step: its place among changes of the same time, such as a count of the record's changes.
    """

    id: str
    time: datetime
    subject: str
    actor: Acting | None = None
    step: int = 0


class Telling:
    """Collects what a change says. `read` gives it in the order of `VERBS`, whatever the order of saying it."""

    def __init__(self, change: Change) -> None:
        self.change = change
        self._said: dict[Verb, dict[str, object]] = {}
        self._unused: list[str] = []

    def say(self, verb: Verb, role: str = "", **data: object) -> None:
        """`role` is the owner for `assigned`, else who acted. Owning and working are not said without: `no_role`."""
        if role:
            self._said[verb] = {**data, "role": role}
        elif verb in _NEEDS_ROLE:
            self.leave(NO_ROLE)
        else:
            self._said[verb] = data

    def say_worked(self, role: str) -> None:
        """Somebody of this role worked; nobody did if a program did (`not_human`)."""
        actor = self.change.actor
        if actor is None or actor.kind in ("bot", "system"):
            self.leave(NOT_HUMAN)
        else:
            self.say("worked", role)

    def say_still_closed(self) -> None:
        """The ticket is closed: what is said besides does not reopen it. `closed` where anything would."""
        if "assigned" in self._said or "worked" in self._said:
            self._said.setdefault("closed", {})

    def leave(self, code: str) -> None:
        """Understood and not used, once each."""
        if code not in self._unused:
            self._unused.append(code)

    def read(self, *others: Draft) -> Reading:
        """All that was said, and other drafts after it; the code `no_change` if there is nothing at all."""
        drafts = (*(self._draft(verb) for verb in VERBS if verb in self._said), *others)
        return Reading(drafts, tuple(self._unused) or (() if drafts else (NO_CHANGE,)))

    def _draft(self, verb: Verb) -> Draft:
        change = self.change
        return Draft(
            type=f"tieline.work_item.{verb}.v1",
            id=f"{change.id}:{verb}",
            time=change.time,
            subject=change.subject,
            data=self._said[verb],
            actor=change.actor,
            sequence=change.step * PLACES + VERBS.index(verb),
        )
