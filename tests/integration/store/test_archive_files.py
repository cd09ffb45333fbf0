"""The archive as files and back: the same events, the same bytes; nothing that is not exactly what was written."""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from clickhouse_connect.driver.client import Client

from deploy.composition.archive_export import UNFINISHED, Exported, export_archive
from deploy.composition.archive_import import Imported, import_archive
from deploy.composition.archive_ocel import export_ocel
from schemas.errors import ConfigError
from schemas.events import Event
from sinks.clickhouse.archive_days import Selection
from sinks.clickhouse.content_hash import content_hash
from sinks.clickhouse.queries.work_items import items_ahead_of_state
from streams.event_files import FileReport
from streams.event_files.event_file import FileEvent
from streams.event_files.manifest import MANIFEST
from streams.event_files.ocel_file import OwnOcelFile
from tests.builders import T0, assigned, at, event, offered, raised
from tests.integration.store.arrivals import arrive
from tests.unit.event_files.ocel_log import check
from tests.unit.event_files.written import by_item, items_of

DAY = 24 * 60
NOW = datetime(2027, 1, 1, tzinfo=UTC)
EVENTS: list[Event] = [
    *(
        assigned(day * DAY + hour, "nurse", subject=f"w{hour}", id=f"{day}/{hour}")
        for day in range(4)
        for hour in range(9)
    ),
    offered(5, elements={"allergies": True, "Ärzte": False}, due_at=at(99), subject="w1"),
    raised(DAY + 7, "pr1", "nurse", ["ward", "lab"], subject="w2", process="q"),
    event("work_item.closed", DAY - 0.00001, subject="w3", id="last µs of the day"),
    event("survey.scored", 50, subject="s1", rater_role="a", rated_role="b", dimension="accuracy", mean=4.1, n=7),
    event(
        "intervention.started",
        20,
        subject="huddle",
        name="Huddle",
        kind="process",
        hypothesis="fewer questions",
        owner_role="nurse",
        expected_loss=0.1,
    ),
]


def whole(client: Client, folder: Path, **selected: object) -> Exported:
    return export_archive(client, folder, Selection(**selected))  # type: ignore[arg-type]


def back(client: Client, folder: Path, report: FileReport | None = None) -> Imported:
    return import_archive(client, folder, NOW, report or FileReport())


def forget(client: Client) -> None:
    """A fresh store, as far as events go."""
    for table in ("events", "interventions", "surveys", "source_hours", "role_months"):
        client.command(f"TRUNCATE TABLE {table}")


