"""The page for integrators shows one working example of every event, under its own heading."""

from __future__ import annotations

import re

import pytest

from schemas.decoding import decode
from schemas.events import EVENT_TYPES
from tests.unit.schemas.examples import CONTRACT_PAGE, Json, encoded, example_texts, examples


@pytest.mark.parametrize("text", example_texts())
def test_every_example_decodes(text: str) -> None:
    assert decode(text.encode()).canonical()


def test_every_event_type_has_one_example_under_its_heading() -> None:
    headings = re.findall(r"^### `(.*)`$", CONTRACT_PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert headings == [example["type"] for example in examples()]
    assert set(headings) == set(EVENT_TYPES)
    assert len(headings) == len(EVENT_TYPES)


def test_no_two_examples_share_an_identity() -> None:
    assert len({(each["source"], each["id"]) for each in examples()}) == len(examples())


@pytest.mark.parametrize("example", examples(), ids=lambda example: example["type"])
def test_an_example_says_nothing_that_the_contract_would_drop(example: Json) -> None:
    assert decode(encoded(example)).model_dump(mode="json", exclude_unset=True) == example
