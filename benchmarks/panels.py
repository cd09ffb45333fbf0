"""(e) What it costs to ask: every panel of the dashboards that people look at all day, over years of rows."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from clickhouse_connect.driver.client import Client
from pydantic import SecretStr

from benchmarks.panel_rows import DAYS, fill
from benchmarks.plan import Plan
from benchmarks.report import Figure, figure
from benchmarks.system import System, fresh_system
from deploy.dashboards.catalogue import dashboard
from deploy.dashboards.dashboard import ALL, Dashboard
from deploy.dashboards.macros import TimeRange, expand
from deploy.embedded.front.accounts import ensure_passwords
from sinks.clickhouse.audiences import write_grants
from sinks.clickhouse.settings import ClickHouseSettings, connect

_TARGET_MS = 300.0
_FILLING_S = 1800
_WANTED = {"process": "ed-to-ward", "one_role": "ed-nurse", "other_role": "ward-nurse"}


async def panels(plan: Plan) -> list[Figure]:
    """every panel of Live handoffs and Ties, over 2 million handoffs and 5 million rows of evidence"""
    async with fresh_system() as system, system.running("store"):
        return await asyncio.to_thread(_measured, system, plan)


def _measured(system: System, plan: Plan) -> list[Figure]:
    writer = connect(system.clickhouse.model_copy(update={"request_timeout_s": _FILLING_S}))
    end = datetime.now(UTC)
    plan.say(f"panels: writing {plan.handoffs:,} handoffs")
    fill(writer, plan.handoffs, end)
    _require_rows(writer, plan.handoffs)
    _until_merged(writer)
    write_grants(system.folder / "grants.json", str(writer.database))
    reader = connect(_as_reader(system))
    found = []
    for name, sql in _asked(reader, end):
        plan.say(f"panels: {name}")
        _timed(reader, sql)  # the first one reads from disk
        times = [_timed(reader, sql) for _ in range(plan.runs)]
        found.append(figure("panels", name, "ms", times, at_most=_TARGET_MS))
    return found


def _as_reader(system: System) -> ClickHouseSettings:
    password = ensure_passwords(system.folder)["reader"]
    return system.clickhouse.model_copy(update={"user": "reader", "password": SecretStr(password)})


def _asked(reader: Client, end: datetime) -> Iterator[tuple[str, str]]:
    """Name and statement of every query of every panel."""
    for key, days in (("live", 1), ("ties", 90), ("ties", DAYS)):
        board = dashboard(key)
        period = TimeRange(end - timedelta(days=days), end, 3600.0)
        chosen = _chosen(reader, board, period)
        span = f"{days} days" if days > 1 else "24 hours"
        for panel in board.panels():
            for query in panel.queries:
                ref = f" ({query.ref})" if len(panel.queries) > 1 else ""
                name = f"{board.title}, {span}: {panel.key}{ref}"
                yield name, expand(query.sql, period, board.variables, chosen)


def _chosen(reader: Client, board: Dashboard, period: TimeRange) -> dict[str, list[str]]:
    chosen: dict[str, list[str]] = {}
    for variable in board.variables:
        if variable.all:
            chosen[variable.name] = [ALL]
            continue
        rows = reader.query(expand(variable.sql, period, board.variables, chosen)).result_rows
        values = [str(row[0]) for row in rows]
        wanted = _WANTED.get(variable.name, variable.default)
        chosen[variable.name] = [wanted if wanted in values else values[0]]
    return chosen


def _timed(reader: Client, sql: str) -> float:
    """Milliseconds until the whole answer is here."""
    began_s = time.perf_counter()
    reader.raw_query(sql, fmt="JSONCompact")
    return (time.perf_counter() - began_s) * 1000


def _until_merged(client: Client, patience_s: float = 180.0) -> None:
    """Return when the store has stopped tidying up after years of rows in a minute, or after so long."""
    until_s = time.monotonic() + patience_s
    while client.query("SELECT count() FROM system.merges").first_row[0] and time.monotonic() < until_s:
        time.sleep(1.0)


def _require_rows(client: Client, handoffs: int) -> None:
    """Raises: AssertionError: the store holds another number of rows, or windows that do not add up to the evidence."""
    (found,) = client.query("SELECT count() FROM handoffs FINAL").first_row
    (evidence,) = client.query("SELECT count() FROM evidence FINAL").first_row
    (counted,) = client.query("SELECT sum(n) + sum(pending) FROM tie_windows FINAL").first_row
    if (found, evidence, counted) != (handoffs, handoffs * 5 // 2, evidence):
        raise AssertionError(f"{found} handoffs, {evidence} evidence, {counted} in windows")