def files_of(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def filled(client: Client) -> Client:
    arrive(client, EVENTS, received_at=NOW)
    return client


def test_what_is_exported_and_imported_into_a_fresh_store_is_the_same(filled: Client, tmp_path: Path) -> None:
    exported = whole(filled, tmp_path / "out")
    before = content_hash(filled)["events"]
    views = "SELECT count(), min(mean) FROM surveys", "SELECT name, hypothesis, expected_loss FROM interventions"
    shown = [filled.query(sql).result_rows for sql in views]
    assert exported.manifest.rows == before.rows == len(EVENTS)
    forget(filled)
    imported = back(filled, tmp_path / "out")
    assert (imported.added, imported.known) == (len(EVENTS), 0)
    assert content_hash(filled)["events"] == before
    assert [filled.query(sql).result_rows for sql in views] == shown


def test_importing_again_adds_nothing(filled: Client, tmp_path: Path) -> None:
    whole(filled, tmp_path / "out")
    stored = filled.query("SELECT count() FROM events").result_rows
    imported = back(filled, tmp_path / "out")
    assert (imported.added, imported.known, imported.days_known) == (0, len(EVENTS), 4)
    arrive(filled, [assigned(3, "lab", subject="new", id="new")], received_at=NOW)
    imported = back(filled, tmp_path / "out")
    assert (imported.added, imported.known, imported.days_known) == (0, len(EVENTS), 3)
    assert filled.query("SELECT count() - 1 FROM events").result_rows == stored


def test_equal_events_give_equal_files_whatever_way_they_came(filled: Client, tmp_path: Path) -> None:
    whole(filled, tmp_path / "a")
    forget(filled)
    for start in (1, 0):
        arrive(filled, EVENTS[::-1][start::2], received_at=T0, topic="tieline.late")
    arrive(filled, EVENTS[:7], received_at=NOW)
    whole(filled, tmp_path / "b")
    assert files_of(tmp_path / "a") == files_of(tmp_path / "b")
    assert len(files_of(tmp_path / "a")) == 5


def test_an_export_is_a_source_of_a_replay(filled: Client, tmp_path: Path) -> None:
    whole(filled, tmp_path / "out")
    folded = [each for each in EVENTS if not each.type.startswith(("tieline.survey.", "tieline.intervention."))]
    report = FileReport()
    assert items_of([tmp_path / "out"], report=report) == by_item(folded)
    assert (report.events, report.not_folded, report.left_out) == (len(folded), 2, 0)


def test_a_period_takes_whole_items_or_is_cut_as_asked(filled: Client, tmp_path: Path) -> None:
    period = {"from_at": at(2 * DAY), "to_at": at(2 * DAY + 3)}
    cut = whole(filled, tmp_path / "cut", **period, whole_items=False)
    assert [file.path[4:14] for file in cut.manifest.files] == ["2026-01-07"]
    assert cut.manifest.rows == 3
    kept = whole(filled, tmp_path / "whole", **period)
    for name, hints in (("cut", 1), ("whole", 0)):
        report = FileReport()
        items_of([tmp_path / name], report=report)
        assert len(report.hints) == hints
    w0_w1_w2 = sum(each.subject in ("w0", "w1", "w2") and each.process == "p" for each in EVENTS)
    assert kept.manifest.rows == w0_w1_w2 + 1  # the intervention had begun
    assert whole(filled, tmp_path / "q", processes=("q",)).manifest.rows == 1


def test_exporting_again_writes_only_days_that_changed(filled: Client, tmp_path: Path) -> None:
    whole(filled, tmp_path / "out")
    assert (whole(filled, tmp_path / "out").written, whole(filled, tmp_path / "out").kept) == (0, 4)
    arrive(filled, [assigned(DAY + 2, "lab", subject="new", id="new")], received_at=NOW)
    again = whole(filled, tmp_path / "out")
    assert (again.written, again.kept) == (1, 3)
    whole(filled, tmp_path / "fresh")
    assert files_of(tmp_path / "out") == files_of(tmp_path / "fresh")


def test_an_export_that_was_cut_short_goes_on(filled: Client, tmp_path: Path) -> None:
    class CutShortError(Exception):
        pass

    def cut(rows: int, total: int) -> None:
        if rows > 20:
            raise CutShortError

    with pytest.raises(CutShortError):
        export_archive(filled, tmp_path / "out", Selection(), cut)
    assert not (tmp_path / "out" / MANIFEST).exists()
    with pytest.raises(ConfigError, match=r"manifest\.json is missing"):
        back(filled, tmp_path / "out")
    torn = (tmp_path / "out" / UNFINISHED).read_text()
    (tmp_path / "out" / UNFINISHED).write_text(torn + torn[: len(torn) // 3])
    done = whole(filled, tmp_path / "out")
    assert done.kept > 0
    whole(filled, tmp_path / "fresh")
    assert files_of(tmp_path / "out") == files_of(tmp_path / "fresh")


def test_an_export_loses_nothing_that_a_folder_holds(filled: Client, tmp_path: Path) -> None:
    whole(filled, tmp_path / "out")
    with pytest.raises(ConfigError, match="other events"):
        whole(filled, tmp_path / "out", processes=("q",))
    forget(filled)
    with pytest.raises(ConfigError, match="holds more than the store"):
        whole(filled, tmp_path / "out")
    (tmp_path / "papers").mkdir()
    (tmp_path / "papers" / "thesis.tex").touch()
    with pytest.raises(ConfigError, match="holds something else"):
        whole(filled, tmp_path / "papers")


def _manifest(folder: Path, change: Callable[[dict[str, object]], None]) -> None:
    manifest = json.loads((folder / MANIFEST).read_text())
    change(manifest)
    (folder / MANIFEST).write_text(json.dumps(manifest))


def _path(folder: Path, path: str) -> None:
    def change(manifest: dict[str, object]) -> None:
        manifest["files"][0]["path"] = path  # type: ignore[index]

    _manifest(folder, change)


def _flip(folder: Path) -> None:
    path = sorted(folder.glob("day=*/*"))[1]
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def _link(folder: Path) -> None:
    path = sorted(folder.glob("day=*/*"))[1]
    path.rename(folder.parent / "elsewhere")
    path.symlink_to(folder.parent / "elsewhere")


def _link_folder(folder: Path) -> None:
    path = min(folder.glob("day=*"))
    path.rename(folder.parent / "elsewhere")
    path.symlink_to(folder.parent / "elsewhere")


def _pipe(folder: Path) -> None:
    (folder / MANIFEST).unlink()
    os.mkfifo(folder / MANIFEST)


TAMPERED: dict[str, tuple[Callable[[Path], object], str]] = {
    "a bit": (_flip, "not as it was written"),
    "a missing file": (lambda folder: min(folder.glob("day=*/*")).unlink(), "is missing"),
    "an extra file": (lambda folder: (folder / "day=2026-01-05" / "more.parquet").touch(), "not in the manifest"),
    "a hidden file": (lambda folder: (folder / ".more").touch(), "not in the manifest"),
    "a link": (_link, "in the folder and not in the manifest|plain file"),
    "a linked folder": (_link_folder, "not in the manifest|plain folder"),
    "a path out of it": (lambda folder: _path(folder, "../day=2026-01-05/events.parquet"), "not a manifest"),
    "an absolute path": (lambda folder: _path(folder, "/etc/passwd"), "not a manifest"),
    "no such day": (lambda folder: _path(folder, "day=2026-13-05/events.parquet"), "does not exist"),
    "a path twice": (lambda folder: _path(folder, "day=2026-01-06/events.parquet"), "twice"),
    "rows": (lambda folder: _manifest(folder, lambda found: found.update(rows=1)), "do not add up"),
    "another version": (lambda folder: _manifest(folder, lambda found: found.update(version=2)), "at version"),
    "a new field": (lambda folder: _manifest(folder, lambda found: found.update(note="x")), "not a manifest"),
    "no manifest": (lambda folder: (folder / MANIFEST).unlink(), "is missing"),
    "a pipe": (_pipe, "not a plain file"),
}


@pytest.mark.parametrize("how", TAMPERED)
def test_a_folder_that_is_not_as_it_was_written_is_refused_before_anything_is_written(
    filled: Client, tmp_path: Path, how: str
) -> None:
    change, said = TAMPERED[how]
    whole(filled, tmp_path / "out")
    forget(filled)
    change(tmp_path / "out")
    with pytest.raises(ConfigError, match=said):
        back(filled, tmp_path / "out")
    assert filled.query("SELECT count() FROM events").result_rows == [(0,)]


def test_rows_that_are_no_events_are_left_out_and_told(filled: Client, tmp_path: Path) -> None:
    """A folder that somebody made on purpose, its checksums right."""
    from tests.unit.event_files.parquet_rows import parquet

    good = assigned(1, "nurse", id="good").canonical()
    ahead = assigned(2, "nurse", id="ahead").canonical()
    rows = [b"Jane Doe", good, good.replace(b",", b", "), assigned(DAY + 9, "nurse").canonical(), ahead]
    folder = tmp_path / "out"
    path = parquet(folder / "day=2026-01-05" / "events.parquet", rows)
    entry = {
        "path": "day=2026-01-05/events.parquet",
        "rows": len(rows),
        "bytes": path.stat().st_size,
        "sha256": sha256(path.read_bytes()).hexdigest(),
        "content": "0" * 32,
        "types": {},
    }
    period: dict[str, object] = {"from_at": None, "to_at": None, "whole_items": True, "processes": []}
    (folder / MANIFEST).write_text(json.dumps({**period, "method_version": "1", "rows": len(rows), "files": [entry]}))
    forget(filled)
    report = FileReport()
    imported = import_archive(filled, folder, at(1) - timedelta(hours=1), report)
    assert imported.added == 1
    assert [(each.where, each.code) for each in report.first] == [
        ("row 1", "not_json"),
        ("row 3", "not_canonical"),
        ("row 4, time", "wrong_day"),
        ("row 5, time", "future"),
    ]
    assert filled.query("SELECT id FROM events").result_rows == [("good",)]


def test_an_imported_archive_does_not_become_live_at_the_next_start(filled: Client, tmp_path: Path) -> None:
    ahead = items_ahead_of_state(filled)
    assert ahead
    whole(filled, tmp_path / "out")
    back(filled, tmp_path / "out")
    assert items_ahead_of_state(filled) == ahead
    forget(filled)
    back(filled, tmp_path / "out")
    assert items_ahead_of_state(filled) == []


def test_the_archive_as_an_object_centric_log_is_valid_and_comes_back(filled: Client, tmp_path: Path) -> None:
    arrive(filled, EVENTS[:5], received_at=T0)  # not merged yet
    out = tmp_path / "events.json"
    counts = export_ocel(filled, out, Selection(), with_actors=True)
    log = json.loads(out.read_bytes())
    check(log)
    assert (counts.events, counts.objects, counts.conflicts) == (len(EVENTS), len(log["objects"]), 0)
    assert sorted(each.payload for each in OwnOcelFile(out) if isinstance(each, FileEvent)) == sorted(
        each.canonical() for each in EVENTS
    )
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["events.json"]
    export_ocel(filled, tmp_path / "again.json", Selection(), with_actors=True)
    assert (tmp_path / "again.json").read_bytes() == out.read_bytes()


def test_no_actor_is_in_an_object_centric_log_that_was_not_asked_for_them(filled: Client, tmp_path: Path) -> None:
    export_ocel(filled, tmp_path / "events.json", Selection())
    text = (tmp_path / "events.json").read_text()
    check(json.loads(text))
    assert not re.search(r"[a-z0-9_-]+:[0-9a-f]{32}", text)


def test_of_two_contents_of_an_event_the_one_that_counts_is_in_an_object_centric_log(
    client: Client, tmp_path: Path
) -> None:
    one, other = assigned(1, "nurse", id="1"), assigned(1, "ward", id="1")
    arrive(client, [other, one], received_at=T0)
    counts = export_ocel(client, tmp_path / "events.json", Selection(), with_actors=True)
    assert (counts.events, counts.conflicts) == (1, 1)
    (found,) = OwnOcelFile(tmp_path / "events.json")
    assert isinstance(found, FileEvent)
    assert found.payload == min(one.canonical(), other.canonical())


def test_an_empty_selection_is_an_empty_log_and_an_empty_export(client: Client, tmp_path: Path) -> None:
    assert export_ocel(client, tmp_path / "events.json", Selection()).events == 0
    check(json.loads((tmp_path / "events.json").read_bytes()))
    assert whole(client, tmp_path / "out").manifest.rows == 0
    assert back(client, tmp_path / "out").added == 0
