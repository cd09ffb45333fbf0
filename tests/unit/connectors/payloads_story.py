"""Several payloads of one work item, and the handoffs that are inferred from what they become."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from schemas.decoding import decode
from schemas.rows import HandoffRow
from streams.gateway.connectors.connector import Connector, Context
from streams.inference.facts import facts
from tests.builders import LONG_AFTER, policy_book
from tests.golden.connectors.golden import event
from tests.unit.connectors.context import delivery


def handoffs(connector: Connector, payloads: Iterable[dict[str, Any]], known: Context) -> list[tuple[str, str, str]]:
    """From role, to role and state of every handoff, by a policy that observes everything."""
    events = []
    for payload in payloads:
        for draft in connector.read(delivery(json.dumps(payload).encode()), known).drafts:
            told = {"specversion": "1.0", **event(draft, "p"), "source": "urn:test"}
            events.append(decode(json.dumps(told).encode()))
    rows = facts(events, policy_book(), LONG_AFTER).rows.values()
    return [(row.from_role, row.to_role, row.state) for row in rows if isinstance(row, HandoffRow)]
