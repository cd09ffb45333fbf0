"""What evidence says beside its value: how long, when in the week, and why not."""

from __future__ import annotations

import pytest

from schemas.events import Event
from schemas.rows import EvidenceRow
from tests.builders import (
    act,
    asked,
    assigned,
    at,
    event,
    offered,
    policy_book,
    raised,
    responded,
    sent,
    worked,
)
from tests.unit.inference.outcomes import evidence, only

OFFER = offered(0)  # nurse → ward, due at 60
ACCEPTED = act("accepted", 20, "ward")
CLOSED = "work_item.closed"


def minutes(seconds: float | None) -> float | None:
    return None if seconds is None else seconds / 60


def wait(*events: Event) -> tuple[float | None, bool]:
    """Minutes waited, and whether for an answer."""
    row = only("handoff_acceptance", *events, of=OFFER)
    return minutes(row.waited_s), row.answered


def held(*events: Event) -> float | None:
    return minutes(only("handoff_acceptance", *events, of=OFFER).held_s)


@pytest.mark.parametrize("verb", ["accepted", "declined", "returned"])
def test_a_handoff_waits_until_any_answer(verb: str) -> None:
    assert wait(OFFER, act(verb, 20, "ward")) == (20, True)
    assert wait(OFFER, act(verb, 200, "ward")) == (200, True)


def test_an_answer_within_the_skew_tolerance_waited_nothing() -> None:
    assert wait(OFFER, act("accepted", -1, "ward")) == (0, True)


def test_an_open_offer_has_not_waited_any_known_time() -> None:
    assert wait(OFFER) == (None, False)


def test_an_offer_that_left_unanswered_waited_at_least_until_then() -> None:
    assert wait(OFFER, act("withdrawn", 90, "nurse")) == (90, False)
    assert wait(OFFER, offered(100, "h2", "nurse", "lab", follows="h1")) == (100, False)
    assert wait(OFFER, offered(110, "h2", "ward", "lab", follows="h1")) == (110, False)


def test_closing_ends_the_wait_but_not_before_due() -> None:
    assert wait(OFFER, event(CLOSED, 90)) == (90, False)
    assert wait(OFFER, event(CLOSED, 30)) == (60, False)
    assert wait(OFFER, event(CLOSED, 90), act("withdrawn", 95, "nurse")) == (90, False)


def test_what_is_reopened_waits_again() -> None:
    assert wait(OFFER, event(CLOSED, 90), event("work_item.reopened", 95)) == (None, False)


def test_an_answer_after_closing_is_an_answer() -> None:
    assert wait(OFFER, event(CLOSED, 90), act("accepted", 95, "ward")) == (95, True)


def test_what_ended_the_wait_is_cited() -> None:
    for end in (act("withdrawn", 90, "nurse"), event(CLOSED, 90), offered(90, "h2", "ward", "lab", follows="h1")):
        assert end.ref in only("handoff_acceptance", OFFER, end, of=OFFER).event_ids


def test_details_are_said_with_the_value_only() -> None:
    pending = only("handoff_acceptance", OFFER, ACCEPTED, event(CLOSED, 30), as_of=at(59))
    assert (pending.waited_s, pending.answered, pending.held_s, pending.marks) == (None, False, None, ())
    assert pending.event_ids == (OFFER.ref,)


def test_the_receiver_holds_what_it_accepted_until_it_leaves() -> None:
    assert held(OFFER, ACCEPTED) is None
    assert held(OFFER, ACCEPTED, event(CLOSED, 100)) == 80
    assert held(OFFER, ACCEPTED, act("returned", 50, "ward")) == 30
    assert held(OFFER, ACCEPTED, act("withdrawn", 45, "nurse")) == 25
    onward = offered(70, "h2", "ward", "lab", follows="h1")
    assert held(OFFER, ACCEPTED, onward) is None, "the next may decline"
    assert held(OFFER, ACCEPTED, onward, act("accepted", 80, "lab", "h2")) == 60


def test_what_was_not_accepted_was_not_held() -> None:
    assert held(OFFER, act("declined", 20, "ward"), event(CLOSED, 100)) is None
    assert held(OFFER, event(CLOSED, 100)) is None


def test_a_late_end_of_the_tenure_is_said_later() -> None:
    events = OFFER, ACCEPTED, event(CLOSED, 300)
    before, after = (only("handoff_acceptance", *events, as_of=at(then)) for then in (299, 300))
    assert before.ripe
    assert (before.held_s, after.held_s) == (None, 280 * 60)


def test_waiting_and_holding_add_up_to_the_time_from_offer_to_end() -> None:
    early = act("accepted", -1, "ward")
    row = only("handoff_acceptance", OFFER, early, event(CLOSED, 100))
    assert (row.waited_s, row.held_s) == (0, 100 * 60)


def test_an_inferred_handoff_waits_for_work_and_is_held_until_the_next_owner() -> None:
    start = assigned(10, "b")
    events = assigned(0, "a"), worked(5, "a"), start, worked(40, "b"), assigned(100, "c")
    row = only("handoff_acceptance", *events, of=start)
    assert (row.waited_s, row.answered, row.held_s) == (30 * 60, True, 60 * 60)
    assert {event.ref for event in events[2:]} == set(row.event_ids)


