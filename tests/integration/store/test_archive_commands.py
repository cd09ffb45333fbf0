"""`tieline archive` and `tieline export` on a store, as scripts use them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client
from typer.testing import CliRunner

from deploy.cli.commands import app
from schemas.errors import ConfigError
from sinks.clickhouse.content_hash import content_hash
from sinks.clickhouse.settings import ClickHouseSettings
from tests.builders import T0, assigned
from tests.integration.store.arrivals import arrive

EVENTS = [assigned(minutes * 300, "nurse", subject=f"w{minutes % 3}", id=str(minutes)) for minutes in range(12)]


@pytest.fixture(autouse=True)
def named_by_environment(client: Client, migrated: ClickHouseSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIELINE_CLICKHOUSE_URL", f"http://{migrated.host}:{migrated.port}/{migrated.database}")
    monkeypatch.setenv("TIELINE_CLICKHOUSE_USER", migrated.user)
    monkeypatch.setenv("TIELINE_CLICKHOUSE_PASSWORD", migrated.password.get_secret_value())
    arrive(client, EVENTS, received_at=T0)


def run(*arguments: str) -> dict[str, Any]:
    result = CliRunner().invoke(app, [*arguments, "--json"], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    answer: dict[str, Any] = json.loads(result.stdout)
    return answer


def test_an_archive_goes_out_and_comes_back(client: Client, tmp_path: Path) -> None:
    folder = str(tmp_path / "kept")
    assert run("archive", "export", "--out", folder)["written"] == 3
    assert run("archive", "export", "--out", folder)["kept"] == 3
    before = content_hash(client)["events"]
    client.command("TRUNCATE TABLE events")
    assert run("archive", "import", folder) == {"events": 12, "added": 12, "known": 0, "left_out": {}}
    assert run("archive", "import", folder)["known"] == 12
    assert content_hash(client)["events"] == before


def test_a_period_of_a_process_is_chosen(tmp_path: Path) -> None:
    period = ["--from", "2026-01-06", "--to", "2026-01-07T00:00:00Z"]
    cut = run("archive", "export", "--out", str(tmp_path / "a"), *period, "--cut-items")
    assert cut["events"] == sum(event.time.day == 6 for event in EVENTS)
    assert run("archive", "export", "--out", str(tmp_path / "b"), *period)["events"] == len(EVENTS)
    assert run("archive", "export", "--out", str(tmp_path / "c"), "--process", "none")["events"] == 0


def test_an_object_centric_log_is_written(tmp_path: Path) -> None:
    found = run("export", "ocel", "--out", str(tmp_path / "events.json"))
    assert found == {"events": 12, "objects": 4, "conflicts": 0}


def test_people_are_told_what_was_done(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["archive", "export", "--out", str(tmp_path / "kept")], catch_exceptions=False)
    assert "12 events of 3 days" in result.output
    result = CliRunner().invoke(app, ["archive", "import", str(tmp_path / "kept")], catch_exceptions=False)
    assert "0 added, 12 already there" in result.output


def test_a_file_where_a_folder_should_be_is_told(tmp_path: Path) -> None:
    (tmp_path / "kept").touch()
    with pytest.raises(ConfigError, match="cannot be used as a folder"):
        CliRunner().invoke(app, ["archive", "export", "--out", str(tmp_path / "kept")], catch_exceptions=False)
    with pytest.raises(ConfigError, match="cannot be written"):
        CliRunner().invoke(app, ["export", "ocel", "--out", str(tmp_path / "no" / "x.json")], catch_exceptions=False)
