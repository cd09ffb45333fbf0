"""Finished events: checked, made canonical, passed on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from schemas.errors import ConfigError
from schemas.vocabulary import EARLIEST
from streams.gateway.log_import import LogImport
from tests.builders import event, raw_event
from tests.unit.log_import.logs import Outcome, mapping, run, written


def imported(folder: Path, *lines: str | bytes, name: str = "events.ndjson") -> Outcome:
    raw = b"\n".join(line.encode() if isinstance(line, str) else line for line in lines)
    return run(LogImport(written(folder, raw, name), None))


def line(verb: str, minutes: float = 0, **fields: Any) -> str:
    return json.dumps(raw_event(verb, minutes, **fields))


@pytest.mark.parametrize("name", ["events.ndjson", "events.jsonl.gz"])
def test_events_become_canonical(tmp_path: Path, name: str) -> None:
    out = imported(
        tmp_path,
        b"\xef\xbb\xbf" + line("work_item.assigned", role="A").encode(),
        line("problem.raised", 1, subject="w2", problem_id="p", role="A", to_roles=["B"]),
        name=name,
    )
    assert [one.value for one in out.events] == [
        event("work_item.assigned", 0, role="A").canonical(),
        event("problem.raised", 1, subject="w2", problem_id="p", role="A", to_roles=["B"]).canonical(),
    ]
    assert [one.key for one in out.events] == [b"p/w1", b"p/w2"]
    assert (out.log.counts.work_items, out.log.counts.log_events) == (2, 2)


def test_line_that_is_no_event_is_skipped_with_code_and_field(tmp_path: Path) -> None:
    out = imported(
        tmp_path,
        "{",
        "",
        line("work_item.assigned"),
        line("work_item.assigned", role="A", nickname="Zebedee"),
        '{"type": "other"}',
        "[" * 100_000,
        "x" * 600_000,
        b"\xff\xfe",
        line("work_item.assigned", role="A"),
    )
    assert out.skipped == [
        ("not_json", "line 1"),
        ("missing_field", "line 3, data.role"),
        ("unknown_field", "line 4, data.?"),
        ("unknown_type", "line 5, type"),
        ("not_json", "line 6"),
        ("too_large", "line 7"),
        ("not_json", "line 8"),
    ]
    assert len(out.events) == 1


def test_mapping_and_process_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path, "", "events.ndjson")
    with pytest.raises(ConfigError, match="no mapping"):
        LogImport(path, mapping())
    with pytest.raises(ConfigError, match="no other process"):
        LogImport(path, None, process="p")


def test_range_covers_the_events(tmp_path: Path) -> None:
    early = json.dumps({**raw_event("work_item.opened", 0), "time": "1970-01-01T01:00:00+01:00"})
    counts = imported(tmp_path, line("work_item.opened", 5), early).log.counts
    assert counts.first_at == EARLIEST
    assert counts.last_at == event("work_item.opened", 5).time
