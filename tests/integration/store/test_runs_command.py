"""`tieline runs` on a store: what it says, what it refuses, and its exit codes."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from clickhouse_connect.driver.client import Client

from deploy.cli import main
from sinks.clickhouse.promotions import list_promotions
from sinks.clickhouse.runs import LIVE, find_run, write_run
from sinks.clickhouse.settings import URL_ENV, ClickHouseSettings
from tests.integration.store.test_promotions import RUN, load
from tests.integration.store.test_run_diff import crowd
from tests.integration.store.test_runs import run_record

PROMOTE = ("runs", "promote", RUN, "--process", "ed-to-ward", "--from", "2026-01-01", "--to", "2026-02-01")


@pytest.fixture(autouse=True)
def two_runs(migrated: ClickHouseSettings, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    password = migrated.password.get_secret_value()
    url = f"http://{migrated.user}:{password}@{migrated.host}:{migrated.port}/{migrated.database}"
    monkeypatch.setenv(URL_ENV, url)
    monkeypatch.setenv("COLUMNS", "300")
    load(client, LIVE, crowd(), [])
    load(client, RUN, crowd()[1:], [])
    write_run(client, run_record(LIVE, status="running", policy="[]"))
    write_run(
        client, run_record(RUN, policy="[]", source="archive", events=1234, work_items=20, content_hash="ab" * 32)
    )


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr("sys.argv", ["tieline", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


def test_a_list_names_every_run_and_where_it_is_shown_as_live(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, *PROMOTE) == 0
    capsys.readouterr()
    assert run(monkeypatch, "runs", "list", "--json") == 0
    live, replay = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (live["run"], replay["run"]) == (LIVE, RUN)
    assert replay["events"] == 1234
    assert replay["promoted"] == [{"process": "ed-to-ward", "first": "2026-01-01", "after": "2026-02-01"}]
    assert run(monkeypatch, "runs", "list") == 0
    assert "abababababab" in capsys.readouterr().out


def test_rows_that_are_not_those_a_run_finished_with_are_found_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "runs", "show", RUN) == 0
    assert run(monkeypatch, "runs", "show", RUN, "--content") == 1
    said = capsys.readouterr()
    assert "evidence" in said.out
    assert "not those that it finished with" in said.err


def test_a_promoted_run_is_not_deleted_before_that_is_undone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], client: Client
) -> None:
    assert run(monkeypatch, *PROMOTE) == 0
    assert run(monkeypatch, "runs", "delete", RUN, "--yes") == 1
    assert "--undo" in capsys.readouterr().err
    assert run(monkeypatch, "runs", "promote", RUN, "--undo") == 0
    assert list_promotions(client) == []
    assert run(monkeypatch, "runs", "promote", RUN, "--undo") == 1
    assert run(monkeypatch, "runs", "delete", RUN, "--yes") == 0
    assert find_run(client, RUN) is None
    assert run(monkeypatch, "runs", "delete", RUN, "--yes") == 1


def test_live_and_what_is_being_made_are_not_deleted_but_what_was_killed_is(
    monkeypatch: pytest.MonkeyPatch, client: Client
) -> None:
    assert run(monkeypatch, "runs", "delete", LIVE, "--yes") == 1
    write_run(client, run_record("busy", status="running"))
    assert run(monkeypatch, "runs", "delete", "busy", "--yes") == 1
    assert find_run(client, "busy") is not None
    client.command(
        "INSERT INTO runs (run, kind, status, method_version, started_at, written_at)"
        " VALUES ('killed', 'replay', 'running', '1', now64(6), now64(6) - INTERVAL 1 MINUTE)"
    )
    assert run(monkeypatch, "runs", "delete", "killed", "--yes") == 0
    assert find_run(client, "killed") is None


def test_nothing_is_deleted_without_a_yes(monkeypatch: pytest.MonkeyPatch, client: Client) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    assert run(monkeypatch, "runs", "delete", RUN) == 1
    assert find_run(client, RUN) is not None


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--process", "ed-to-ward"), 2),
        (("--process", "ed-to-ward", "--from", "January", "--to", "2026-02-01"), 2),
        (("--process", "ed-to-ward", "--from", "2026-01-05", "--to", "2026-02-01"), 1),
    ],
)
def test_a_promotion_that_is_wrong_is_refused(
    monkeypatch: pytest.MonkeyPatch, client: Client, arguments: tuple[str, ...], code: int
) -> None:
    assert run(monkeypatch, "runs", "promote", RUN, *arguments) == code
    assert list_promotions(client) == []


def test_a_diff_is_written_as_table_csv_and_page(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert run(monkeypatch, "runs", "diff", LIVE, RUN) == 0
    assert "nurse → bed-manager" in capsys.readouterr().out
    assert run(monkeypatch, "runs", "diff", LIVE, RUN, "--format", "csv") == 0
    (row,) = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert (row["status"], row["rows_only_a"], row["n_a"], row["n_b"]) == ("changed", "1", "20", "19")
    page = tmp_path / "diff.html"
    assert run(monkeypatch, "runs", "diff", LIVE, RUN, "--format", "html", "--out", str(page)) == 0
    assert "bed-manager" in page.read_text()
    assert run(monkeypatch, "runs", "diff", LIVE, "other") == 1
    assert run(monkeypatch, "runs", "diff", LIVE, RUN, "--out", str(tmp_path / "no" / "such")) == 2