def test_a_question_waits_for_its_reply() -> None:
    question = asked(0, "m1", "nurse", ["ward"])
    reply = sent(80, "m2", "ward", ["nurse"], in_reply_to="m1")
    row = only("reply", question, reply)
    assert (row.waited_s, row.answered, row.marks) == (80 * 60, True, ("late",))
    row = only("reply", question)
    assert (row.waited_s, row.answered, row.marks) == (None, False, ("unanswered",))
    assert only("reply", question, event(CLOSED, 90)).waited_s == 90 * 60


def test_a_problem_waits_for_its_first_response() -> None:
    problem = raised(0, "p1", "nurse", ["ward"])
    row = only("problem_response", problem, responded(70, "p1", "ward", "act"), responded(75, "p1", "ward", "act"))
    assert (row.waited_s, row.answered, row.marks) == (70 * 60, True, ("unanswered",))


MARKED = [
    (only("handoff_acceptance", OFFER, ACCEPTED), ()),
    (only("handoff_acceptance", OFFER, act("accepted", 61, "ward")), ("late",)),
    (only("handoff_acceptance", OFFER), ("unanswered",)),
    (only("handoff_offer", offered(0, needed_at=at(-1))), ("offered_late",)),
    (only("handoff_offer", offered(0, needed_at=at(1))), ()),
    (
        only(
            "handoff_accuracy",
            OFFER,
            ACCEPTED,
            act("clarification_requested", 30, "ward", reason="wrong"),
            act("clarification_requested", 31, "ward", reason="missing"),
            act("clarification_requested", 32, "ward", reason="wrong"),
        ),
        ("missing", "wrong"),
    ),
    (only("handoff_accuracy", OFFER, ACCEPTED, act("returned", 30, "ward", reason="capacity")), ()),
    (
        only(
            "message_accuracy",
            sent(0, "m1", "nurse", ["ward"]),
            event("communication.corrected", 5, message_id="m1", role="ward"),
        ),
        ("corrected",),
    ),
    (only("handoff_advanced", OFFER, ACCEPTED, worked(30, "ward")), ()),
    (only("handoff_advanced", OFFER, ACCEPTED, act("returned", 30, "ward")), ("bounced", "left_unworked")),
    (only("handoff_advanced", OFFER, ACCEPTED, worked(25, "ward"), act("returned", 30, "ward")), ("bounced",)),
    (
        only(
            "handoff_advanced",
            offered(0, intent="consult"),
            ACCEPTED,
            worked(25, "ward"),
            act("returned", 30, "ward"),
        ),
        ("planned_return",),
    ),
    (only("contact", OFFER, ACCEPTED), ("too_few",)),
    (only("contact", OFFER, ACCEPTED, *(sent(m, str(m), "ward", ["nurse"]) for m in range(1, 5))), ("too_many",)),
    (only("contact", OFFER, ACCEPTED, sent(1, "m", "ward", ["nurse"])), ()),
]


@pytest.mark.parametrize(("row", "marks"), MARKED, ids=[f"{row.rule}:{'+'.join(marks)}" for row, marks in MARKED])
def test_marks_name_the_reasons(row: EvidenceRow, marks: tuple[str, ...]) -> None:
    assert row.marks == marks


@pytest.mark.parametrize(
    ("kinds", "marks"),
    [
        ([], ("unanswered",)),
        (["act"], ()),
        (["act", "inform"], ()),
        (["refuse", "blame", "blame", "act"], ("blame", "refuse")),
        (["redirect"], ("redirect",)),
        (["redirect", "act"], ("redirect",)),
    ],
)
def test_marks_of_a_problem_name_what_was_not_constructive(kinds: list[str], marks: tuple[str, ...]) -> None:
    answers = [responded(5 + n, "p1", "ward", kind) for n, kind in enumerate(kinds)]
    row = only("problem_response", raised(0, "p1", "nurse", ["ward"]), *answers)
    assert row.marks == marks


def test_an_answered_redirect_is_no_mark() -> None:
    events = (
        raised(0, "p1", "nurse", ["ward"]),
        responded(5, "p1", "ward", "redirect", to_roles=["lab"]),
        responded(6, "p1", "ward", "act"),
        responded(9, "p1", "lab", "act"),
    )
    assert only("problem_response", *events).marks == ()


def test_a_step_back_is_cited_by_what_it_marks() -> None:
    back = offered(40, "h2", "ward", "nurse", follows="h1")
    row = only("handoff_advanced", OFFER, ACCEPTED, worked(25, "ward"), back, of=OFFER)
    assert row.marks == ("bounced",)
    assert back.ref in row.event_ids
    returned = act("returned", 30, "ward")
    assert returned.ref in only("handoff_advanced", OFFER, ACCEPTED, worked(25, "ward"), returned).event_ids


SYDNEY = policy_book(
    calendars_by_name={"there": {"zone": "Australia/Sydney", "hours": {"mon": ["08:00-17:00"]}}},
    calendars={"ward": "there"},
)


def test_the_hour_is_that_on_the_receivers_wall() -> None:
    # T0 is Monday 08:00 UTC: 19:00 of the summer in Sydney.
    assert only("handoff_acceptance", OFFER, ACCEPTED, book=SYDNEY).hour_of_week == 19
    assert only("handoff_accuracy", OFFER, ACCEPTED, book=SYDNEY).hour_of_week == 19
    assert only("handoff_acceptance", OFFER, ACCEPTED).hour_of_week == 8
    to_nurse = offered(6 * 24 * 60, "h9", "ward", "nurse")
    (row,) = evidence("handoff_acceptance", to_nurse, book=SYDNEY)
    assert row.hour_of_week == 6 * 24 + 8
