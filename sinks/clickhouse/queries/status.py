"""How full the store is, how fresh, and what could not be used."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from clickhouse_connect.driver.client import Client

COUNTED = (
    *("events", "work_items", "handoffs", "exchanges", "problems", "evidence", "tie_windows", "priors", "signals"),
    *("interventions", "surveys", "runs", "processes", "dead_letters"),
)


class DeadLetterCount(NamedTuple):
    """Distinct refused records with one reason, and when the newest was refused."""

    stage: str
    code: str
    letters: int
    newest_at: datetime


def rows_per_table(client: Client) -> dict[str, int]:
    """Rows as readers see them: without duplicates, older versions and tombstones, of all runs."""
    parts = [f"SELECT '{table}' AS name, count() AS rows FROM {table} FINAL" for table in COUNTED]
    found = {str(row[0]): int(row[1]) for row in client.query(" UNION ALL ".join(parts)).result_rows}
    return {table: found[table] for table in COUNTED}


def newest_event_at(client: Client) -> datetime | None:
    """Event time of the newest archived event; None: there is none."""
    ((newest, count),) = client.query("SELECT max(time), count() FROM events").result_rows
    return newest if count else None


def dead_letters(client: Client) -> list[DeadLetterCount]:
    """Dead letters by stage and reason."""
    sql = "SELECT stage, code, count(), max(at) FROM dead_letters FINAL GROUP BY stage, code ORDER BY stage, code"
    return [DeadLetterCount(*row) for row in client.query(sql).result_rows]
