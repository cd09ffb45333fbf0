"""GitHub: people whose logins the policy maps to roles, and a label that is a team's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from streams.gateway.connectors.connector import Context
from streams.gateway.connectors.github import GitHub
from tests.golden.connectors.golden import Case, Suite
from tests.unit.connectors.context import context, delivery


def cases(fixtures: Path) -> Iterator[Case]:
    for path in sorted(fixtures.glob("*.json")):
        told = delivery(path.read_bytes(), {"x-github-event": path.name.partition("__")[0]})
        yield Case(path.name, told, _maintenance())


def _maintenance() -> Context:
    return context(
        "maintenance",
        roles={"label": {"bug": "triage"}},
        actors={"octocat": "reviewer"},
        options={"pause_labels": {"blocked": "blocked"}},
    )


SUITE = Suite(GitHub(), cases, fixtures="fixtures/github")
