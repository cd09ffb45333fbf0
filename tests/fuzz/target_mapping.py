"""Mapping files, of logs and of JSON payloads; what is a mapping then reads a payload.

An input is a file, and after a line `%%` the payload. YAML itself takes 7 µs for each byte, so files are small here: as
large as mapping files are.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from schemas.errors import ConfigError, InvalidEvent
from streams.gateway.connectors.json_mapping import PayloadMapping, PayloadReader, parse_payload_mapping
from streams.gateway.log_import import Mapping, parse_mapping
from tests.fuzz.target import Target
from tests.unit.connectors.context import context, delivery
from tests.unit.connectors.json_mappings import ticket

_BETWEEN = b"\n%%\n"
_ROOT = Path(__file__).parents[2]
_TICKETS = json.dumps({"entries": [ticket(n, status="abc", labels=[{"name": "x"}]) for n in range(5)]}).encode()
_SMALL = b"""format: json
items: entries
work_item: id
time: at
role: {attribute: team, kind: group}
states: [{when: {status: 'a*'}, means: working}]
events: [{when: {labels[].name: x}, type: tieline.handoff.accepted.v1, data: {handoff_id: id, role: team}}]
"""


def run(data: bytes) -> None:
    """Raises: InvalidEvent: no mapping, or no payload for it; AssertionError: a promise is broken."""
    file, _, payload = data.partition(_BETWEEN)
    text = file.decode("utf-8", "surrogateescape")
    found = _mapping(text)
    if isinstance(found, PayloadMapping):
        PayloadReader(found).read(delivery(payload or _TICKETS), context())


def _mapping(text: str) -> Mapping | PayloadMapping:
    try:
        return parse_payload_mapping(text) if "json" in text else parse_mapping(text)
    except ConfigError as error:
        told = str(error)
    assert len(told) < 100_000, "an error that grows with the file"
    raise InvalidEvent("no_mapping")


def seeds() -> Sequence[bytes]:
    """The examples, and small ones whose every byte matters."""
    examples = [path.read_bytes() for path in sorted((_ROOT / "deploy" / "mappings").glob("*.yaml"))]
    expressions = (b"not_null(id, $.id)", b"sort_by(@, &at)[0].id", b"[?at=='x'].*[] | join('-', @)", b'"a b"[-1:]')
    small = [_SMALL.replace(b"work_item: id", b"work_item: '%b'" % text.replace(b"'", b"''")) for text in expressions]
    return [*examples, *(file + _BETWEEN + _TICKETS for file in [_SMALL, *small])]


TARGET = Target(
    run=run,
    seeds=seeds,
    tokens=(
        *(
            b"{",
            b"}",
            b"[",
            b"]",
            b": ",
            b"- ",
            b"&a ",
            b"*a",
            b"<<: *a",
            b"!!",
            b"? ",
            b"|\n",
            b">\n",
            b"#",
            b"'",
            b'"',
            b"\t",
        ),
        *(
            b"[]",
            b"[*]",
            b"[?",
            b"*.",
            b"@",
            b"&",
            b"`1`",
            b"||",
            b" | ",
            b"!",
            b"join('',",
            b"[@,@]",
            b"$.",
            b"$headers.",
        ),
        *(
            b"!!python/object:os.system",
            b"0x" + b"f" * 60,
            b"1:2:3:4",
            b"2026-02-30",
            b".inf",
            b"\xff",
            b"\xed\xa0\x80",
            b"%%",
        ),
        *(
            b"when:",
            b"means:",
            b"type:",
            b"data:",
            b"elements:",
            b"values:",
            b"%Y",
            b"tieline.problem.raised.v1",
            b"(" * 99,
        ),
    ),
    max_bytes=6 * 1024,
)
