"""What goes to the store as one parameter."""

from __future__ import annotations

import pytest
from clickhouse_connect.driver.binding import bind_query

from sinks.clickhouse.pieces import pieces

HTTP_MAX_FIELD_VALUE_SIZE = 128 * 1024
"""ClickHouse's default."""


@pytest.mark.parametrize(
    "name", ["enc-{}", "{}" + "'" * 250, "{}" + "\\" * 250, "{}" + "\U0001f468" * 250, "{}" + "\t\n" * 120]
)
def test_no_parameter_is_longer_than_the_store_takes(name: str) -> None:
    keys = [("process", name.format(number)) for number in range(3_000)]
    cut = list(pieces(keys))
    assert [key for piece in cut for key in piece] == keys
    for piece in cut:
        _, bound = bind_query("SELECT {keys:Array(Tuple(String, String))}", {"keys": piece})
        assert len(str(bound["param_keys"]).encode()) <= HTTP_MAX_FIELD_VALUE_SIZE


def test_no_keys_are_no_question() -> None:
    assert list(pieces([])) == []
