"""Was what was handed over right? Only what the receiver says by a code, in the settling time, tells."""

from __future__ import annotations

import pytest

from schemas.events import Event
from schemas.vocabulary import Reason
from tests.builders import act, at, event, offered, person, policy_book
from tests.unit.inference.outcomes import HOUR_FOR_ALL, NOTHING, PENDING, handoff, only, tie, value

OFFER, ACCEPTED = offered(0), act("accepted", 10, "ward")  # settled at 130
CONTENT: list[Reason] = ["missing", "wrong", "contradictory", "wrong_role"]
CIRCUMSTANCE: list[Reason | None] = ["capacity", "not_ready", "other", None]


def accuracy(*events: Event) -> float | str:
    return value("handoff_accuracy", OFFER, *events)


def test_a_handoff_that_settled_without_complaint_was_accurate() -> None:
    row = only("handoff_accuracy", OFFER, ACCEPTED)
    assert row.value == 1.0
    assert tie(row) == ("nurse", "ward", "accuracy")
    assert (row.communicator_actors, row.experiencer_actors) == ((person(1)["id"],), (person(2)["id"],))


@pytest.mark.parametrize("complaints", [[], [act("clarification_requested", 20, "ward", reason="wrong")]])
def test_it_is_ripe_when_settled_whatever_the_outcome(complaints: list[Event]) -> None:
    events = OFFER, ACCEPTED, *complaints
    assert value("handoff_accuracy", *events, as_of=at(129.99)) == PENDING
    row = only("handoff_accuracy", *events, as_of=at(130))
    assert (row.value, row.known_at) == (0.0 if complaints else 1.0, at(130))


def test_closing_does_not_shorten_settling() -> None:
    events = OFFER, ACCEPTED, event("work_item.closed", 20)
    assert value("handoff_accuracy", *events, as_of=at(129)) == PENDING


@pytest.mark.parametrize("reason", CONTENT)
@pytest.mark.parametrize("verb", ["clarification_requested", "returned"])
def test_a_coded_complaint_about_content_makes_it_inaccurate(verb: str, reason: str) -> None:
    assert accuracy(ACCEPTED, act(verb, 20, "ward", reason=reason)) == 0.0


@pytest.mark.parametrize("reason", CIRCUMSTANCE)
@pytest.mark.parametrize("verb", ["clarification_requested", "returned"])
def test_a_question_or_a_circumstance_is_no_error(verb: str, reason: str | None) -> None:
    assert accuracy(ACCEPTED, act(verb, 20, "ward", reason=reason)) == 1.0


@pytest.mark.parametrize("reason", CONTENT)
def test_a_decline_for_its_content_makes_it_inaccurate(reason: str) -> None:
    assert accuracy(act("declined", 10, "ward", reason=reason)) == 0.0


@pytest.mark.parametrize("reason", CIRCUMSTANCE)
def test_a_decline_for_other_reasons_says_nothing_about_content(reason: str | None) -> None:
    assert accuracy(act("declined", 10, "ward", reason=reason)) == NOTHING


def test_a_late_decline_still_names_the_content() -> None:
    assert accuracy(act("declined", 90, "ward", reason="missing")) == 0.0


def test_what_nobody_accepted_was_neither_right_nor_wrong() -> None:
    assert accuracy() == NOTHING
    assert accuracy(act("clarification_requested", 20, "ward", reason="missing")) == NOTHING


@pytest.mark.parametrize(("minutes", "said"), [(5, 0.0), (10, 0.0), (130, 0.0), (130.01, 1.0)])
def test_complaints_count_until_the_handoff_is_settled(minutes: float, said: float) -> None:
    assert accuracy(ACCEPTED, act("clarification_requested", minutes, "ward", reason="missing")) == said


@pytest.mark.parametrize("role", ["nurse", "lab"])
def test_only_the_receiver_complains(role: str) -> None:
    assert accuracy(ACCEPTED, act("clarification_requested", 20, role, reason="missing")) == 1.0


