"""A small run of every target; the large ones are by hand: `python -m tests.fuzz hl7v2 --inputs 100000`."""

from __future__ import annotations

import pytest

from schemas.errors import InvalidEvent
from tests.fuzz.mutations import Mutator
from tests.fuzz.run import fuzz
from tests.fuzz.target import Target, names, target


@pytest.mark.parametrize("name", names())
def test_hostile_bytes_give_an_answer_or_an_invalid_event(name: str) -> None:
    report = fuzz(target(name), 1500)
    assert not report.findings, str(report)
    assert report.understood > 50
    assert report.grown_mib < 128


def test_inputs_are_the_same_every_time() -> None:
    first, second = (Mutator([b"seed of some length"], [b"|"], 1000) for _ in range(2))
    assert [first.made(number) for number in range(200)] == [second.made(number) for number in range(200)]


def test_inputs_are_no_larger_than_they_may_be() -> None:
    mutator = Mutator([b"x" * 90], [b"||"], 100)
    assert max(len(mutator.made(number)) for number in range(0, 49)) <= 100


def test_what_is_found_is_told_by_the_number_of_the_input() -> None:
    def run(data: bytes) -> None:
        if b"!" in data:
            raise KeyError("found")
        raise InvalidEvent("not_this")

    report = fuzz(Target(run=run, seeds=lambda: [b"seed"], tokens=[b"!"]), 300)
    assert report.findings
    assert all(what == "KeyError: 'found'" for _, what in report.findings)
    assert report.understood == 0


def test_slow_inputs_are_found() -> None:
    def run(data: bytes) -> None:
        sum(range(300_000))

    report = fuzz(Target(run=run, seeds=lambda: [b"seed"], limit_ms=0.5), 1)
    assert "took" in str(report)
