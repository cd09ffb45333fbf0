"""Topics that were just created are there a moment later."""

from __future__ import annotations

from streams.apps.topic_admin import TopicState, _once_known

UNKNOWN, THERE = TopicState("t", 0, 24), TopicState("t", 24, 24)


def test_a_busy_broker_is_asked_again_until_it_knows_what_it_created() -> None:
    answers = iter([[UNKNOWN], [UNKNOWN], [THERE], [UNKNOWN]])
    assert _once_known(lambda: next(answers), pause_s=0.0) == [THERE]


def test_another_number_of_partitions_is_told_at_once() -> None:
    answers = iter([[TopicState("t", 4, 24)]])
    assert not _once_known(lambda: next(answers))[0].right


def test_what_never_comes_is_told() -> None:
    assert _once_known(lambda: [UNKNOWN], timeout_s=0.0, pause_s=0.0) == [UNKNOWN]
