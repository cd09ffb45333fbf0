"""Events as they arrive in the archive."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from clickhouse_connect.driver.client import Client

from schemas.events import EVENT_ADAPTER, Event
from schemas.topics import EVENTS
from sinks.clickhouse.insert import insert_rows
from sinks.clickhouse.records import event_row
from tests.integration.store.rows import START, actor


def event(
    name: str,
    *,
    at: datetime = START,
    kind: str | None = None,
    process: str = "ed-to-ward",
    source: str = "test/ehr",
    type: str = "tieline.work_item.worked.v1",
    **data: Any,
) -> Event:
    """An event of a work item of its own; `kind` is the actor's, None: it says nothing of an actor."""
    given = {"role": "nurse"} | data if type.startswith("tieline.work_item.") else data
    return EVENT_ADAPTER.validate_python(
        {
            "specversion": "1.0",
            "id": name,
            "source": source,
            "type": type,
            "time": at,
            "process": process,
            "subject": f"item-{name}",
            "data": given | ({"actor": {"id": actor(1), "kind": kind}} if kind else {}),
        }
    )


def arrive(client: Client, events: Sequence[Event], *, received_at: datetime, topic: str = EVENTS) -> None:
    """Archived as the sink does."""
    lines = [event_row(each, received_at=received_at, topic=topic, partition=3, offset=7) for each in events]
    insert_rows(client, "events", lines)
