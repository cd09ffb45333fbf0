"""What libraries repeat while a service is away."""

from __future__ import annotations

import logging
from collections.abc import Callable

from deploy.log_repeats import Repeats


def said(name: str, words: str, *values: object, level: int = logging.ERROR) -> logging.LogRecord:
    return logging.LogRecord(name, level, "x.py", 1, words, values, None)


def repeats_at(now_s: list[float]) -> Callable[[logging.LogRecord], bool]:
    return Repeats(["aiokafka"], 30.0, lambda: now_s[0]).filter


def test_the_same_words_of_a_library_are_written_once_in_a_while() -> None:
    now_s = [0.0]
    written = repeats_at(now_s)
    assert [written(said("aiokafka.fetcher", "no node %d", number)) for number in range(3)] == [True, False, False]
    now_s[0] = 30.0
    assert written(said("aiokafka.fetcher", "no node %d", 9))


def test_the_next_line_says_how_many_were_left_out() -> None:
    now_s = [0.0]
    written = repeats_at(now_s)
    for _ in range(5):
        written(said("aiokafka", "no node %d", 1))
    now_s[0] = 31.0
    again = said("aiokafka", "no node %d", 1)
    assert written(again)
    assert again.getMessage() == "no node 1 [and 4 more like it since]"
    now_s[0] = 62.0
    later = said("aiokafka", "no node %d", 1)
    assert written(later)
    assert later.getMessage() == "no node 1"


def test_other_words_other_levels_and_our_own_lines_are_all_written() -> None:
    written = repeats_at([0.0])
    assert written(said("aiokafka", "no node"))
    assert written(said("aiokafka", "no answer"))
    assert written(said("aiokafka", "no node", level=logging.WARNING))
    assert all(written(said("streams.apps.sink.app", "the store is away")) for _ in range(3))
    assert all(written(said("aiokafkalike", "no node")) for _ in range(3))
