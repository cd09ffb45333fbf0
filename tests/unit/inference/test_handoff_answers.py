"""Was an offer answered by due? And what became of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from schemas.events import Event
from tests.builders import act, at, event, offered, person, policy_book, sent
from tests.unit.inference.outcomes import NOTHING, PENDING, handoff, only, tie, value

OFFER = offered(0)  # nurse → ward, due at 60


def onward(minutes: float) -> Event:
    """Ward, who was offered h1, offers the item on."""
    return offered(minutes, "h2", "ward", "lab", follows="h1")


def again(minutes: float) -> Event:
    """Nurse makes another offer in place of h1."""
    return offered(minutes, "h2", "nurse", "lab", follows="h1")


@pytest.mark.parametrize("verb", ["accepted", "declined", "returned"])
@pytest.mark.parametrize(("minutes", "timely"), [(0, 1.0), (30, 1.0), (60, 1.0), (60.01, 0.0), (500, 0.0)])
def test_any_answer_by_due_is_timely(verb: str, minutes: float, timely: float) -> None:
    events = OFFER, act(verb, minutes, "ward")
    assert value("handoff_acceptance", *events) == timely
    assert handoff(*events).state == verb


def test_the_receivers_answer_is_what_the_offerer_experiences() -> None:
    row = only("handoff_acceptance", OFFER, act("accepted", 30, "ward"))
    assert tie(row) == ("ward", "nurse", "timeliness")
    assert row.communicator_actors == (person(2)["id"],)
    assert row.experiencer_actors == (person(1)["id"],)


def test_an_unanswered_offer_is_late_once_due_has_passed() -> None:
    assert value("handoff_acceptance", OFFER, as_of=at(59.99)) == PENDING
    assert value("handoff_acceptance", OFFER, as_of=at(60)) == 0.0
    assert handoff(OFFER).state == "offered"
    assert handoff(OFFER).waited_s is None


def test_an_early_answer_is_pending_until_due_and_shows_nobody_until_then() -> None:
    events = OFFER, act("accepted", 5, "ward")
    pending = only("handoff_acceptance", *events, as_of=at(59.99))
    assert (pending.ripe, pending.value, pending.known_at) == (False, None, None)
    assert pending.communicator_actors == pending.experiencer_actors == ()
    assert pending.event_ids == (OFFER.ref,)
    ripe = only("handoff_acceptance", *events, as_of=at(60))
    assert (ripe.ripe, ripe.value, ripe.known_at) == (True, 1.0, at(60))


@pytest.mark.parametrize("minutes", [5, 100])
def test_evidence_stands_at_the_offer_whatever_the_outcome(minutes: float) -> None:
    row = only("handoff_acceptance", OFFER, act("accepted", minutes, "ward"))
    assert row.at == at(0)
    assert row.known_at == at(60)


LEFT: list[tuple[Callable[[float], Event], str]] = [
    (lambda minutes: act("withdrawn", minutes, "nurse"), "withdrawn"),
    (again, "superseded"),
    (onward, "passed_on"),
]


@pytest.mark.parametrize(("left", "state"), LEFT, ids=[state for _, state in LEFT])
@pytest.mark.parametrize(("minutes", "said"), [(30, NOTHING), (60, NOTHING), (60.01, 0.0)])
def test_an_offer_that_left_by_due_says_nothing_and_one_that_left_later_was_late(
    left: Callable[[float], Event], state: str, minutes: float, said: float | str
) -> None:
    events = OFFER, left(minutes)
    assert value("handoff_acceptance", *events, of=OFFER) == said
    row = handoff(*events)
    assert (row.state, row.left_at, row.left_before_due) == (state, at(minutes), said == NOTHING)


def test_the_first_end_of_an_offer_is_its_end() -> None:
    first = handoff(OFFER, act("withdrawn", 20, "nurse"), onward(30), again(40))
    assert (first.state, first.left_at, first.withdrawn_at) == ("withdrawn", at(20), at(20))
    second = handoff(OFFER, onward(20), act("withdrawn", 30, "nurse"))
    assert (second.state, second.left_at, second.withdrawn_at) == ("passed_on", at(20), None)


def test_the_offer_that_ended_it_is_cited() -> None:
    assert handoff(OFFER, again(20)).event_ids == (OFFER.ref, again(20).ref)


@pytest.mark.parametrize(
    "other",
    [offered(20, "h2", "lab", "x", follows="h1"), offered(20, "h2", "ward", "x", intent="consult"), offered(20, "h2")],
    ids=["by a third role", "a consult of its own", "a second offer that follows nothing"],
)
def test_other_offers_do_not_end_an_offer(other: Event) -> None:
    assert handoff(OFFER, other).state == "offered"


def test_a_plain_transfer_by_the_receiver_passes_on_a_transfer_and_no_consult() -> None:
    transfer = offered(20, "h2", "ward", "lab")
    assert handoff(OFFER, transfer).state == "passed_on"
    assert handoff(offered(0, intent="consult"), transfer).state == "offered"
    assert handoff(OFFER, offered(20, "h2", "ward", "lab", follows="h7")).state == "offered"
    assert handoff(offered(0, b="nurse"), offered(20, "h2", "nurse", "lab")).state == "offered"


@pytest.mark.parametrize("answer", ["accepted", "declined"])
def test_what_comes_after_the_offer_left_is_no_answer(answer: str) -> None:
    events = OFFER, act("withdrawn", 20, "nurse"), act(answer, 30, "ward")
    assert value("handoff_acceptance", *events) == NOTHING
    assert handoff(*events).state == "withdrawn"
    assert handoff(*events).accepted_at is None


def test_at_one_instant_the_sequence_decides_whether_the_offer_still_stood() -> None:
    answered = OFFER, act("accepted", 30, "ward", sequence=1), act("withdrawn", 30, "nurse", sequence=2)
    gone = OFFER, act("withdrawn", 30, "nurse", sequence=1), act("accepted", 30, "ward", sequence=2)
    assert handoff(*answered).accepted_at == at(30)
    assert handoff(*gone).accepted_at is None


def test_the_first_answer_counts() -> None:
    row = handoff(OFFER, act("declined", 10, "ward"), act("accepted", 20, "ward"))
    assert (row.state, row.declined_at, row.accepted_at) == ("declined", at(10), None)


def test_a_withdrawal_by_the_receiver_is_none() -> None:
    assert handoff(OFFER, act("withdrawn", 20, "ward")).state == "offered"


@pytest.mark.parametrize("role", ["nurse", "lab"])
def test_only_the_receiving_role_answers(role: str) -> None:
    events = OFFER, act("accepted", 10, role)
    assert value("handoff_acceptance", *events) == 0.0
    assert handoff(*events).state == "offered"


@pytest.mark.parametrize("kind", ["bot", "system", "unknown"])
@pytest.mark.parametrize("verb", ["accepted", "declined", "returned"])
def test_only_humans_answer(verb: str, kind: str) -> None:
    events = OFFER, act(verb, 10, "ward", actor=person(2, kind))
    assert value("handoff_acceptance", *events) == 0.0
    assert handoff(*events).accepted_at is None


def test_who_is_not_known_does_not_answer_and_is_not_counted() -> None:
    unknown_offerer = offered(0, actor=person(1, "unknown"))
    row = only("handoff_acceptance", unknown_offerer, act("accepted", 10, "ward"))
    assert row.experiencer_actors == ()


def test_nobody_named_is_nobody() -> None:
    def anonymous(event: Event) -> Event:
        return event.model_copy(update={"data": event.data.model_copy(update={"actor": None})})

    assert value("handoff_acceptance", OFFER, anonymous(act("accepted", 10, "ward"))) == 0.0
    assert only("handoff_acceptance", anonymous(OFFER)).experiencer_actors == ()
    assert value("message_accuracy", anonymous(sent(0, "m1", "nurse", ["ward"]))) == 1.0


def test_a_role_answers_under_any_of_its_names() -> None:
    book = policy_book(aliases={"ward 7": "ward", "ED nurse": "nurse"})
    events = offered(0, a="ED nurse", b="ward 7"), act("accepted", 10, "ward")
    row = only("handoff_acceptance", *events, book=book)
    assert tie(row) == ("ward", "nurse", "timeliness")
    assert (handoff(*events, book=book).from_role, handoff(*events, book=book).to_role) == ("nurse", "ward")


@pytest.mark.parametrize(("minutes", "skewed"), [(-1, False), (-2, False), (-2.01, True)])
def test_an_answer_before_its_offer_waited_0_within_the_tolerance_and_beyond_it_says_nothing(
    minutes: float, skewed: bool
) -> None:
    events = OFFER, act("accepted", minutes, "ward")
    row = handoff(*events)
    assert (row.state, row.skewed, row.waited_s) == ("accepted", skewed, None if skewed else 0.0)
    assert value("handoff_acceptance", *events) == (NOTHING if skewed else 1.0)
    assert value("handoff_accuracy", *events) == (NOTHING if skewed else 1.0)
    assert value("contact", *events) == (NOTHING if skewed else 0.0)
    assert value("handoff_advanced", *events) == (NOTHING if skewed else PENDING)


def test_waiting_is_wall_clock_and_null_while_unaccepted() -> None:
    assert handoff(OFFER, act("accepted", 90, "ward")).waited_s == 5400.0
    assert handoff(OFFER, act("declined", 90, "ward")).waited_s is None


def test_a_role_can_hand_over_to_itself() -> None:
    events = offered(0, a="nurse", b="nurse"), act("accepted", 10, "nurse")
    assert tie(only("handoff_acceptance", *events)) == ("nurse", "nurse", "timeliness")


def test_closing_the_work_item_answers_nothing() -> None:
    assert value("handoff_acceptance", OFFER, event("work_item.closed", 10)) == 0.0


@pytest.mark.parametrize(("needed", "value_"), [(30, 1.0), (0, 1.0), (-0.01, 0.0)])
def test_an_offer_is_timely_by_when_it_is_needed(needed: float, value_: float) -> None:
    row = only("handoff_offer", offered(0, needed_at=at(needed)), act("accepted", 10, "ward"))
    assert row.value == value_
    assert tie(row) == ("nurse", "ward", "timeliness")
    assert row.communicator_actors == (person(1)["id"],)
    assert row.experiencer_actors == (person(2)["id"],)


def test_without_a_need_an_offer_is_neither_early_nor_late() -> None:
    assert value("handoff_offer", OFFER) == NOTHING


@pytest.mark.parametrize(("minutes", "known"), [(120, True), (120.1, False)])
def test_who_had_the_offer_is_who_answered_before_it_was_settled(minutes: float, known: bool) -> None:
    row = only("handoff_offer", offered(0, needed_at=at(5)), act("accepted", minutes, "ward"))
    assert row.experiencer_actors == ((person(2)["id"],) if known else ())


def test_the_timeliness_of_an_offer_is_ripe_when_settled() -> None:
    offer = offered(0, needed_at=at(30))
    assert value("handoff_offer", offer, as_of=at(119.9)) == PENDING
    assert value("handoff_offer", offer, as_of=at(120)) == 1.0
