"""What the two example mappings make of payloads that they are for, and of some that they are not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from streams.gateway.connectors.json_mapping import JsonMapping, read_payload_mapping
from tests.golden.connectors.golden import Case, Suite
from tests.unit.connectors.context import context, delivery

MAPPINGS = Path(__file__).parents[4] / "deploy" / "mappings"


def cases(payloads: Path) -> Iterator[Case]:
    mappings = {name: read_payload_mapping(MAPPINGS / f"{name}.yaml") for name in ("ticket-webhook", "handover-app")}
    for path in sorted(payloads.iterdir()):
        name = "handover-app" if path.name.startswith("handover") else "ticket-webhook"
        maps = {"group": {"Network": "network-team"}} if name == "ticket-webhook" else {}
        known = context("ed-to-ward", roles=maps, options={"mapping": mappings[name]})
        yield Case(path.name, delivery(path.read_bytes()), known)


SUITE = Suite(JsonMapping(), cases)
