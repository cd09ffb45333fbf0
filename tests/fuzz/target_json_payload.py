"""Payloads for the connector `json`, by mappings that use all that there is."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from schemas.errors import InvalidEvent
from streams.gateway.connectors.json_mapping import PayloadReader, read_payload_mapping
from tests.fuzz.target import Target
from tests.golden.connectors.golden import event
from tests.unit.connectors.context import context, delivery
from tests.unit.connectors.json_mappings import OFFERED, SENT, mapping

_ROOT = Path(__file__).parents[2]
_PAYLOADS = _ROOT / "tests" / "golden" / "connectors" / "json_mapping" / "payloads"
_EXPRESSIONS = (
    "[][].*[]",
    "sort_by(@, &at)[*].[id, join('-', [id, team])]",
    "*.*.*",
    "[?contains(team, 'e') || at > `3`].merge(@, {team: reverse(team)})",
    "max_by(@, &length(id)) || to_array(@)",
    "[@, @, @, @][].[@, @, @][].[@, @][]",
    "{a: @, b: to_string(@), c: keys(@)}",
    "map(&to_number(at), @)",
    "[1:-1:2] == [-3:]",
)


def _everything(items: str) -> dict[str, Any]:
    asked = {"attribute": "who || user", "kind": "type(who)", "bots": ["*b*o*t"], "unknown": "?"}
    message = {"message_id": "id", "role": "team", "to_roles": "[team, to][]", "reply_due_at": "at"}
    return {
        "format": "json",
        "items": items,
        "work_item": "id || encounter || to_string(@)",
        "time": {"attribute": "not_null(at, `1772438400`)", "format": "epoch_s", "zone": "UTC"},
        "role": {"attribute": "team || 'desk'", "missing": "states"},
        "actor": asked,
        "site": {"attribute": "$headers.site"},
        "sequence": "length(@)",
        "states": [
            {"when": {"status": ["*a*b*c*", "[!x]?"]}, "means": "paused", "reason": "r"},
            {"when": {"type(@)": "object"}, "means": ["working", "closed"]},
        ],
        "events": [
            {"when": {"team": "?*", "keys(@)": "m*"}, "type": SENT, "text": "*", "data": message},
            {
                "when": {"handover.id || ho": "*"},
                "type": OFFERED,
                "data": {"handoff_id": "@ | to_string(@)", "from_role": "team", "to_role": "to", "due_at": "at"},
                "elements": {"a": "*[]", "b": "@"},
            },
        ],
    }


_EXAMPLES = [_ROOT / "deploy" / "mappings" / f"{name}.yaml" for name in ("ticket-webhook", "handover-app")]
_READERS = [
    *(PayloadReader(read_payload_mapping(path)) for path in _EXAMPLES),
    *(PayloadReader(mapping(_everything(items))) for items in _EXPRESSIONS),
]


def run(data: bytes) -> None:
    """One of the mappings, as the input chooses: the limit is for one delivery. Raises: InvalidEvent."""
    reader = _READERS[sum(data[:64]) % len(_READERS)]
    reading = reader.read(delivery(data, {"site": "a"}), context())
    assert reading.drafts or reading.unused, "a delivery of which nothing is told"
    assert all(draft.id and draft.subject for draft in reading.drafts), "an event without an id or a work item"
    for draft in reading.drafts[:50]:
        with suppress(InvalidEvent):
            event(draft, "incident")


def seeds() -> Sequence[bytes]:
    """The payloads of the golden tests, and one with many entries."""
    many = [{"id": n, "at": 1772438400 + n, "team": f"t{n % 7}", "who": "ann", "to": ["b"]} for n in range(200)]
    return [*(path.read_bytes() for path in sorted(_PAYLOADS.iterdir())), json.dumps(many).encode(), b"[[1],[2,[3]]]"]


TARGET = Target(
    run=run,
    seeds=seeds,
    tokens=(
        *(b"{", b"}", b"[", b"]", b",", b":", b'"', b"\\", b"null", b"true", b"1e308", b"-0", b"9" * 400, b"NaN"),
        *(
            b'"\\ud800"',
            b'"\\u0000"',
            b'{"a":',
            b"[[[[[[[[",
            b'"at":1772438400',
            b'"team":"x"',
            b'"id":',
            b'"who":[',
            b"\xff",
        ),
        *(
            b'"entries":[',
            b'"handover":{',
            b'"status":"abc"',
            b'"kind":"note"',
            b'"":{}',
            b"1772438400",
            b"2026-03-02T08:00",
        ),
    ),
    max_bytes=256 * 1024,
)
