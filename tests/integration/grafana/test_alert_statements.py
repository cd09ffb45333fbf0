"""What the alert rules ask, asked of the real schema by the account that Grafana uses."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from deploy.dashboards.macros import TimeRange, expand_macros
from deploy.grafana.alerts import Alert, AlertSettings, alerts
from sinks.clickhouse.insert import insert_rows
from sinks.clickhouse.records import event_row
from tests.builders import offered
from tests.integration.store.panel_rows import put_dead_letter
from tests.integration.store.rows import declare, handoff, put

NOW = datetime.now(UTC).replace(microsecond=0)
MINUTE = timedelta(minutes=1)


def alert(key: str, **settings: Any) -> Alert:
    return next(found for found in alerts(AlertSettings(**settings)) if found.key == key)


def ask(reader: Client, rule: Alert, now: datetime = NOW) -> tuple[list[str], list[str], list[list[Any]]]:
    """Names and types of the answer's columns, and its rows, as a rule is evaluated at an instant."""
    sql = expand_macros(rule.sql, TimeRange(now - timedelta(seconds=rule.back_s), now, 1.0))
    answer = json.loads(reader.raw_query(sql, fmt="JSONCompact"))
    return [column["name"] for column in answer["meta"]], [column["type"] for column in answer["meta"]], answer["data"]


def firing(reader: Client, rule: Alert, now: datetime = NOW) -> list[Sequence[Any]]:
    """Labels of what would alert."""
    return [row[:-1] for row in ask(reader, rule, now)[2] if row[-1] > rule.threshold]


def put_event(client: Client, number: int, received_at: datetime, process: str = "ed-to-ward") -> None:
    """One event that arrived then."""
    event = offered(number, f"h{number}").model_copy(
        update={"time": received_at - MINUTE, "process": process, "id": f"e{number}"}
    )
    insert_rows(client, "events", [event_row(event, received_at=received_at)])


@pytest.mark.parametrize("rule", alerts(), ids=lambda rule: rule.key)
def test_an_answer_has_texts_and_one_number(reader: Client, rule: Alert) -> None:
    """Anything else Grafana would not take for numbers with labels; an empty store has nothing to say."""
    names, types, rows = ask(reader, rule)
    assert tuple(names) == rule.columns
    plain = [kind.replace("LowCardinality(", "").replace("Nullable(", "").rstrip(")") for kind in types]
    assert set(plain[:-1]) <= {"String"}
    assert types[-1] in ("Float64", "Nullable(Float64)")
    assert rows == []


def test_an_overdue_handoff_alerts_beyond_its_grace(client: Client, reader: Client) -> None:
    rule = alert("handoff-overdue", overdue_grace_s=300)
    put(
        client,
        "handoffs",
        [
            handoff("w1", at=NOW - 60 * MINUTE, accept_due_at=NOW - 6 * MINUTE, site="ward-3"),
            handoff("w2", at=NOW - 60 * MINUTE, accept_due_at=NOW - 7 * MINUTE, site="ward-3"),
            handoff("w3", at=NOW - 60 * MINUTE, accept_due_at=NOW - 4 * MINUTE, site="ward-4"),
            handoff("w4", at=NOW - 60 * MINUTE),
            handoff("w5", at=NOW - 60 * MINUTE, accept_due_at=NOW - 9 * MINUTE, run="again"),
            handoff("w6", at=NOW - 60 * MINUTE, accept_due_at=NOW - 9 * MINUTE, state="accepted"),
        ],
    )
    assert ask(reader, rule)[2] == [["ed-to-ward", "ward-3", "bed-manager", 2]]
    assert firing(reader, rule, NOW + 2 * MINUTE) == [
        ["ed-to-ward", "ward-3", "bed-manager"],
        ["ed-to-ward", "ward-4", "bed-manager"],
    ]


def test_a_silent_process_alerts_for_a_week(client: Client, reader: Client) -> None:
    rule = alert("data-freshness", stale_after_s=900)
    now = datetime.now(UTC)  # the view reads the clock
    put_event(client, 1, now - 20 * MINUTE)
    put_event(client, 2, now - 5 * MINUTE, process="incident")
    put_event(client, 3, now - timedelta(days=8), process="surgery")
    assert firing(reader, rule, now) == [["ed-to-ward"]]
    assert [row[0] for row in ask(reader, rule, now)[2]] == ["ed-to-ward", "incident"]


def test_dead_letters_alert_by_their_share(client: Client, reader: Client) -> None:
    rule = alert("dead-letters", dead_letter_share=0.3)
    for number in range(3):
        put_event(client, number, NOW)
    put_dead_letter(client, NOW - timedelta(days=1))
    assert ask(reader, rule)[2] == []
    put_dead_letter(client, NOW - MINUTE)
    assert ask(reader, rule)[2] == [[0.25]]
    assert firing(reader, rule) == []
    put_dead_letter(client, NOW - 2 * MINUTE)
    assert ask(reader, rule)[2] == [[0.4]]
    assert firing(reader, rule) == [[]]


def test_dead_letters_alone_alert_too(client: Client, reader: Client) -> None:
    declare(client)
    put_dead_letter(client, NOW - MINUTE)
    assert ask(reader, alert("dead-letters"))[2] == [[1.0]]
