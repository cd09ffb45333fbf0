"""Keys and topics."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.decoding import decode
from schemas.topics import PARTITIONS, TOPICS, event_key, split_key, work_item_key
from tests.unit.schemas.examples import encoded, example

plain = st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl")), min_size=1, max_size=30)


@given(plain.map(lambda name: name.replace("/", "-")), plain)
def test_a_key_can_be_split_again(process: str, subject: str) -> None:
    assert split_key(work_item_key(process, subject)) == (process, subject)


def test_an_event_is_keyed_by_its_work_item() -> None:
    event = decode(encoded(example("handoff.accepted", process="ed-to-ward", subject="ward/7")))
    assert event_key(event) == b"ed-to-ward/ward/7"
    assert split_key(event_key(event)) == ("ed-to-ward", "ward/7")


@pytest.mark.parametrize("key", [b"", b"/", b"process", b"process/", b"/subject", b"\xff/\xff"])
def test_what_is_no_key_of_a_work_item_is_refused(key: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        split_key(key)


def test_names_on_the_wire_never_change() -> None:
    assert [topic.name for topic in TOPICS] == [
        "tieline.events",
        "tieline.handoffs",
        "tieline.exchanges",
        "tieline.problems",
        "tieline.evidence",
        "tieline.state",
        "tieline.late",
        "tieline.dead-letters",
        "tieline.measures",
        "tieline.signals",
    ]
    assert PARTITIONS == 24
    assert {topic.name for topic in TOPICS if topic.partitions != PARTITIONS} == {"tieline.measures", "tieline.signals"}
    assert [topic.name for topic in TOPICS if topic.compacted] == ["tieline.state"]
