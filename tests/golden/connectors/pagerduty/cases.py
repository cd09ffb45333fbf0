"""An incident from alarm to end, as one subscription is told of it; the network team and one person are mapped."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from streams.gateway.connectors.pagerduty import PagerDuty
from tests.golden.connectors.golden import Case, Suite
from tests.unit.connectors.context import context, delivery


def cases(payloads: Path) -> Iterator[Case]:
    known = context(roles={"group": {"PEPNET": "network"}}, actors={"PUC33CC": "second-line"})
    for path in sorted(payloads.iterdir()):
        yield Case(path.name, delivery(path.read_bytes()), known)


SUITE = Suite(PagerDuty(), cases)
