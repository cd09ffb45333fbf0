"""`tieline dead-letters`: how times and places are written."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from deploy.cli.commands.dead_letters import app, instant
from schemas.errors import ConfigError
from sinks.clickhouse.queries.dead_letters import Wanted

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("90m", NOW - timedelta(minutes=90)),
        ("2h", NOW - timedelta(hours=2)),
        ("7d", NOW - timedelta(days=7)),
        ("2026-03-01", datetime(2026, 3, 1, tzinfo=UTC)),
        ("2026-03-01T08:00:00+01:00", datetime(2026, 3, 1, 7, tzinfo=UTC)),
        ("2026-03-01T08:00:00Z", datetime(2026, 3, 1, 8, tzinfo=UTC)),
    ],
)
def test_a_time_is_written_out_or_so_long_ago(text: str, expected: datetime) -> None:
    assert instant(text, NOW) == expected


@pytest.mark.parametrize("text", ["", "2", "2w", "-2h", "999999d9", "2026-03-01T08:00:00", "yesterday", "999999d"])
def test_what_is_no_time_is_refused_with_examples(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="so long ago: 90m"):
        instant(text, NOW)


def test_only_what_is_asked_for_is_a_condition() -> None:
    assert Wanted().conditions() == ("true", {})
    where, parameters = Wanted(reasons=("a", "b"), since=NOW).conditions()
    assert where == "code IN {reasons:Array(String)} AND at >= {since:DateTime64(6, 'UTC')}"
    assert parameters == {"reasons": ["a", "b"], "since": NOW}


def test_a_retry_needs_the_key_and_makes_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIELINE_DATA", str(tmp_path))
    done = CliRunner().invoke(app, ["retry"])
    assert isinstance(done.exception, ConfigError)
    assert "no actor key file" in str(done.exception)
    assert not (tmp_path / "actor.key").exists()
