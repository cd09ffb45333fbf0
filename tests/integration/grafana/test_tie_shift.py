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


def weeks(counts: Sequence[int | tuple[int, int]], ends_before: int = 0, role: str = "nurse") -> list[EvidenceRow]:
    """One tie's weeks (successes, of twelve or of so many), the last of them `ends_before` weeks before the running."""
    rows = []
    for back, count in enumerate(reversed(counts), start=1 + ends_before):
        start = MONDAY - timedelta(weeks=back)
        successes, of = count if isinstance(count, tuple) else (count, 12)
        for number in range(of):
            rows.append(
                evidence(
                    f"{role}-{start:%j}-{number}",
                    at=start + timedelta(hours=1 + 160 / of * number),
                    process="incident",
                    rule="handoff_acceptance",
                    value=float(number < successes),
                    communicator_role=role,
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


def test_a_change_for_the_better_is_told_too(client: Client, reader: Client) -> None:
    put_weeks(client, *weeks([*USUAL, (40, 40)]))
    assert firing(reader, alert("tie-shift")) == [TIE]


def test_a_week_that_still_waits_leaves_the_one_before(client: Client, reader: Client) -> None:
    waiting = [row.model_copy(update={"ripe": False, "value": None}) for row in weeks([0])]
    put_weeks(client, *weeks([*USUAL, 2], ends_before=1), *waiting)
    assert firing(reader, alert("tie-shift")) == [TIE]


BARELY = (8, 13)
"""Beyond three sigma of the usual weeks: p = 0.0021."""


def test_a_point_barely_beyond_its_limits_alerts_if_it_is_the_only_tie(client: Client, reader: Client) -> None:
    put_weeks(client, *weeks([*USUAL, BARELY]))
    assert firing(reader, alert("tie-shift")) == [TIE]


def test_among_many_ties_such_a_point_is_to_be_expected(client: Client, reader: Client) -> None:
    """Benjamini-Hochberg: 0.0021 is more than a tenth of one in sixty-one."""
    others = [row for number in range(60) for row in weeks([*USUAL, 10], role=f"role-{number}")]
    put_weeks(client, *weeks([*USUAL, BARELY]), *others)
    assert firing(reader, alert("tie-shift")) == []
