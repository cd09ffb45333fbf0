"""Archives, live runs and replays for tests; also run as a program, to be killed."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from clickhouse_connect.driver.client import Client

from deploy.cli.commands.replay import ended_by_sigterm
from deploy.composition.replay.archive import ArchiveSource
from deploy.composition.replay.replay import Effort, Replayed, replay
from deploy.composition.replay.request import Request
from deploy.policy_files import load_policy_book
from schemas.events import Event
from sinks.clickhouse.content_hash import combined_hash, run_contents
from sinks.clickhouse.insert import insert_rows
from sinks.clickhouse.records import event_row
from sinks.clickhouse.settings import ClickHouseSettings
from sinks.clickhouse.store import ClickHouseStore
from streams.inference.fold import WorkItemFold

ROOT = Path(__file__).parents[3]
POLICIES = ROOT / "deploy" / "policies"
BOOK = load_policy_book([POLICIES])
AS_OF = datetime(2026, 3, 10, tzinfo=UTC)
_NOW = datetime(2026, 3, 4, tzinfo=UTC)


class Unseen:
    """Nobody watches."""

    def stage(self, what: str, total: int | None = None) -> None:
        """Nothing is shown."""

    def passed(self, events: int) -> None:
        """Nothing is shown."""


def archive(client: Client, events: Iterable[Event]) -> None:
    """Put events into the archive, as they come."""
    insert_rows(client, "events", [event_row(event, received_at=_NOW) for event in events])


def stream(settings: ClickHouseSettings, events: Sequence[Event], as_of: datetime = AS_OF, step: int = 400) -> None:
    """Live as the apps do it, on a clock that stands still: a fold for each work item, its changes after each batch
    through the real sink, which re-aggregates the windows they touch."""
    asyncio.run(_stream(settings, iter(events), as_of, step))


async def _stream(settings: ClickHouseSettings, events: Iterator[Event], as_of: datetime, step: int) -> None:
    sink = ClickHouseStore(settings)
    await sink.open(_never)
    folds: dict[tuple[str, str], WorkItemFold] = {}
    while batch := list(islice(events, step)):
        for event in batch:
            key = (event.process, event.subject)
            folds.setdefault(key, WorkItemFold(*key, as_of)).add(event, as_of)
        changed = dict.fromkeys((event.process, event.subject) for event in batch)
        for key in changed:
            for row in folds[key].changes(BOOK, as_of):
                await sink.add(row.table, [row.model_dump_json().encode()])
        await sink.declare(BOOK, {process for process, _ in changed})
        await sink.flush()
    await sink.refresh_priors()
    await sink.close()


async def _never(table: str, row: bytes, code: str) -> None:
    raise AssertionError(f"{table} refused a row: {code}")


def replayed(
    settings: ClickHouseSettings,
    run: str,
    *,
    chunk_events: int = 50_000,
    resume: bool = False,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    **fields: Any,
) -> Replayed:
    """A replay of the archive as of `AS_OF`; `fields` are those of `Request` and `Effort`."""
    effort = {name: fields.pop(name) for name in ("workers", "max_rate", "flush_rows") if name in fields}
    request = Request(run, **{"as_of": AS_OF, "policies": BOOK, **fields})
    source = ArchiveSource(settings, chunk_events=chunk_events)
    return replay(settings, request, source, Effort(**effort), Unseen(), resume, now)


def live_hash(client: Client, process: str = "") -> str:
    """What live says, as one number."""
    return combined_hash(run_contents(client, "live", process))


def main() -> None:
    """`replaying.py RUN CHUNK_EVENTS MAX_RATE WORKERS`; the account as JSON on standard input."""
    run, chunk_events, rate, workers = sys.argv[1:]
    settings = ClickHouseSettings.model_validate(json.load(sys.stdin))
    effort: dict[str, Any] = {"max_rate": float(rate), "workers": int(workers), "flush_rows": 50}
    with ended_by_sigterm():
        replayed(settings, run, chunk_events=int(chunk_events), **effort)


if __name__ == "__main__":
    main()
