"""A ticket of a shop; both groups and the lead of one of them are mapped."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from streams.gateway.connectors.zendesk import Zendesk
from tests.golden.connectors.golden import Case, Suite
from tests.unit.connectors.context import context, delivery

GROUPS = {"7001000000001": "front-office", "7001000000002": "repairs"}


def cases(payloads: Path) -> Iterator[Case]:
    known = context("returns", roles={"group": GROUPS}, actors={"9001000000002": "repairs"})
    for path in sorted(payloads.iterdir()):
        yield Case(path.name, delivery(path.read_bytes()), known)


SUITE = Suite(Zendesk(), cases)
