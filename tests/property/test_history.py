"""The laws of a work item's contents: the bytes of its events say what the events say."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from schemas.events import Event
from streams.inference.history import contents_of, contents_of_payloads
from tests.property.work_items import any_event


def spaced(canonical: bytes) -> bytes:
    """The same event as somebody else writes it."""
    return json.dumps(json.loads(canonical), indent=1).encode()


@given(st.lists(any_event, min_size=1, max_size=14), st.data())
def test_payloads_have_the_contents_of_their_events(events: list[Event], data: st.DataObject) -> None:
    payloads = [event.canonical() for event in events]
    foreign = data.draw(st.lists(st.sampled_from(payloads), max_size=4))
    repeated = data.draw(st.permutations([*payloads, *payloads[:3], *map(spaced, foreign)]))
    assert contents_of_payloads(repeated) == contents_of(events)
