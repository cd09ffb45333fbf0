"""Idempotency-Key: the same request gets the same answer, another one is refused, memory is bounded."""

from __future__ import annotations

import pytest

from streams.gateway.http.idempotency import KEPT_S, Answer, Answers
from streams.gateway.http.problems import Refused
from tests.unit.gateway.gateways import StillClock

ANSWER = Answer(202, "application/json", b"{}")


def refused(answers: Answers, *given: str | bytes) -> str:
    with pytest.raises(Refused) as refusal:
        answers.begin(*given)  # type: ignore[arg-type]
    return refusal.value.code


def test_same_request_gets_the_same_answer() -> None:
    answers = Answers(StillClock().seconds)
    place, given = answers.begin("token", "key", b"body")
    assert given is None
    answers.finish(place, ANSWER)
    assert answers.begin("token", "key", b"body")[1] == ANSWER


def test_key_of_another_sender_is_another_key() -> None:
    answers = Answers(StillClock().seconds)
    answers.finish(answers.begin("token", "key", b"body")[0], ANSWER)
    assert answers.begin("other", "key", b"else")[1] is None


def test_key_with_another_body_is_refused() -> None:
    answers = Answers(StillClock().seconds)
    answers.finish(answers.begin("token", "key", b"body")[0], ANSWER)
    assert refused(answers, "token", "key", b"else") == "idempotency_mismatch"


def test_key_under_way_is_refused_until_it_is_abandoned() -> None:
    answers = Answers(StillClock().seconds)
    place, _ = answers.begin("token", "key", b"body")
    assert refused(answers, "token", "key", b"body") == "idempotency_in_progress"
    answers.abandon(place)
    assert answers.begin("token", "key", b"body")[1] is None


def test_answer_is_forgotten_after_a_day() -> None:
    clock = StillClock()
    answers = Answers(clock.seconds)
    answers.finish(answers.begin("token", "key", b"body")[0], ANSWER)
    clock.elapsed_s = KEPT_S
    assert answers.begin("token", "key", b"else")[1] is None


def test_oldest_answers_go_when_there_are_too_many() -> None:
    answers = Answers(StillClock().seconds, max_keys=3)
    for number in range(5):
        answers.finish(answers.begin("token", f"{number}", b"body")[0], ANSWER)
    assert len(answers._entries) <= 3
    assert answers.begin("token", "4", b"body")[1] == ANSWER


def test_oldest_answers_go_when_they_are_too_large() -> None:
    answers = Answers(StillClock().seconds, max_bytes=10_000)
    for number in range(20):
        answers.finish(answers.begin("token", f"{number}", b"body")[0], Answer(202, "application/json", b"x" * 1000))
    assert answers._bytes <= 10_000
    assert answers._bytes == sum(entry.bytes for entry in answers._entries.values())


@pytest.mark.parametrize("key", ["", "x" * 256, "a\nb", "\x7f"])
def test_key_that_is_none_is_refused(key: str) -> None:
    assert refused(Answers(StillClock().seconds), "token", key, b"") == "bad_header"