@pytest.mark.parametrize("kind", ["bot", "system", "unknown"])
def test_only_humans_complain(kind: str) -> None:
    complaint = act("clarification_requested", 20, "ward", reason="missing", actor=person(2, kind))
    assert accuracy(ACCEPTED, complaint) == 1.0


def test_asking_correcting_oneself_and_reading_back_are_counted_not_scored() -> None:
    events = (
        ACCEPTED,
        act("clarification_requested", 15, "ward"),
        act("clarified", 16, "nurse"),
        act("read_back", 20, "ward", matches=False),
        act("corrected", 21, "nurse", reason="wrong"),
        act("read_back", 22, "ward", matches=True),
    )
    row = handoff(OFFER, *events)
    assert (row.clarifications, row.read_backs, row.repaired_read_backs, row.own_corrections) == (1, 2, 1, 1)
    assert accuracy(*events) == 1.0


@pytest.mark.parametrize(
    ("after", "repaired"),
    [
        ([], 0),
        ([act("read_back", 30, "ward", matches=True)], 1),
        ([act("clarified", 30, "nurse")], 1),
        ([act("corrected", 30, "nurse")], 1),
        ([act("clarification_requested", 30, "ward")], 0),
        ([act("read_back", 30, "ward", matches=False), act("clarified", 40, "nurse")], 2),
    ],
)
def test_a_read_back_is_repaired_by_what_puts_it_right_later(after: list[Event], repaired: int) -> None:
    events = OFFER, ACCEPTED, act("read_back", 20, "ward", matches=False), *after
    assert handoff(*events).repaired_read_backs == repaired


def test_a_correction_by_the_receiver_is_not_the_offerers_own() -> None:
    assert handoff(OFFER, ACCEPTED, act("corrected", 20, "ward")).own_corrections == 0


def test_a_late_acceptance_settles_from_when_it_came() -> None:
    events = OFFER, act("accepted", 100, "ward")
    assert value("handoff_accuracy", *events, as_of=at(219)) == PENDING
    assert value("handoff_accuracy", *events, as_of=at(220)) == 1.0


def test_reasons_are_listed_once_each_in_order() -> None:
    acts = (
        act("clarification_requested", m, "ward", reason=why)
        for m, why in [(20, "wrong"), (21, "missing"), (22, "wrong")]
    )
    assert handoff(OFFER, ACCEPTED, *acts).reasons == ("missing", "wrong")


REQUIRED = policy_book(required_elements=["allergies", "plan"])


@pytest.mark.parametrize(
    ("elements", "share"),
    [({"allergies": True, "plan": True}, 1.0), ({"allergies": True, "plan": False, "x": True}, 0.5), ({}, 0.0)],
)
def test_completeness_is_the_share_of_the_required_elements(elements: dict[str, bool], share: float) -> None:
    assert handoff(offered(0, elements=elements), book=REQUIRED).completeness == share


def test_completeness_is_not_known_where_nothing_is_required_or_told() -> None:
    assert handoff(offered(0, elements={"plan": True}), book=HOUR_FOR_ALL).completeness is None
    assert handoff(offered(0), book=REQUIRED).completeness is None


@pytest.mark.parametrize(("minutes", "share"), [(5, 1.0), (20, 0.5)])
def test_what_is_told_after_the_answer_does_not_complete_the_handoff(minutes: float, share: float) -> None:
    more = offered(minutes, elements={"plan": True})
    assert handoff(offered(0, elements={"allergies": True}), more, ACCEPTED, book=REQUIRED).completeness == share


def test_completeness_is_not_accuracy() -> None:
    events = offered(0, elements={"plan": False}), ACCEPTED
    assert value("handoff_accuracy", *events, book=REQUIRED) == 1.0


def test_the_complaint_is_cited() -> None:
    complaint = act("clarification_requested", 20, "ward", reason="missing")
    question = act("clarification_requested", 15, "ward")
    assert only("handoff_accuracy", OFFER, ACCEPTED, question, complaint).event_ids == (
        OFFER.ref,
        ACCEPTED.ref,
        complaint.ref,
    )
