"""An incident as a business rule posts it after each change; one group is mapped, the other is a role by its name."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from streams.gateway.connectors.servicenow import ServiceNow
from tests.golden.connectors.golden import Case, Suite
from tests.unit.connectors.context import context, delivery


def cases(payloads: Path) -> Iterator[Case]:
    for path in sorted(payloads.iterdir()):
        known = context(roles={"group": {"d625dccec0a8016700a222a0f7900d06": "service-desk"}})
        yield Case(path.name, delivery(path.read_bytes()), known)


SUITE = Suite(ServiceNow(), cases)
