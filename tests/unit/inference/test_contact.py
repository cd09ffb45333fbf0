"""Did the two roles talk enough, and not too much, between offer and settling?"""

from __future__ import annotations

import pytest

from schemas.events import Event
from tests.builders import act, at, offered, person, policy_book, sent
from tests.unit.inference.outcomes import NOTHING, PENDING, only, tie, value

OFFER, ACCEPTED = offered(0), act("accepted", 10, "ward")  # settled at 130; the band is 1 to 3


def message(minutes: float, a: str = "ward", to: str = "nurse", **fields: object) -> Event:
    return sent(minutes, f"m{minutes}", a, [to], **fields)


@pytest.mark.parametrize(("n", "in_band"), [(0, 0.0), (1, 1.0), (3, 1.0), (4, 0.0)])
def test_contact_is_right_within_the_band(n: int, in_band: float) -> None:
    assert value("contact", OFFER, ACCEPTED, *(message(20 + m) for m in range(n))) == in_band


@pytest.mark.parametrize(("minutes", "counts"), [(-0.1, 0.0), (0, 1.0), (5, 1.0), (130, 1.0), (130.1, 0.0)])
def test_messages_count_from_the_offer_until_it_is_settled(minutes: float, counts: float) -> None:
    assert value("contact", OFFER, ACCEPTED, message(minutes)) == counts


@pytest.mark.parametrize(
    ("a", "to", "counts"),
    [("nurse", "ward", 1.0), ("ward", "nurse", 1.0), ("lab", "ward", 0.0), ("ward", "lab", 0.0), ("ward", "ward", 0.0)],
)
def test_messages_count_in_both_directions_of_the_pair_only(a: str, to: str, counts: float) -> None:
    assert value("contact", OFFER, ACCEPTED, message(20, a, to)) == counts


def test_a_message_to_several_roles_counts_once() -> None:
    to_both = [sent(20 + m, f"m{m}", "ward", ["nurse", "lab"]) for m in range(3)]
    assert value("contact", OFFER, ACCEPTED, *to_both) == 1.0


@pytest.mark.parametrize(("kind", "counts"), [("human", 1.0), ("unknown", 1.0), ("bot", 0.0), ("system", 0.0)])
def test_a_machines_message_is_no_contact(kind: str, counts: float) -> None:
    assert value("contact", OFFER, ACCEPTED, message(20, actor=person(4, kind))) == counts


def test_the_pair_is_unordered_and_counted_once() -> None:
    one = only("contact", OFFER, ACCEPTED, message(20))
    other = only("contact", offered(0, a="ward", b="nurse"), act("accepted", 10, "nurse"), message(20))
    assert tie(one) == tie(other) == ("nurse", "ward", "frequency")
    assert one.communicator_actors == other.experiencer_actors == (person(1)["id"],)
    assert one.experiencer_actors == other.communicator_actors == (person(2)["id"],)


def test_contact_is_ripe_when_the_handoff_is_settled() -> None:
    assert value("contact", OFFER, ACCEPTED, message(20), as_of=at(129.9)) == PENDING
    assert value("contact", OFFER, ACCEPTED, message(20), as_of=at(130)) == 1.0


def test_contact_needs_an_acceptance_a_band_and_two_roles() -> None:
    assert value("contact", OFFER, message(20)) == NOTHING
    assert value("contact", OFFER, act("declined", 10, "ward"), message(20)) == NOTHING
    assert value("contact", OFFER, ACCEPTED, message(20), book=policy_book(contact_band=None)) == NOTHING
    assert value("contact", offered(0, b="nurse"), act("accepted", 10, "nurse")) == NOTHING


def test_the_messages_are_cited() -> None:
    told = message(20)
    assert only("contact", OFFER, ACCEPTED, told, message(200)).event_ids == (OFFER.ref, ACCEPTED.ref, told.ref)
