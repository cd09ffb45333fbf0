"""Word rules: whole words, in order, of what the writer said."""

from __future__ import annotations

import time

import pytest
from pydantic import ValidationError

from schemas.words import MAX_TEXT, WordRule, meaning, plain_words

ALL = ("question", "request", "inform", "act")


def rule(means: str, *phrases: str) -> WordRule:
    return WordRule.model_validate({"any": phrases, "means": means})


def said(text: str, *phrases: str) -> bool:
    return meaning([rule("question", *phrases)], text, ALL) == "question"


@pytest.mark.parametrize(
    ("phrase", "text"),
    [
        ("?", "why?"),
        ("can you", "Can\n  YOU look"),
        ("can't", "I can’t"),
        ("act", "act!"),
        ("on it", "(on it)"),
        ("dÉjà", "Déjà vu"),
        ("か", "いいですか。"),
        ("不是", "这不是我们的"),
    ],
)
def test_a_phrase_is_found_whatever_the_case_and_the_spaces(phrase: str, text: str) -> None:
    assert said(text, phrase)


@pytest.mark.parametrize(
    ("phrase", "text"),
    [
        ("act", "in fact"),
        ("can you", "you can"),
        ("can you", "can, you"),
        ("??", "why?"),
        ("?", "see https://example.org/a?b=c for more"),
        ("?", "> can you look?\n > and this?\ndone"),
        ("?", ""),
    ],
)
def test_parts_of_words_addresses_and_quotations_do_not_count(phrase: str, text: str) -> None:
    assert not said(text, phrase)


def test_the_first_rule_that_fits_decides() -> None:
    rules = [rule("act", "?"), rule("inform", "fixed"), rule("question", "?")]
    assert meaning(rules, "is it fixed?", ("question", "inform")) == "inform"
    assert meaning(rules, "is it fixed?", ("question",)) == "question"
    assert meaning(rules, "is it fixed?", ("act",)) == "act"
    assert meaning(rules, "no", ALL) is None
    assert meaning([], "is it?", ALL) is None


def test_only_the_beginning_of_a_long_text_counts() -> None:
    assert said("x " * (MAX_TEXT // 2 - 1) + "?", "?")
    assert not said("x" * MAX_TEXT + "?", "?")


def test_no_text_takes_long() -> None:
    rules = [rule("question", *(f"a {number} b" for number in range(32))) for _ in range(32)]
    for text in ("a " * MAX_TEXT, "a" * MAX_TEXT, "\u0300" * MAX_TEXT, "://" * MAX_TEXT, ">\n" * MAX_TEXT):
        start = time.perf_counter()
        assert meaning(rules, text, ALL) is None
        assert time.perf_counter() - start < 0.1


@pytest.mark.parametrize(
    "fields",
    [
        {"any": [], "means": "question"},
        {"any": [" "], "means": "question"},
        {"any": [""], "means": "question"},
        {"any": ["x" * 101], "means": "question"},
        {"any": ["?"], "means": "late"},
        {"any": ["?"]},
        {"any": ["?"], "means": "question", "pattern": ".*"},
    ],
)
def test_a_rule_needs_phrases_and_a_meaning(fields: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        WordRule.model_validate(fields)


def test_plain_words_of_plain_words_are_the_same() -> None:
    once = plain_words("Can’t you…  look_at (this)?")
    assert plain_words(once) == once == " can ' t you … look_at ( this ) ? "
