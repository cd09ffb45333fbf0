"""Was a problem answered, and how?"""

from __future__ import annotations

import pytest

from schemas.events import Event
from tests.builders import at, event, paused, person, policy_book, raised, responded, resumed
from tests.unit.inference.outcomes import NOTHING, PENDING, evidence, only, problem, tie, value, values

RAISED = raised(0, "p1", "nurse", ["ward"])  # respond by 60


def ward(minutes: float, kind: str, **fields: object) -> Event:
    return responded(minutes, "p1", "ward", kind, **fields)


ANSWERS: list[tuple[list[str], float | str]] = [
    (["diagnose"], 1.0),
    (["propose"], 1.0),
    (["act"], 1.0),
    (["blame"], 0.0),
    (["refuse"], 0.0),
    (["inform"], NOTHING),
    (["inform", "inform"], NOTHING),
    (["inform", "act"], 1.0),
    (["inform", "blame"], 0.0),
    (["act", "blame"], 0.5),
    (["diagnose", "propose", "act", "refuse"], 0.75),
    (["redirect"], 0.0),
    (["redirect", "act"], 1.0),
    (["redirect", "inform"], NOTHING),
    ([], 0.0),
]


@pytest.mark.parametrize(("kinds", "said"), ANSWERS, ids=["+".join(kinds) or "none" for kinds, _ in ANSWERS])
def test_the_value_is_the_constructive_share_of_what_is_not_neutral(kinds: list[str], said: float | str) -> None:
    assert value("problem_response", RAISED, *(ward(10 + m, kind) for m, kind in enumerate(kinds))) == said


def test_the_addressed_roles_answer_is_what_the_raiser_experiences() -> None:
    row = only("problem_response", RAISED, ward(10, "act"))
    assert tie(row) == ("ward", "nurse", "problem_solving")
    assert (row.communicator_actors, row.experiencer_actors) == ((person(2)["id"],), (person(1)["id"],))


REDIRECTS: list[tuple[str, list[str], list[Event], float | str]] = [
    ("answered by who it named", ["lab"], [responded(20, "p1", "lab", "act")], NOTHING),
    ("answered by who it named, badly", ["lab"], [responded(20, "p1", "lab", "refuse")], NOTHING),
    ("answered by another", ["lab"], [responded(20, "p1", "imaging", "act")], 0.0),
    ("naming nobody, answered by another", [], [responded(20, "p1", "imaging", "act")], NOTHING),
    ("naming nobody, not answered", [], [], 0.0),
    ("answered before it", ["lab"], [responded(5, "p1", "lab", "act")], 0.0),
    ("answered too late", ["lab"], [responded(61, "p1", "lab", "act")], 0.0),
    ("answered by a machine", ["lab"], [responded(20, "p1", "lab", "act", actor=person(3, "bot"))], 0.0),
    ("only redirected again", ["lab"], [responded(20, "p1", "lab", "redirect")], 0.0),
    ("answered, and blamed", ["lab"], [responded(20, "p1", "lab", "act"), ward(30, "blame")], 0.0),
]


@pytest.mark.parametrize(
    ("to", "others", "said"), [case[1:] for case in REDIRECTS], ids=[case[0] for case in REDIRECTS]
)
def test_a_redirect_is_neutral_if_it_led_to_an_answer_and_none_otherwise(
    to: list[str], others: list[Event], said: float | str
) -> None:
    assert value("problem_response", RAISED, ward(10, "redirect", to_roles=to), *others) == said


@pytest.mark.parametrize(("minutes", "said"), [(60, 1.0), (60.01, 0.0)])
def test_only_answers_by_respond_by_count(minutes: float, said: float) -> None:
    assert value("problem_response", RAISED, ward(minutes, "act")) == said


@pytest.mark.parametrize("kind", ["bot", "system", "unknown"])
def test_only_humans_answer(kind: str) -> None:
    assert value("problem_response", RAISED, ward(10, "act", actor=person(2, kind))) == 0.0


@pytest.mark.parametrize("role", ["lab", "nurse"])
def test_only_addressed_roles_answer(role: str) -> None:
    assert value("problem_response", RAISED, responded(10, "p1", role, "act")) == 0.0


def test_answers_to_another_problem_or_before_the_raising_count_nothing() -> None:
    assert value("problem_response", RAISED, responded(10, "p2", "ward", "act")) == 0.0
    assert value("problem_response", RAISED, ward(-5, "act")) == 0.0


def test_it_is_ripe_at_respond_by() -> None:
    for answers in ([], [ward(10, "act")]):
        assert value("problem_response", RAISED, *answers, as_of=at(59.9)) == PENDING
        assert only("problem_response", RAISED, *answers, as_of=at(60)).known_at == at(60)


def test_an_own_respond_by_is_absolute_and_a_target_may_be_paused() -> None:
    book = policy_book(pauses={"reasons": ["patient"]})
    own = raised(0, "p1", "nurse", ["ward"], respond_by=at(20))
    pause = paused(5, "nurse"), resumed(15)
    assert problem(own, *pause, book=book).respond_by == at(20)
    assert problem(RAISED, *pause, book=book).respond_by == at(70)
    assert value("problem_response", RAISED, book=policy_book(targets={})) == NOTHING


def test_roles_addressed_together_answer_together() -> None:
    both = raised(0, "p1", "nurse", ["ward", "lab"])
    rows = evidence("problem_response", both, ward(10, "act"), responded(20, "p1", "lab", "blame", actor=person(3)))
    assert [(row.communicator_role, row.value) for row in rows] == [("lab", 0.5), ("ward", 0.5)]
    assert [row.communicator_actors for row in rows] == [(person(3)["id"],), (person(2)["id"],)]


def test_a_machines_problem_is_nobodys_experience() -> None:
    assert value("problem_response", raised(0, "p1", "nurse", ["ward"], actor=person(1, "system"))) == NOTHING


def test_raising_a_problem_again_starts_nothing() -> None:
    assert values("problem_response", RAISED, raised(30, "p1", "nurse", ["ward"])) == [0.0]


def test_the_row_counts_what_came_in_time_and_shows_a_late_answer() -> None:
    row = problem(
        RAISED,
        ward(10, "inform"),
        ward(20, "act"),
        ward(30, "blame"),
        ward(40, "refuse"),
        ward(70, "act"),
        event("problem.resolved", 80, problem_id="p1", role="ward"),
        event("problem.reopened", 90, problem_id="p1", role="nurse"),
        event("problem.resolved", 99, problem_id="p1", role="ward"),
    )
    assert (row.constructive, row.neutral, row.blame, row.refuse) == (1, 1, 1, 1)
    assert (row.first_response_at, row.resolved_at, row.reopened) == (at(10), at(99), 1)
    assert problem(RAISED, ward(90, "act")).first_response_at == at(90)
    assert problem(RAISED).first_response_at is None


def test_a_resolution_alone_is_no_response() -> None:
    resolved = event("problem.resolved", 20, problem_id="p1", role="ward", actor=person(2))
    assert value("problem_response", RAISED, resolved) == 0.0
    assert problem(RAISED, resolved).first_response_at is None


def test_without_a_respond_by_every_answer_is_counted() -> None:
    assert problem(RAISED, ward(5000, "act"), book=policy_book(targets={})).constructive == 1


def test_the_answers_are_cited() -> None:
    answer = ward(10, "act")
    assert only("problem_response", RAISED, answer, responded(20, "p1", "lab", "act")).event_ids == (
        RAISED.ref,
        answer.ref,
    )
