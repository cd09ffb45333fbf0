"""Chains of handoffs: which later offer goes on with an earlier one, and when responsibility moved with it."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from heapq import merge
from typing import NamedTuple

from schemas.envelope import Envelope
from schemas.events import HandoffOffered
from streams.inference.timeline import Order, Timeline


class Taken(NamedTuple):
    """Somebody took responsibility on: when, and by which events."""

    order: Order
    by: tuple[Envelope, ...]


NEVER = Taken((datetime.max.replace(tzinfo=UTC), 0, "", ""), ())


class Chain:
    """The offers of a work item by what they go on with. A question costs the logarithm of their number.

    The next step is an offer that says it follows the earlier one, or a plain transfer by the receiver: sources that
    never fill `follows` still pass things on. A consult is not passed on by somebody's transfer.
    """

    def __init__(self, line: Timeline) -> None:
        self._taken: Mapping[str, Taken] = {}
        self.role = line.policy.role
        self._following: dict[tuple[str, str], list[HandoffOffered]] = defaultdict(list)
        self._plain: dict[str, list[HandoffOffered]] = defaultdict(list)
        self._first_taken: dict[str, list[Taken]] = {}  # by role: at each place the first of what follows it
        for offer in line.offers:
            by = self.role(offer.data.from_role)
            if offer.data.follows is not None:
                self._following[offer.data.follows, by].append(offer)
            elif offer.data.intent == "transfer":
                self._plain[by].append(offer)

    def next_by_offerer(self, offer: HandoffOffered) -> HandoffOffered | None:
        """The first later offer by which the offerer replaces its own. From a role to itself there is none."""
        by = self.role(offer.data.from_role)
        following = self._following.get((offer.data.handoff_id, by), [])
        return None if by == self.role(offer.data.to_role) else next(_later(following, offer), None)

    def next_by_receiver(self, offer: HandoffOffered) -> HandoffOffered | None:
        """The first later offer by which the receiver goes on."""
        steps = merge(_later(self._followed(offer), offer), _later(self._transferred(offer), offer), key=_order)
        return next(steps, None)

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
        first = _first(*map(self._by_another, _later(self._followed(offer), offer)))
        plain = self._transferred(offer)
        if not plain:
            return first
        firsts = self._first_taken[self.role(offer.data.to_role)]
        return _first(first, firsts[bisect_right(plain, offer.order, key=_order)])

    def _by_another(self, step: HandoffOffered) -> Taken:
        same = self.role(step.data.from_role) == self.role(step.data.to_role)
        return NEVER if same else self._taken[step.data.handoff_id]

    def _followed(self, offer: HandoffOffered) -> Sequence[HandoffOffered]:
        return self._following.get((offer.data.handoff_id, self.role(offer.data.to_role)), ())

    def _transferred(self, offer: HandoffOffered) -> Sequence[HandoffOffered]:
        receiver = self.role(offer.data.to_role)
        plain = offer.data.intent == "transfer" and self.role(offer.data.from_role) != receiver
        return self._plain.get(receiver, ()) if plain else ()


def _later(offers: Sequence[HandoffOffered], than: HandoffOffered) -> Iterator[HandoffOffered]:
    return (offers[index] for index in range(bisect_right(offers, than.order, key=_order), len(offers)))


def _first(*taken: Taken) -> Taken:
    return min(taken, key=lambda each: each.order, default=NEVER)


def _order(offer: HandoffOffered) -> Order:
    return offer.order
