"""A replay of files says what a replay of the archive says that they came from."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import zstandard
from clickhouse_connect.driver.client import Client

from deploy.composition.archive_export import export_archive
from deploy.composition.archive_import import import_archive
from deploy.composition.archive_ocel import export_ocel
from deploy.composition.replay.replay import Effort, Replayed, replay
from deploy.composition.replay.request import Request
from schemas.events import Event
from sinks.clickhouse.archive_days import Selection
from sinks.clickhouse.settings import ClickHouseSettings
from streams.event_files import FileReport, open_event_files
from tests.integration.replay.replaying import AS_OF, BOOK, Unseen, archive, replayed


def of_files(settings: ClickHouseSettings, run: str, path: Path) -> Replayed:
    report = FileReport()
    with open_event_files([path], report=report) as source:
        request = Request(run, as_of=AS_OF, policies=BOOK)
        found = replay(settings, request, source, Effort(1), Unseen())
    assert (report.left_out, report.unreadable) == (0, [])
    return found


def packed(path: Path, events: list[Event]) -> Path:
    path.write_bytes(zstandard.compress(b"\n".join(event.canonical() for event in events)))
    return path


def test_files_say_what_the_archive_says(
    settings: ClickHouseSettings, client: Client, week: list[Event], tmp_path: Path
) -> None:
    week = week[:900]
    archive(client, week)
    expected = replayed(settings, "archive").record
    export_archive(client, tmp_path / "kept", Selection())
    export_ocel(client, tmp_path / "week.json", Selection(), with_actors=True)
    dice = random.Random(4)
    shuffled = packed(tmp_path / "week.ndjson.zst", dice.sample(week, len(week)) + dice.sample(week, 400))
    client.command("TRUNCATE TABLE events")
    for run, path in (("parquet", tmp_path / "kept"), ("ocel", tmp_path / "week.json"), ("shuffled", shuffled)):
        record = of_files(settings, run, path).record
        assert record.content_hash == expected.content_hash
        assert (record.events, record.work_items) == (expected.events, expected.work_items)
        assert record.source.startswith(path.name)


def test_a_period_that_was_kept_is_replayed_elsewhere_as_it_was_here(
    settings: ClickHouseSettings, client: Client, week: list[Event], tmp_path: Path
) -> None:
    week = week[:1_500]
    archive(client, week)
    period: dict[str, Any] = {"from_at": week[len(week) // 3].time, "to_at": week[len(week) // 2].time}
    here = replayed(settings, "here", **period)
    export_archive(client, tmp_path / "kept", Selection((), **period))
    client.command("TRUNCATE TABLE events")
    imported = import_archive(client, tmp_path / "kept", AS_OF, FileReport())
    assert 0 < imported.added < len(week)
    elsewhere = replayed(settings, "elsewhere", **period)
    assert elsewhere.record.content_hash == here.record.content_hash
    assert here.contents["evidence"].rows > 100
