"""Logs of other systems as what a replay reads from: the same events that an import sends."""

from __future__ import annotations

from pathlib import Path

import pytest

from schemas.topics import split_key
from streams.event_files import FileReport, Meaning
from streams.gateway.log_import import LogImport, Mapped, read_mapping
from tests.unit.event_files.written import Items, items_of
from tests.unit.log_import.logs import KEY

MAPPINGS = Path(__file__).parents[3] / "deploy" / "mappings"


def imported(path: Path, meaning: Meaning) -> Items:
    """What `tieline import` sends, by work item."""
    found: Items = {}
    for each in LogImport(path, meaning.mapping, meaning.process, meaning.actor_key):
        if isinstance(each, Mapped):
            found.setdefault(split_key(each.key), []).append(each.value)
    return {key: sorted(payloads) for key, payloads in found.items()}


@pytest.mark.shared
def test_an_xes_log_gives_the_events_that_its_import_sends(shared_data: Path) -> None:
    path = shared_data / "data" / "bpic2013_closed_problems.xes.gz"
    meaning = Meaning(read_mapping(MAPPINGS / "volvo-problems.yaml"), None, KEY)
    report = FileReport()
    assert items_of([path], meaning, report) == imported(path, meaning)
    assert report.events > 6_000
    assert not report.unreadable


def test_a_csv_log_gives_the_events_that_its_import_sends(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("ticket,at,team,status,who\nT-1,2026-01-05T08:00:00Z,a,Work,Jane\nT-1,soon,b,Work,Jane\n")
    text = "process: p\nrole: team\nwork_item: ticket\ntime: at\nactor: who\notherwise: working\n"
    (tmp_path / "mapping.yaml").write_text(text)
    meaning = Meaning(read_mapping(tmp_path / "mapping.yaml"), "other", KEY)
    report = FileReport()
    found = items_of([path], meaning, report)
    assert found == imported(path, meaning)
    assert [*found] == [("other", "T-1")]
    assert [(each.where, each.code) for each in report.first] == [("line 3", "bad_time")]
    assert b"Jane" not in b"".join(found["other", "T-1"])
