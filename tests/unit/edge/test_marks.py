"""Who is a person, a bot or the system itself."""

from __future__ import annotations

import time

import pytest

from schemas.vocabulary import ActorKind
from streams.gateway.edge import Acting, Marks
from streams.gateway.edge.marks import matches

MARKS = Marks(bots=("*[bot]", "ci-*"), systems=("SYSTEM",), otherwise="human")


@pytest.mark.parametrize(
    ("name", "said", "expected"),
    [
        ("dependabot[bot]", "unknown", "bot"),
        ("CI-Runner", "unknown", "bot"),
        ("system", "unknown", "system"),
        ("scott", "unknown", "human"),
        ("ci-runner", "human", "bot"),
        ("ann", "bot", "bot"),
        ("ci-runner", "system", "system"),
        ("ann", "human", "human"),
    ],
)
def test_who_is_taken_for_no_person_is_none(name: str, said: ActorKind, expected: ActorKind) -> None:
    assert MARKS.kind(Acting(name, said)) == expected


def test_without_marks_nobody_is_taken_for_a_person() -> None:
    assert Marks().kind(Acting("ann")) == "unknown"


@pytest.mark.parametrize(
    ("pattern", "name", "expected"),
    [
        ("*", "", True),
        ("", "", True),
        ("", "a", False),
        ("a*", "a", True),
        ("a*a", "a", False),
        ("a*a", "aa", True),
        ("*b*", "abc", True),
        ("a*b*c", "a-b-b-c", True),
        ("a*bc*c", "abc", False),
        ("a**b", "ab", True),
        ("?", "a", False),
        ("[a]", "a", False),
    ],
)
def test_only_a_star_stands_for_anything(pattern: str, name: str, expected: bool) -> None:
    assert matches(pattern, name) is expected


def test_no_pattern_takes_long() -> None:
    start = time.perf_counter()
    assert not matches("*a" * 50 + "b", "a" * 1024)
    assert time.perf_counter() - start < 0.1
