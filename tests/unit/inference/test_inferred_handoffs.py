"""What a system that only records ownership shows of handing over."""

from __future__ import annotations

import pytest

from schemas.events import Event
from schemas.rows import EvidenceRow
from streams.inference.facts import facts
from tests.builders import LONG_AFTER, act, assigned, at, event, offered, paused, person, policy_book, resumed, worked
from tests.unit.inference.outcomes import NOTHING, PENDING, evidence, handoff, inferred, only, tie, value, values

FIRST, SECOND = assigned(0, "a"), assigned(10, "b")  # a → b, due at 70


def test_a_change_of_owner_is_offered_at_once_and_accepted_at_the_first_work() -> None:
    (row,) = inferred(FIRST, SECOND, worked(40, "b"), worked(50, "b"))
    assert (row.from_role, row.to_role, row.state) == ("a", "b", "accepted")
    assert (row.offered_at, row.accepted_at, row.waited_s) == (at(10), at(40), 1800.0)
    assert (row.accept_due_at, row.worked, row.bounced) == (at(70), True, False)
    assert row.episode_id == row.handoff_id == SECOND.ref


def test_the_first_owner_got_no_handoff() -> None:
    assert inferred(FIRST, worked(5, "a")) == []


def test_assigning_the_owner_again_is_no_handoff_and_keeps_the_tenure() -> None:
    rows = inferred(FIRST, SECOND, assigned(20, "b"), worked(30, "b"))
    assert [(row.offered_at, row.accepted_at) for row in rows] == [(at(10), at(30))]


def test_names_of_one_role_are_one_owner() -> None:
    book = policy_book(aliases={"a1": "a", "a2": "a"})
    assert inferred(assigned(0, "a1"), assigned(10, "a2"), assigned(20, "a"), book=book) == []
    assert [row.to_role for row in inferred(assigned(0, "b"), assigned(10, "a2"), book=book)] == ["a"]


def test_work_under_an_alias_is_the_owners() -> None:
    (row,) = inferred(FIRST, SECOND, worked(40, "b1"), book=policy_book(aliases={"b1": "b"}))
    assert row.state == "accepted"


def test_there_and_back_unworked_is_a_bounce() -> None:
    there, back = inferred(FIRST, SECOND, assigned(30, "a"), worked(40, "a"))
    assert (there.state, there.bounced, there.left_at, there.left_before_due) == ("passed_on", True, at(30), True)
    assert (back.from_role, back.to_role, back.state, back.bounced) == ("b", "a", "accepted", False)


def test_there_and_back_worked_is_a_bounce_too() -> None:
    there, _ = inferred(FIRST, SECOND, worked(20, "b"), assigned(30, "a"))
    assert (there.state, there.worked, there.bounced, there.planned_return) == ("accepted", True, True, False)


def test_on_to_a_third_is_no_bounce() -> None:
    first, second = inferred(FIRST, SECOND, assigned(30, "c"))
    assert (first.state, first.bounced) == ("passed_on", False)
    assert (second.from_role, second.to_role, second.state) == ("b", "c", "offered")


@pytest.mark.parametrize(
    "work",
    [
        worked(20, "a"),
        worked(20, "c"),
        worked(5, "b"),
        worked(20, "b", actor=person(1, "bot")),
        worked(20, "b", actor=person(1, "system")),
        worked(20, "b", actor=person(1, "unknown")),
    ],
    ids=["former owner", "third role", "before", "bot", "system", "unknown"],
)
def test_only_work_by_a_human_of_the_new_owner_in_its_tenure_accepts(work: Event) -> None:
    events = FIRST, SECOND, work, assigned(90, "c")
    assert inferred(*events)[0].state == "passed_on"
    assert value("handoff_advanced", *events, of=SECOND) == 0.0


def test_work_after_the_tenure_accepts_nothing() -> None:
    assert inferred(FIRST, SECOND, assigned(30, "c"), worked(40, "b"))[0].accepted_at is None


@pytest.mark.parametrize(("minutes", "timely"), [(10, 1.0), (70, 1.0), (70.1, 0.0)])
def test_the_answer_is_the_first_work_by_due(minutes: float, timely: float) -> None:
    row = only("handoff_acceptance", FIRST, worked(5, "a", actor=person(7)), SECOND, worked(minutes, "b", sequence=1))
    assert (row.value, row.origin) == (timely, "inferred")
    assert tie(row) == ("b", "a", "timeliness")


