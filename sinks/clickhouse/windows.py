"""Keeps tie_windows equal to the evidence: which windows a flush touches, and their re-aggregation after it.

A row whose new version lies in another window takes itself out of the old one. The old window is looked up before the
row is replaced and noted in `stale_windows`, so that a crash in between is repaired by `recover`; the new window needs
no note, as the rows of an uncommitted flush are read and written again.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, date, datetime
from functools import partial
from typing import Any

from clickhouse_connect.driver.client import Client
from pydantic_core import from_json, to_json

from sinks.clickhouse.estimate_sql import prior_sql
from sinks.clickhouse.insert import insert_rows
from sinks.clickhouse.publish_sql import PUBLISHABLE_TIES
from sinks.clickhouse.retry import Retry
from sinks.clickhouse.row_cuts import pattern
from sinks.clickhouse.shards import merge_rows
from sinks.clickhouse.windows_sql import (
    QUARTERS,
    WINDOW,
    EvidenceKey,
    Window,
    chunks,
    named_keys,
    reaggregate,
    reaggregate_quarter,
    stored_keys,
    windows_of,
)

_NAMED_KEYS, _NAMED_CHARACTERS = 200, 25_000
"""Keys that may stand in a statement's text, twice; the embedded engine limits it to 256 KiB."""
_CUTS = pattern(
    '(<place>)(,<episode>,"rule":<text>,"part":<number>),"at":<month>,'
    '("communicator_role":<text>,"experiencer_role":<text>,"dimension":<text>,"origin":<text>,'
    '"period":<text>,"period_start":<text>),'
)
"""Of an encoded `EvidenceRow`: one half of its window, its key, its month, and the other half."""
PRIOR = ("run", "process", "dimension", "origin")


class Windows:
    """The windows touched since the last refresh. For one event loop, beside one writer.

    The writer calls `before_insert` with evidence rows, and what that returns once they are acknowledged.
    """

    def __init__(self, client: Client, retry: Retry) -> None:
        self._client = client
        self._retry = retry
        self._open: _Touched = _Touched()
        self._ready: _Touched = _Touched()
        self._refreshing = asyncio.Lock()

    async def before_insert(self, rows: Sequence[bytes]) -> Callable[[], None]:
        """Notes the windows that these encoded evidence rows enter and leave.

        Cost: a look-up by primary key, about 10 ms; one more insert, only when a row changes its window.
        """
        entered = _entered(rows)
        stored = await self._stored(list(entered)) if entered else []
        await self._note({window for window, key in stored if entered.get(key) != frozenset({window})})
        self._open.windows |= {window for window, _ in stored}
        self._open.windows.update(*set(entered.values()))
        return self._acknowledged

    async def refresh(self) -> int:
        """Re-aggregates all windows touched by acknowledged rows; returns how many. Then offsets may be committed."""
        async with self._refreshing:  # whoever comes second waits: its windows may be in the statement under way
            taken, self._ready = self._ready, _Touched()
            try:
                await self._reaggregate(taken.windows)
                if taken.batches:
                    await self._retry.call(partial(self._command, _done(taken.batches)))
            except BaseException:
                self._ready.add(taken)
                raise
            return len(taken.windows)

    async def recover(self) -> int:
        """At start: re-aggregates windows that an interrupted flush, of any worker, may have left stale.

        The notes of others stay (they may be in the middle of that flush) and expire after 90 days.
        """
        sql = f"SELECT DISTINCT {WINDOW} FROM stale_windows FINAL"
        found = await self._retry.call(lambda: self._client.query(sql).result_rows)
        windows = {Window(*row) for row in found}
        await self._reaggregate(windows)
        return len(windows)

    async def _reaggregate(self, windows: set[Window]) -> None:
        for chunk in chunks(windows):
            await self._retry.call(partial(self._add_up, chunk))

    def _acknowledged(self) -> None:
        # Flushes follow one another, and rows of a flush that failed are in the next one: so all of it is written now.
        taken, self._open = self._open, _Touched()
        self._ready.add(taken)

    async def _note(self, left: set[Window]) -> None:
        if left:
            batch = uuid.uuid4().hex
            lines = [to_json({"batch": batch, "is_deleted": 0, **window._asdict()}) for window in sorted(left)]
            await self._retry.call(lambda: insert_rows(self._client, "stale_windows", lines))
            self._open.batches.add(batch)

    async def _stored(self, keys: list[bytes]) -> list[tuple[Window, bytes]]:
        rows = await self._retry.call(partial(self._look_up, keys))
        return [(Window(*row[:9]), _encoded(EvidenceKey(row[0], row[1], *row[9:]))) for row in rows]

    def _look_up(self, keys: list[bytes]) -> Sequence[Sequence[Any]]:
        """One attempt: keys that were put down are forgotten after an hour, so each attempt puts down its own."""
        source = named_keys(keys) if len(keys) <= _NAMED_KEYS else ""
        if not 0 < len(source) <= _NAMED_CHARACTERS:
            source = self._put_down(keys)
        return self._client.query(windows_of(source)).result_rows

    def _put_down(self, keys: list[bytes]) -> str:
        batch = uuid.uuid4().hex
        named = b'"batch":"%s",' % batch.encode()
        lines = [b"{" + named + key[1:] for key in keys]
        insert_rows(self._client, "look_ups", lines)
        return stored_keys(batch)

    def _add_up(self, windows: Collection[Window]) -> None:
        now = self._client.command("SELECT toString(now64(6, 'UTC'))")
        self._client.command(reaggregate(windows, str(now)))

    def _command(self, sql: str) -> None:
        self._client.command(sql)


