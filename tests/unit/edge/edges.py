"""Builders of edges, keys and drafts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from schemas.policy import Policy, PolicyBook
from streams.gateway.actors import ActorKey
from streams.gateway.edge import Draft, Edge, Keyring, Keys

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
KEY = ActorKey("k1", bytes(range(32)))
OLD_KEY = ActorKey("k0", bytes(32))
KEYS = Keys(KEY, (OLD_KEY,), frozenset({"north"}))


def policy(**fields: Any) -> PolicyBook:
    """One version with a process `p`, in force since 2020."""
    start = {"version": "v1", "effective_from": "2020-01-01T00:00:00Z", "processes": {"p": {}}}
    return PolicyBook((Policy.model_validate({**start, **fields}),))


def edge(**fields: Any) -> Edge:
    """An edge with `KEYS` and one policy of these fields."""
    return Edge(Keyring(KEYS), policy(**fields), lambda: NOW)


def words(*rules: tuple[str, str]) -> dict[str, Any]:
    """Policy fields: (phrase, meaning) rules of process `p`."""
    return {"processes": {"p": {"words": [{"any": [phrase], "means": means} for phrase, means in rules]}}}


def draft(verb: str = "work_item.worked", data: dict[str, object] | None = None, **changes: Any) -> Draft:
    """A draft of `tieline.<verb>.v1`."""
    fields: dict[str, Any] = {"id": "e1", "time": NOW, "subject": "w1", "data": data or {"role": "ward"}}
    return Draft(type=f"tieline.{verb}.v1", **{**fields, **changes})
