"""The simulated hospital and help desk, folded straight into a store: what dashboards look like with real rows."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from clickhouse_connect.driver.client import Client

from deploy.policy_files import load_policy_book
from schemas.events import Event
from schemas.policy import PolicyBook
from schemas.rows import METHOD_VERSION
from sinks.clickhouse.insert import insert_rows
from sinks.clickhouse.records import RunRecord, event_row, process_records, process_row
from sinks.clickhouse.windows import reaggregate_all, refresh_priors
from streams.inference.fold import WorkItemFold
from streams.simulation.scenario import Scenario

DEMO_POLICY = Path(__file__).parents[3] / "deploy" / "policies" / "demo.yaml"
_WINDOW = "run, process, site, communicator_role, experiencer_role, dimension, origin, period, period_start"


def hashed(name: str) -> str:
    """An actor id without a key file."""
    return f"k1:{hashlib.md5(name.encode()).hexdigest()}"


def history(end: datetime, weeks: int) -> list[Event]:
    """Events of the scenario up to `end`."""
    return list(Scenario(7, end, hashed, weeks).history())


def fill(client: Client, events: Iterable[Event], as_of: datetime, run: str = "live") -> None:
    """Everything that the apps would have written from these events by `as_of`, of one run."""
    policies = load_policy_book([DEMO_POLICY])
    given = list(events)
    items: dict[tuple[str, str], list[Event]] = defaultdict(list)
    for event in given:
        if event.type.split(".")[1] not in ("intervention", "survey"):
            items[event.process, event.subject].append(event)
    archived = [
        event_row(
            event, received_at=event.time + timedelta(seconds=2), topic="tieline.events", partition=0, offset=number
        )
        for number, event in enumerate(given)
    ]
    insert_rows(client, "events", archived)
    insert_rows(client, "processes", list(map(process_row, process_records(policies, run, {key[0] for key in items}))))
    _put_run(client, run, policies)
    rows: dict[str, list[bytes]] = defaultdict(list)
    for (process, item), found in items.items():
        fold = WorkItemFold.recomputed(process, item, found, as_of)
        for row in fold.changes(policies, as_of, run):
            rows[row.table].append(row.model_dump_json().encode())
    for table, encoded in rows.items():
        insert_rows(client, table, encoded)
    aggregate(client, run)


def aggregate(client: Client, run: str) -> None:
    """Windows and priors of a run, from its evidence."""
    client.command(f"INSERT INTO tie_windows ({_WINDOW}) SELECT DISTINCT {_WINDOW} FROM evidence")
    reaggregate_all(client, run)
    refresh_priors(client, run)


def _put_run(client: Client, run: str, policies: PolicyBook) -> None:
    record = RunRecord(
        run=run,
        kind="live" if run == "live" else "replay",
        status="running",
        policy_versions=tuple(policy.version for policy in policies.policies),
        method_version=METHOD_VERSION,
        started_at=datetime.now(UTC),
    )
    insert_rows(client, "runs", [record.model_dump_json().encode()])
