"""The alert of a tie that has changed: the newest closed period only, by the three-sigma rule only."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from clickhouse_connect.driver.client import Client

from schemas.rows import EvidenceRow
from tests.integration.grafana.test_alert_statements import NOW, alert, firing
from tests.integration.store.rows import actor, declare, evidence, put
from tests.integration.store.scenario import aggregate

MONDAY = (NOW - timedelta(days=NOW.weekday())).replace(hour=0, minute=0, second=0)
USUAL = [9, 10, 10, 11, 9, 10, 11, 10, 9, 10, 10, 11] * 2
"""Of twelve handoffs a week, so many are answered in time."""
TIE = ["incident", "nurse", "bed-manager", "timeliness"]


def weeks(successes: Sequence[int], ends_before: int = 0) -> list[EvidenceRow]:
    """One tie's weeks of twelve observations, the last of them `ends_before` weeks before the running one."""
    rows = []
    for back, success in enumerate(reversed(successes), start=1 + ends_before):
        start = MONDAY - timedelta(weeks=back)
        for number in range(12):
            rows.append(
                evidence(
                    f"{start:%j}-{number}",
                    at=start + timedelta(hours=1 + number * 12),
                    process="incident",
                    rule="handoff_acceptance",
                    value=float(number < success),
                    communicator_actors=(actor(number % 6),),
                    experiencer_actors=(actor(100 + number % 6),),
                )
            )
    return rows


def put_weeks(client: Client, *rows: EvidenceRow) -> None:
    declare(client)
    put(client, "evidence", rows)
    aggregate(client, "live")


def test_a_week_beyond_its_limits_alerts(client: Client, reader: Client) -> None:
    put_weeks(client, *weeks([*USUAL, 2]))
    assert firing(reader, alert("tie-shift")) == [TIE]


def test_common_cause_does_not_alert(client: Client, reader: Client) -> None:
    put_weeks(client, *weeks([*USUAL, 9]))
    assert firing(reader, alert("tie-shift")) == []


def test_an_older_week_does_not_alert_again(client: Client, reader: Client) -> None:
    put_weeks(client, *weeks([*USUAL, 2, 10]))
    assert firing(reader, alert("tie-shift")) == []


def test_the_running_week_does_not_alert_yet(client: Client, reader: Client) -> None:
    put_weeks(client, *weeks(USUAL), *weeks([0], ends_before=-1))
    assert firing(reader, alert("tie-shift")) == []


def test_too_few_weeks_have_no_limits(client: Client, reader: Client) -> None:
    put_weeks(client, *weeks([10, 9, 10, 0]))
    assert firing(reader, alert("tie-shift")) == []


def test_a_tie_that_ended_long_ago_does_not_alert(client: Client, reader: Client) -> None:
    put_weeks(client, *weeks([*USUAL, 2], ends_before=30))
    assert firing(reader, alert("tie-shift")) == []
