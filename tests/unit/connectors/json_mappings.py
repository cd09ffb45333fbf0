"""Builders of mappings and payloads for the connector `json`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from streams.gateway.connectors.connector import Context
from streams.gateway.connectors.json_mapping import EntryFindings, PayloadMapping, PayloadReader, parse_payload_mapping
from streams.gateway.edge.draft import Draft, Reading
from tests.unit.connectors.context import context, delivery

Json = dict[str, Any]
OWNERSHIP: Json = {"format": "json", "work_item": "id", "time": "at", "role": "team"}
OFFERED = "tieline.handoff.offered.v1"
ACCEPTED = "tieline.handoff.accepted.v1"
SENT = "tieline.communication.sent.v1"


def ownership(**changed: Any) -> PayloadMapping:
    """A mapping of tickets: `id`, `at` and `team` of the payload; None takes a field away."""
    return mapping({**OWNERSHIP, **changed})


def told(*rules: Json, **changed: Any) -> PayloadMapping:
    """A mapping of explicit events only."""
    return mapping({**OWNERSHIP, "role": None, "events": list(rules), **changed})


def mapping(fields: Json) -> PayloadMapping:
    return parse_payload_mapping(json.dumps({name: value for name, value in fields.items() if value is not None}))


def ticket(minute: int = 0, **changed: Any) -> Json:
    """One ticket, at a minute after 08:00 UTC."""
    return {"id": "T-1", "at": f"2026-03-02T08:{minute:02}:00Z", "team": "Desk", **changed}


def read(
    rules: PayloadMapping,
    payload: object,
    known: Context | None = None,
    headers: Mapping[str, str] | None = None,
    findings: list[EntryFindings] | None = None,
) -> Reading:
    """What comes out of a payload, given as a value or as bytes."""
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return PayloadReader(rules).read(delivery(body, headers), known or context(), findings)


def said(reading: Reading) -> list[str]:
    """`noun.verb` of each draft."""
    return [".".join(draft.type.split(".")[1:3]) for draft in reading.drafts]


def verbs(reading: Reading) -> list[str]:
    return [draft.type.split(".")[2] for draft in reading.drafts]


def only(reading: Reading) -> Draft:
    """The one draft that there is."""
    (draft,) = reading.drafts
    return draft
