"""Chains of handoffs: which later offer goes on with an earlier one, and when responsibility moved with it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from schemas.envelope import Envelope
from schemas.events import HandoffOffered
from streams.inference.timeline import Timeline


class Taken(NamedTuple):
    """Somebody took responsibility on: at which place in the order of the work item, when, and by which events."""

    place: int
    at: datetime
    by: tuple[Envelope, ...]


NEVER = Taken(2**62, datetime.max.replace(tzinfo=UTC), ())


class Chain:
    """The offers of a work item by what they go on with. A question costs the logarithm of their number.

    The next step is an offer that says it follows the earlier one, or a plain transfer by the receiver: sources that
    never fill `follows` still pass things on. A consult is not passed on by somebody's transfer.
    """

    def __init__(self, line: Timeline) -> None:
        self._taken: Mapping[str, Taken] = {}
        self._place, self.role = line.place, line.policy.role
        self._following: dict[tuple[str, str], list[HandoffOffered]] = {}
        self._plain: dict[str, list[HandoffOffered]] = {}
        self._first_taken: dict[str, list[Taken]] = {}  # by role: at each place the first of what follows it
        if len(line.offers) < 2:
            return  # nothing goes on with an only offer
        for offer in line.offers:
            by = self.role(offer.data.from_role)
            if offer.data.follows is not None:
                self._following.setdefault((offer.data.follows, by), []).append(offer)
            elif offer.data.intent == "transfer":
                self._plain.setdefault(by, []).append(offer)

    def next_by_offerer(self, offer: HandoffOffered) -> HandoffOffered | None:
        """The first later offer by which the offerer replaces its own. From a role to itself there is none."""
        if not self._following:
            return None
        by = self.role(offer.data.from_role)
        following = self._following.get((offer.data.handoff_id, by), ())
        return None if by == self.role(offer.data.to_role) else self._next(following, offer)

    def next_by_receiver(self, offer: HandoffOffered) -> HandoffOffered | None:
        """The first later offer by which the receiver goes on."""
        followed, plain = self._next(self._followed(offer), offer), self._next(self._transferred(offer), offer)
        if followed is None or plain is None:
            return followed or plain
        return min(followed, plain, key=self._place)

    def settle(self, taken: Mapping[str, Taken]) -> None:
        """Take in which handoff, by its id, was taken on and when; `left` can be asked after that."""
        self._taken = taken
        for by, offers in self._plain.items():
            firsts = [NEVER]
            for offer in reversed(offers):
                firsts.append(_first(firsts[-1], self._by_another(offer)))
            self._first_taken[by] = firsts[::-1]

    def left(self, offer: HandoffOffered) -> Taken:
        """When another role first took from the receiver what it had accepted.

        Offering it on is not enough: the next may decline, and then the receiver is responsible still.
        """
        followed, plain = self._followed(offer), self._transferred(offer)
        first = _first(NEVER, *map(self._by_another, followed[self._after(followed, offer) :])) if followed else NEVER
        if not plain:
            return first
        firsts = self._first_taken[self.role(offer.data.to_role)]
        return _first(first, firsts[self._after(plain, offer)])

    def _by_another(self, step: HandoffOffered) -> Taken:
        same = self.role(step.data.from_role) == self.role(step.data.to_role)
        return NEVER if same else self._taken[step.data.handoff_id]

    def _followed(self, offer: HandoffOffered) -> Sequence[HandoffOffered]:
        if not self._following:
            return ()
        return self._following.get((offer.data.handoff_id, self.role(offer.data.to_role)), ())

    def _transferred(self, offer: HandoffOffered) -> Sequence[HandoffOffered]:
        if not self._plain or offer.data.intent != "transfer":
            return ()
        receiver = self.role(offer.data.to_role)
        return self._plain.get(receiver, ()) if self.role(offer.data.from_role) != receiver else ()

    def _next(self, offers: Sequence[HandoffOffered], than: HandoffOffered) -> HandoffOffered | None:
        after = self._after(offers, than) if offers else 0
        return offers[after] if after < len(offers) else None

    def _after(self, offers: Sequence[HandoffOffered], than: HandoffOffered) -> int:
        """Where in `offers` those begin that are later."""
        return bisect_right(offers, self._place(than), key=self._place)


def _first(*taken: Taken) -> Taken:
    return min(taken, key=lambda each: each.place)
