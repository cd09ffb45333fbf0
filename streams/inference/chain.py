"""Chains of handoffs: which later offer goes on with an earlier one, and when responsibility moved with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from streams.inference.acts import Act, Offer
from streams.inference.timeline import Timeline


class Taken:
    """Somebody took responsibility on: at which place in the order of the work item, when, and by which events."""

    __slots__ = ("at", "by", "place")

    def __init__(self, place: int, at: datetime, by: tuple[Act, ...]) -> None:
        self.place = place
        self.at = at
        self.by = by


NEVER = Taken(2**62, datetime.max.replace(tzinfo=UTC), ())


class Chain:
    """The offers of a work item by what they go on with. A question costs the logarithm of their number.

    The next step is an offer that says it follows the earlier one, or a plain transfer by the receiver: sources that
    never fill `follows` still pass things on. A consult is not passed on by somebody's transfer.
    """

    __slots__ = ("_first_taken", "_following", "_plain", "_taken")

    def __init__(self, line: Timeline) -> None:
        self._taken: Mapping[str, Taken] = {}
        self._following: dict[tuple[str, str], list[Offer]] = {}
        self._plain: dict[str, list[Offer]] = {}
        self._first_taken: dict[str, list[Taken]] = {}  # by role: at each place the first of what follows it
        if len(line.offers) < 2:
            return  # nothing goes on with an only offer
        for offer in line.offers:
            if offer.follows is not None:
                self._following.setdefault((offer.follows, offer.role), []).append(offer)
            elif offer.intent == "transfer":
                self._plain.setdefault(offer.role, []).append(offer)

    def next_by_offerer(self, offer: Offer) -> Offer | None:
        """The first later offer by which the offerer replaces its own. From a role to itself there is none."""
        if not self._following or offer.role == offer.to_role:
            return None
        return _next(self._following.get((offer.handoff_id, offer.role), ()), offer)

    def next_by_receiver(self, offer: Offer) -> Offer | None:
        """The first later offer by which the receiver goes on."""
        followed, plain = _next(self._followed(offer), offer), _next(self._transferred(offer), offer)
        if followed is None or plain is None:
            return followed or plain
        return followed if followed.place < plain.place else plain

    def settle(self, taken: Mapping[str, Taken]) -> None:
        """Take in which handoff, by its id, was taken on and when; `left` can be asked after that."""
        self._taken = taken
        for by, offers in self._plain.items():
            firsts = [NEVER]
            for offer in reversed(offers):
                firsts.append(_first(firsts[-1], self._by_another(offer)))
            self._first_taken[by] = firsts[::-1]

    def left(self, offer: Offer) -> Taken:
        """When another role first took from the receiver what it had accepted.

        Offering it on is not enough: the next may decline, and then the receiver is responsible still.
        """
        followed, plain = self._followed(offer), self._transferred(offer)
        first = NEVER
        for number in range(first_after(followed, offer.place), len(followed)):
            first = _first(first, self._by_another(followed[number]))
        if not plain:
            return first
        return _first(first, self._first_taken[offer.to_role][first_after(plain, offer.place)])

    def _by_another(self, step: Offer) -> Taken:
        return NEVER if step.role == step.to_role else self._taken[step.handoff_id]

    def _followed(self, offer: Offer) -> Sequence[Offer]:
        return self._following.get((offer.handoff_id, offer.to_role), ()) if self._following else ()

    def _transferred(self, offer: Offer) -> Sequence[Offer]:
        if not self._plain or offer.intent != "transfer" or offer.role == offer.to_role:
            return ()
        return self._plain.get(offer.to_role, ())


def _next(offers: Sequence[Offer], than: Offer) -> Offer | None:
    after = first_after(offers, than.place)
    return offers[after] if after < len(offers) else None


def first_after(acts: Sequence[Act], place: int) -> int:
    """Where in `acts`, which are in order, those begin that are later than a place."""
    low, high = 0, len(acts)
    while low < high:
        middle = (low + high) // 2
        if acts[middle].place > place:
            high = middle
        else:
            low = middle + 1
    return low


def _first(one: Taken, other: Taken) -> Taken:
    return one if one.place <= other.place else other
