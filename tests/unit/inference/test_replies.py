"""Was a question answered in time?"""

from __future__ import annotations

import pytest

from schemas.events import Event
from schemas.rows import ExchangeRow
from streams.inference.facts import facts
from tests.builders import LONG_AFTER, asked, at, paused, person, policy_book, resumed, sent
from tests.unit.inference.outcomes import NOTHING, PENDING, evidence, exchange, only, tie, value, values

QUESTION = asked(0, "m1", "nurse", ["ward"])  # due at 60


def answer(minutes: float, role: str = "ward", to: str = "m1", **fields: object) -> Event:
    fields.setdefault("actor", person(2))
    return sent(minutes, f"{role}{minutes}", role, ["nurse"], in_reply_to=to, **fields)


@pytest.mark.parametrize(("minutes", "timely"), [(0.01, 1.0), (60, 1.0), (60.01, 0.0)])
def test_a_reply_is_timely_by_due(minutes: float, timely: float) -> None:
    row = only("reply", QUESTION, answer(minutes))
    assert row.value == timely
    assert tie(row) == ("ward", "nurse", "timeliness")
    assert (row.communicator_actors, row.experiencer_actors) == ((person(2)["id"],), (person(1)["id"],))


def test_no_reply_is_late_once_due_has_passed() -> None:
    assert value("reply", QUESTION, as_of=at(59.9)) == PENDING
    assert value("reply", QUESTION, as_of=at(60)) == 0.0


def test_an_early_reply_is_pending_until_due() -> None:
    assert value("reply", QUESTION, answer(5), as_of=at(59.9)) == PENDING
    assert only("reply", QUESTION, answer(5)).known_at == at(60)


@pytest.mark.parametrize("role", ["lab", "nurse"])
def test_only_an_addressed_role_replies(role: str) -> None:
    assert value("reply", QUESTION, answer(10, role)) == 0.0


@pytest.mark.parametrize("kind", ["bot", "system", "unknown"])
def test_only_humans_reply(kind: str) -> None:
    assert value("reply", QUESTION, answer(10, actor=person(2, kind))) == 0.0
    assert exchange(QUESTION, answer(10, actor=person(2, kind))).replied_at is None


def test_a_reply_to_another_message_or_before_the_question_answers_nothing() -> None:
    assert value("reply", QUESTION, answer(10, to="m9")) == 0.0
    assert value("reply", QUESTION, answer(-1)) == 0.0


def test_a_role_replies_under_any_of_its_names() -> None:
    book = policy_book(aliases={"ward 7": "ward"})
    assert value("reply", asked(0, "m1", "nurse", ["ward 7"]), answer(10), book=book) == 1.0


def test_who_answers_first_answers_for_all_addressed_roles() -> None:
    both = asked(0, "m1", "nurse", ["ward", "lab"])
    rows = evidence("reply", both, answer(10), answer(90, "lab"))
    assert [(row.communicator_role, row.part, row.value) for row in rows] == [("lab", 0, 1.0), ("ward", 1, 1.0)]
    assert [row.communicator_actors for row in rows] == [(), (person(2)["id"],)]
    assert values("reply", both) == [0.0, 0.0]


def test_names_of_one_role_are_one_addressee() -> None:
    book = policy_book(aliases={"ward 7": "ward", "ward 8": "ward"})
    assert len(evidence("reply", asked(0, "m1", "nurse", ["ward 7", "ward 8"]), book=book)) == 1


def test_a_role_may_ask_itself_but_a_question_is_not_its_own_answer() -> None:
    question = asked(0, "m1", "nurse", ["nurse"], in_reply_to="m1")
    assert value("reply", question) == 0.0
    row = only("reply", question, answer(10, "nurse"))
    assert (row.value, *tie(row)) == (1.0, "nurse", "nurse", "timeliness")


@pytest.mark.parametrize(("minutes", "timely"), [(20, 1.0), (21, 0.0)])
def test_an_own_due_time_is_absolute(minutes: float, timely: float) -> None:
    question = asked(0, "m1", "nurse", ["ward"], reply_due_at=at(20))
    book = policy_book(pauses={"reasons": ["patient"]})
    assert value("reply", question, paused(5, "nurse"), resumed(15), answer(minutes), book=book) == timely


@pytest.mark.parametrize(("role", "due"), [("nurse", 90), ("ward", 60)])
def test_pauses_by_others_give_more_time(role: str, due: float) -> None:
    book = policy_book(pauses={"reasons": ["patient"]})
    assert exchange(QUESTION, paused(20, role), resumed(50), book=book).reply_due_at == at(due)


def test_without_a_target_nothing_is_late() -> None:
    assert value("reply", QUESTION, book=policy_book(targets={})) == NOTHING


def test_a_message_that_expects_no_reply_is_no_exchange() -> None:
    events = (sent(0, "m1", "nurse", ["ward"]), answer(10))
    assert values("reply", *events) == []
    assert not any(isinstance(row, ExchangeRow) for row in facts(events, policy_book(), LONG_AFTER).rows.values())


@pytest.mark.parametrize(("kind", "said"), [("bot", NOTHING), ("system", NOTHING), ("unknown", 0.0)])
def test_a_machines_question_is_nobodys_experience(kind: str, said: float | str) -> None:
    assert value("reply", asked(0, "m1", "nurse", ["ward"], actor=person(1, kind))) == said


def test_a_repeated_message_is_a_copy() -> None:
    assert len(evidence("reply", QUESTION, asked(5, "m1", "nurse", ["ward"]))) == 1


def test_the_row_shows_a_late_reply_and_its_waiting_time() -> None:
    row = exchange(QUESTION, answer(90), answer(95))
    assert (row.from_role, row.to_roles, row.reply_due_at) == ("nurse", ("ward",), at(60))
    assert (row.replied_at, row.replied_by_role, row.waited_s) == (at(90), "ward", 5400.0)
    assert exchange(QUESTION).waited_s is None


def test_question_and_reply_are_cited() -> None:
    reply = answer(10)
    assert only("reply", QUESTION, reply, answer(20)).event_ids == (QUESTION.ref, reply.ref)
    assert exchange(QUESTION, reply, answer(20)).event_ids == (QUESTION.ref, reply.ref)
