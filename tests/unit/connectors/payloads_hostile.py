"""Payloads with one thing wrong: for the law that any bytes give events of the contract, or `InvalidEvent`."""

from __future__ import annotations

import copy
import json
from typing import Any

from hypothesis import strategies as st

from schemas.errors import InvalidEvent
from streams.gateway.connectors.connector import Connector, Context
from tests.golden.connectors.golden import event
from tests.unit.connectors.context import delivery

Json = dict[str, Any]

JUNK: tuple[Any, ...] = (
    None,
    "",
    "  ",
    "null",
    "x" * 300,
    "a\x00b",
    "\ud800",
    "\u2028",
    "0",
    "-1",
    -1,
    0,
    2**70,
    1e308,
    True,
    False,
    [],
    [None],
    [{}],
    {},
    {"value": None},
    {"display_value": {"value": "x"}},
    "9999-99-99T99:99:99Z",
    "1969-12-31T23:59:59Z",
    "2026-01-05 08:00:00",
)


def paths(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Where something is in a payload."""
    inside: list[tuple[str | int, Any]] = []
    if isinstance(value, dict):
        inside = list(value.items())
    elif isinstance(value, list):
        inside = list(enumerate(value))
    return [found for key, item in inside for found in ((*path, key), *paths(item, (*path, key)))]


@st.composite
def spoilt(draw: st.DrawFn, payload: Json, times: int = 2) -> Json:
    """The payload with up to so many values replaced or taken out."""
    found = copy.deepcopy(payload)
    for _ in range(draw(st.integers(1, times))):
        at = draw(st.sampled_from(paths(found) or [()]))
        if at:
            _spoil(found, at, draw(st.sampled_from(JUNK)), draw(st.booleans()))
    return found


def _spoil(payload: Any, at: tuple[str | int, ...], junk: Any, take_out: bool) -> None:
    for key in at[:-1]:
        payload = payload[key]
    if take_out:
        del payload[at[-1]]
    else:
        payload[at[-1]] = copy.deepcopy(junk)


def outcome(connector: Connector, payload: Json, known: Context) -> str:
    """All that comes out of a payload, as text: events that the contract accepts, codes, or the error.

    Raises: whatever is raised that is no `InvalidEvent`.
    """
    try:
        reading = connector.read(delivery(json.dumps(payload).encode()), known)
        told = [event(draft, known.process) for draft in reading.drafts]
        return json.dumps([told, reading.unused])
    except InvalidEvent as invalid:
        return str(invalid)