@pytest.mark.parametrize(("minutes", "said"), [(70, NOTHING), (70.1, 0.0)])
def test_passed_on_by_due_says_nothing_about_timeliness_and_later_it_was_late(
    minutes: float, said: float | str
) -> None:
    assert value("handoff_acceptance", FIRST, SECOND, assigned(minutes, "c"), of=SECOND) == said


def test_ripeness_of_an_inferred_handoff() -> None:
    events = FIRST, SECOND, worked(20, "b")
    assert value("handoff_acceptance", *events, as_of=at(69.9)) == PENDING
    assert value("handoff_acceptance", *events, as_of=at(70)) == 1.0
    assert value("handoff_advanced", *events, as_of=at(129.9)) == PENDING
    assert value("handoff_advanced", *events, as_of=at(130)) == 1.0


def test_work_advances_and_leaving_unworked_does_not() -> None:
    row = only("handoff_advanced", FIRST, SECOND, worked(40, "b"))
    assert (row.value, *tie(row)) == (1.0, "b", "a", "problem_solving")
    assert value("handoff_advanced", FIRST, SECOND, assigned(30, "a"), of=SECOND) == 0.0
    assert value("handoff_advanced", FIRST, SECOND, assigned(30, "c"), of=SECOND) == 0.0
    assert value("handoff_advanced", FIRST, SECOND) == PENDING


def test_a_router_is_not_asked_to_advance() -> None:
    book = policy_book(routers=["b"])
    assert value("handoff_advanced", FIRST, SECOND, assigned(30, "c"), of=SECOND, book=book) == NOTHING


def test_ownership_shows_acceptance_and_advancing_and_nothing_else() -> None:
    rows = facts((FIRST, SECOND, worked(40, "b")), policy_book(), LONG_AFTER).rows.values()
    rules = {row.rule for row in rows if isinstance(row, EvidenceRow)}
    assert rules == {"handoff_acceptance", "handoff_advanced"}


def test_the_people_are_who_worked_last_before_and_who_worked_first_after() -> None:
    work = worked(4, "a", actor=person(7)), worked(5, "a", actor=person(8)), worked(5.5, "c", actor=person(9))
    after = worked(20, "b", actor=person(3)), worked(21, "b", actor=person(4))
    for rule in ("handoff_acceptance", "handoff_advanced"):
        (row,) = evidence(rule, FIRST, *work, SECOND, *after)
        assert row.experiencer_actors == (person(8)["id"],)
        assert row.communicator_actors == (person(3)["id"],)


def test_closing_does_not_end_a_tenure() -> None:
    events = FIRST, SECOND, event("work_item.closed", 20), event("work_item.reopened", 100), worked(110, "b")
    (row,) = inferred(*events)
    assert (row.state, row.accepted_at) == ("accepted", at(110))
    (given,) = inferred(FIRST, event("work_item.closed", 5), assigned(10, "b"))
    assert (given.from_role, given.to_role) == ("a", "b")


@pytest.mark.parametrize(("role", "due"), [("a", 100), (None, 70), ("b", 70)])
def test_a_new_owner_cannot_pause_its_own_clock(role: str | None, due: float) -> None:
    events = FIRST, SECOND, paused(20, role), resumed(50)
    (row,) = inferred(*events, book=policy_book(pauses={"reasons": ["patient"]}))
    assert (row.accept_due_at, row.accept_due_unpaused_at) == (at(due), at(70))


def test_a_pause_by_the_former_owner_goes_on_counting() -> None:
    events = FIRST, paused(5), SECOND, resumed(20)
    (row,) = inferred(*events, book=policy_book(pauses={"reasons": ["patient"]}))
    assert row.accept_due_at == at(80)


def test_explicit_and_inferred_handoffs_stand_side_by_side() -> None:
    events = FIRST, offered(9, a="a", b="b"), SECOND, act("accepted", 12, "b"), worked(20, "b")
    assert handoff(*events).origin == "explicit"
    assert [row.origin for row in inferred(*events)] == ["inferred"]
    assert {row.origin for row in evidence("handoff_acceptance", *events)} == {"explicit", "inferred"}
    assert values("handoff_acceptance", *events) == [1.0, 1.0]


def test_the_events_behind_an_inferred_handoff_are_cited() -> None:
    work = worked(40, "b")
    assert only("handoff_acceptance", FIRST, SECOND, work).event_ids == (SECOND.ref, work.ref)
    assert inferred(FIRST, SECOND, work)[0].event_ids == (SECOND.ref, work.ref)
