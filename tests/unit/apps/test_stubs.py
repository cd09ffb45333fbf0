"""A compact set of keys is a set of keys."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from streams.apps.infer.stubs import Stubs

KEYS = st.sampled_from([f"p/w{number}".encode() for number in range(30)])


@given(st.lists(st.tuples(st.booleans(), KEYS)))
def test_stubs_are_the_keys_that_were_added_and_not_discarded(steps: list[tuple[bool, bytes]]) -> None:
    stubs, expected = Stubs(), set[bytes]()
    for adding, key in steps:
        (stubs.add if adding else stubs.discard)(key)
        (expected.add if adding else expected.discard)(key)
        assert len(stubs) == len(expected)
    assert {key for key in (f"p/w{number}".encode() for number in range(40)) if key in stubs} == expected


def test_a_hundred_thousand_stubs_take_less_than_ten_bytes_each() -> None:
    stubs = Stubs()
    for number in range(100_000):
        stubs.add(f"ed-to-ward/encounter-{number:09d}".encode())
    assert len(stubs) == 100_000
    assert stubs.size_bytes() < 10 * 100_000