class _Touched:
    """Windows, and the notes in `stale_windows` that are done once those are re-aggregated."""

    def __init__(self) -> None:
        self.windows: set[Window] = set()
        self.batches: set[str] = set()

    def add(self, other: _Touched) -> None:
        self.windows |= other.windows
        self.batches |= other.batches


def reaggregate_all(client: Client, run: str) -> None:
    """Every window of a run from its evidence, a quarter at a time, so that memory does not grow with the years: after
    a replay, and for the audit.

    Cost: reads all evidence of the run, about 7 s per million rows on two cores; then merges what it wrote, 1 s per
    million windows. Views that read a window's old versions beside the new ones take three times as long.
    """
    for (first,) in client.query(QUARTERS, parameters={"run": run}).result_rows:
        client.command(reaggregate_quarter(), parameters={"run": run, "first": first})
    merge_rows(client, "tie_windows")


def refresh_priors(client: Client, run: str) -> None:
    """The priors of a run from its publishable windows, of all periods and sites; priors without such windows go.

    Cost: reads the run's tie_windows. Call it after windows have changed, not more often than every few seconds.
    """
    group = ", ".join(PRIOR)
    computed = prior_sql(f"({PUBLISHABLE_TIES})", PRIOR)
    client.command(
        f"""
INSERT INTO priors ({group}, mu, tau2, phi, k, n_eff, version, is_deleted)
SELECT {group}, sum(mu), sum(tau2), sum(phi), sum(k), sum(n_eff), now64(6), sum(k) = 0
FROM
(
    SELECT {group}, mu, tau2, phi, k, n_eff FROM ({computed})
    UNION ALL
    SELECT {group}, 0., 0., 0., 0., 0. FROM priors FINAL WHERE run = {{run:String}}
)
GROUP BY {group}
SETTINGS join_use_nulls = 0""",
        parameters={"run": run},
        settings={"max_threads": 1},
    )


def _done(batches: set[str]) -> str:
    listed = ", ".join(f"'{batch}'" for batch in sorted(batches))
    return f"""
INSERT INTO stale_windows (batch, {WINDOW}, is_deleted)
SELECT batch, {WINDOW}, 1 FROM stale_windows FINAL WHERE batch IN ({listed})"""


def _entered(rows: Sequence[bytes]) -> dict[bytes, frozenset[Window]]:
    """Encoded key of each evidence row to the windows of its versions; a tombstone has none.

    Cost: 2 µs a row; 8 µs where the key is not plain ASCII.
    """
    entered: dict[bytes, frozenset[Window]] = {}
    places: dict[tuple[bytes, ...], tuple[bytes, frozenset[Window]]] = {}
    for raw in rows:
        try:
            key, windows = _placed(raw, places)
        except (KeyError, ValueError, TypeError):
            continue  # not an evidence row: the store refuses it
        held = entered.setdefault(key, windows)
        if held is not windows:
            entered[key] = held | windows
    return entered


def _placed(
    raw: bytes, places: dict[tuple[bytes, ...], tuple[bytes, frozenset[Window]]]
) -> tuple[bytes, frozenset[Window]]:
    """Key and windows of one row. Many rows lie in few windows: only the first in each month and window is parsed."""
    found = _CUTS.search(raw)
    if found is None:
        return _place(raw)
    half, rest, month, other_half = found.groups()
    place = half, month, other_half
    known = places.get(place)
    if known is None:
        key, windows = _place(raw)
        # The key without what differs from row to row, and without the brace behind it.
        known = places[place] = key[: -len(rest) - 1], windows
    start, windows = known
    return start + rest + b"}", windows


def _place(raw: bytes) -> tuple[bytes, frozenset[Window]]:
    row = from_json(raw, cache_strings="all")
    month = datetime.fromisoformat(row["at"]).astimezone(UTC).date().replace(day=1)
    key = _encoded(
        EvidenceKey(row["run"], row["process"], month, row["work_item"], row["episode_id"], row["rule"], row["part"])
    )
    if row["is_deleted"]:
        return key, frozenset()
    window = {field: row[field] for field in Window._fields} | {"period_start": _day(row["period_start"])}
    return key, frozenset({Window(**window)})


def _encoded(key: EvidenceKey) -> bytes:
    return to_json(key._asdict())


def _day(text: str) -> date:
    return date.fromisoformat(text)
