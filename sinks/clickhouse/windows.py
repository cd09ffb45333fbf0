"""Keeps tie_windows equal to the evidence: which windows a flush touches, and their re-aggregation after it.

A row whose new version lies in another window takes itself out of the old one. The old window is looked up before the
row is replaced and noted in `stale_windows`, so that a crash in between is repaired by `recover`; the new window needs
no note, as the rows of an uncommitted flush are read and written again.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from functools import partial

from clickhouse_connect.driver.client import Client
from pydantic_core import from_json, to_json

from sinks.clickhouse.estimate_sql import prior_sql
from sinks.clickhouse.insert import insert_rows
from sinks.clickhouse.publish_sql import PUBLISHABLE_TIES
from sinks.clickhouse.retry import Retry
from sinks.clickhouse.row_cuts import cuts
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
_ITEM, _EPISODE, _RULE, _PART, _AT = b',"work_item":"', b'","episode_id":"', b',"rule":"', b'","part":', b',"at":"'
_MARKS = (
    _ITEM,
    _EPISODE,
    b'","event_ids":[',
    b',"is_deleted":',
    _RULE,
    _PART,
    b',"communicator_role":',
    b',"communicator_actors":',
    b',"dimension":',
    _AT,
    b',"known_at":',
    b',"period":',
    b',"waited_s":',
)
"""Of an encoded `EvidenceRow`, around what says its key and its window."""
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

    @property
    def touched(self) -> int:
        """Windows that wait for `refresh`."""
        return len(self._ready.windows)

    async def before_insert(self, rows: Sequence[bytes]) -> Callable[[], None]:
        """Notes the windows that these encoded evidence rows enter and leave.

        Cost: a look-up by primary key, about 10 ms; one more insert, only when a row changes its window.
        """
        entered = _entered(rows)
        stored = await self._stored(list(entered)) if entered else []
        await self._note({window for window, key in stored if len(entered[key]) != 1 or window not in entered[key]})
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
                    await self._retry.call(lambda: self._command(_done(taken.batches)))
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
            statement = reaggregate(chunk)
            await self._retry.call(partial(self._command, statement))

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

    async def _stored(self, keys: list[EvidenceKey]) -> list[tuple[Window, EvidenceKey]]:
        source = named_keys(keys) if len(keys) <= _NAMED_KEYS else ""
        if not 0 < len(source) <= _NAMED_CHARACTERS:
            source = await self._put_down(keys)
        rows = await self._retry.call(lambda: self._client.query(windows_of(source)).result_rows)
        return [(Window(*row[:9]), EvidenceKey(row[0], row[1], *row[9:])) for row in rows]

    async def _put_down(self, keys: list[EvidenceKey]) -> str:
        batch = uuid.uuid4().hex
        # One call for all: an array without its brackets is rows with commas between them.
        lines = to_json([{"batch": batch, **key._asdict()} for key in keys])[1:-1]
        await self._retry.call(lambda: insert_rows(self._client, "look_ups", [lines]))
        return stored_keys(batch)

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


def _entered(rows: Sequence[bytes]) -> dict[EvidenceKey, frozenset[Window]]:
    """Key of each evidence row to the windows of its versions; a tombstone has none."""
    entered: dict[EvidenceKey, frozenset[Window]] = {}
    places: dict[tuple[bytes, ...], tuple[EvidenceKey, frozenset[Window]]] = {}
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
    raw: bytes, places: dict[tuple[bytes, ...], tuple[EvidenceKey, frozenset[Window]]]
) -> tuple[EvidenceKey, frozenset[Window]]:
    """Key and windows of one row. Many rows lie in few windows: only the first in each month and window is parsed."""
    found = cuts(raw, _MARKS)
    if found is None:
        return _place(raw)
    item, episode, refs, deleted, rule, part, roles, actors, dimension, at, known_at, period, waited = found
    if raw[known_at - 2 : known_at] != b'Z"':
        return _place(raw)  # its month may be another one in UTC
    month = raw[dimension : at + len(_AT) + len("2026-01")]
    place = raw[:item], raw[deleted:rule], raw[roles:actors], month, raw[period:waited]
    known = places.get(place)
    if known is None:
        known = places[place] = _place(raw)
        return known
    other, windows = known
    return EvidenceKey(
        other.run,
        other.process,
        other.month,
        raw[item + len(_ITEM) : episode].decode(),
        raw[episode + len(_EPISODE) : refs].decode(),
        raw[rule + len(_RULE) : part].decode(),
        int(raw[part + len(_PART) : roles]),
    ), windows


def _place(raw: bytes) -> tuple[EvidenceKey, frozenset[Window]]:
    row = from_json(raw, cache_strings="all")
    month = datetime.fromisoformat(row["at"]).astimezone(UTC).date().replace(day=1)
    key = EvidenceKey(row["run"], row["process"], month, row["work_item"], row["episode_id"], row["rule"], row["part"])
    if row["is_deleted"]:
        return key, frozenset()
    window = {field: row[field] for field in Window._fields} | {"period_start": _day(row["period_start"])}
    return key, frozenset({Window(**window)})


def _day(text: str) -> date:
    return date.fromisoformat(text)
