"""Links and what they say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest

from deploy.board.choice import choice_of
from deploy.board.period import bounds, instant, is_custom, said
from deploy.dashboards.catalogue import dashboard

LIVE, TIES = dashboard("live"), dashboard("ties")
NOW = datetime(2026, 11, 23, 12, 30, tzinfo=UTC)


def _read_again(link: str) -> list[tuple[str, str]]:
    return parse_qsl(urlsplit(link).query)


def test_link_says_the_whole_choice() -> None:
    pairs = [("process", "ed-to-ward"), ("site", "ward a"), ("site", "b&c"), ("from", "now-7d"), ("wall", "1")]
    choice = choice_of(LIVE, pairs)
    assert choice_of(LIVE, _read_again(choice.link)) == choice


def test_dashboard_without_a_choice_has_a_plain_link() -> None:
    assert choice_of(LIVE, []).link == "/d/live"


def test_choice_goes_along_to_another_dashboard_and_back() -> None:
    choice = choice_of(TIES, [("process", "ed-to-ward"), ("one_role", "nurse"), ("from", "now-30d")])
    there = choice_of(LIVE, _read_again(choice.at(LIVE).link))
    assert there.values == choice.values
    assert there.at(TIES).values == choice.values


def test_period_of_months_does_not_go_along_to_a_live_dashboard() -> None:
    assert choice_of(TIES, [("from", "now-30d")]).at(LIVE).first == ""


def test_what_is_no_variable_is_left_out() -> None:
    assert choice_of(LIVE, [("token", "secret"), ("order by", "1"), ("process", "")]).values == {}


def test_link_cannot_hold_more_than_a_form_could_send() -> None:
    many = [("site", f"s{number}") for number in range(5_000)] + [("role", "x" * 10_000)]
    choice = choice_of(LIVE, many)
    assert len(choice.values["site"]) == 100
    assert "role" not in choice.values


@pytest.mark.parametrize(
    ("word", "means"),
    [
        ("now", NOW),
        ("now-24h", NOW - timedelta(hours=24)),
        ("now-90d", NOW - timedelta(days=90)),
        ("now-1y", NOW - timedelta(days=365)),
        ("now/y", datetime(2026, 1, 1, tzinfo=UTC)),
        ("2026-03-31", datetime(2026, 3, 31, tzinfo=UTC)),
        ("now-9999y", datetime(1970, 1, 2, tzinfo=UTC)),
        ("yesterday", None),
        ("now-1d; DROP TABLE", None),
        ("", None),
    ],
)
def test_word_of_a_period_means_an_instant_or_nothing(word: str, means: datetime | None) -> None:
    assert instant(word, NOW) == means


def test_last_chosen_day_is_inside() -> None:
    start, end = bounds("2026-01-01", "2026-01-31", NOW, "now-90d")
    assert (start, end) == (datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC))


@pytest.mark.parametrize(("first", "last"), [("", ""), ("nonsense", ""), ("2026-02-01", "2026-01-01"), ("now", "now")])
def test_period_that_is_none_is_the_usual_one(first: str, last: str) -> None:
    assert bounds(first, last, NOW, "now-90d") == (NOW - timedelta(days=90), NOW)


def test_days_are_a_custom_period_and_relative_words_are_not() -> None:
    assert is_custom("2026-01-01")
    assert not is_custom("now-7d")
    assert not is_custom("")


@pytest.mark.parametrize(("word", "words"), [("now-180d", "last 180 days"), ("now-1h", "last hour"), ("x", "x")])
def test_relative_period_is_said_in_words(word: str, words: str) -> None:
    assert said(word) == words
