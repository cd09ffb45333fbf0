"""Jira: a service desk whose components are teams, and whose people the policy knows by their accounts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from streams.gateway.connectors.connector import Context
from streams.gateway.connectors.jira import Jira
from tests.golden.connectors.golden import Case, Suite
from tests.unit.connectors.context import context, delivery


def cases(fixtures: Path) -> Iterator[Case]:
    for path in sorted(fixtures.glob("*.json")):
        yield Case(path.name, delivery(path.read_bytes()), _service_desk())


def _service_desk() -> Context:
    return context(
        "service-desk",
        roles={"group": {"COMP-1": "platform", "Special Component": "network"}, "label": {"test-label": "testers"}},
        actors={
            "5c5f880629be9642ba529340": "platform",
            "5cedcb4355a88a0fc86388ba": "support",
            "admin": "platform",
            "levbrouk": "support",
            "testUser": "network",
            "test": "support",
            "mickmister": "platform",
        },
        options={"pause_statuses": {"Waiting for customer": "customer"}},
    )


SUITE = Suite(Jira(), cases, fixtures="fixtures/jira")
