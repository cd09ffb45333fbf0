"""Whatever is sent: an answer below 500, nothing of it in the answer, nothing left behind."""

from __future__ import annotations

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.gateway.asgi import ask
from tests.unit.gateway.gateways import World, event, packed

PATHS = [
    "/v1/events",
    "/v1/validate",
    "/v1/sources/lines",
    "/v1/sources/signed",
    "/v1/sources/lines/Task/1",
    "/",
]
KINDS = [
    "application/json",
    "application/cloudevents+json",
    "application/cloudevents-batch+json",
    "application/x-ndjson",
    "application/json; charset=x",
    'application/json; charset="',
]
NAMES = st.sampled_from(
    [
        *("content-encoding", "content-length", "content-type", "accept", "authorization", "idempotency-key"),
        *("x-hub-signature-256", "ce-specversion", "ce-id", "ce-sequence", "ce-data"),
    ]
)
HEADER_TEXT = st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF), max_size=40)
VALUES = HEADER_TEXT | st.sampled_from(["gzip", "1.0", "-1", "9" * 30, "%ff", "Bearer x", "sha256=" + "0" * 64])
VALID = packed(event(1))
BODIES = st.binary(max_size=200) | st.builds(
    lambda at, junk: VALID[:at] + junk + VALID[at:], st.integers(0, len(VALID)), st.binary(max_size=6)
)
MARKER = b"Quillfeather"


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(PATHS), st.sampled_from(KINDS), st.dictionaries(NAMES, VALUES, max_size=4), BODIES)
def test_any_request_is_answered_and_leaves_nothing_behind(
    path: str, kind: str, headers: dict[str, str], body: bytes
) -> None:
    with TemporaryDirectory() as folder:
        world = World(Path(folder))
        world.add_source("lines", "token", resources=True)
        world.add_source("signed")
        given = {"authorization": f"Bearer {world.token}", "content-type": kind, **headers}
        answer = asyncio.run(ask(world.app, "POST", path, MARKER + body, given))
        assert answer.status < 500
        assert MARKER not in answer.body
        assert (world.gateway.room.bytes, world.gateway.strangers.bytes) == (0, 0)
