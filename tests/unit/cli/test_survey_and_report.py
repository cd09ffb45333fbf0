"""`tieline survey` and `tieline report`: help, wrong usage and what is missing, each in one line."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from deploy.cli import main
from deploy.cli.commands import app

COMMANDS = [["survey"], ["survey", "import"], ["survey", "list"], ["survey", "calibration"], ["report"]]


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("TIELINE_BROKER", "TIELINE_CLICKHOUSE_URL", "TIELINE_POLICIES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TIELINE_DATA", str(tmp_path / "nothing-here"))


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr("sys.argv", ["tieline", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_has_help(command: list[str]) -> None:
    result = CliRunner().invoke(app, [*command, "--help"])
    assert result.exit_code == 0
    assert "Usage:" in result.output


def test_help_draws_nothing_and_so_loads_no_library_for_it() -> None:
    code = "import sys; import deploy.cli; sys.exit(bool({'matplotlib', 'numpy', 'jinja2'} & sys.modules.keys()))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_time_that_ends_before_it_begins_is_wrong_usage(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(monkeypatch, "report", "--from", "2026-02-01", "--to", "2026-01-01", "--out", "r.html") == 2
    assert run(monkeypatch, "report", "--from", "soon", "--out", "r.html") == 2


def test_a_page_that_is_there_is_refused_before_anything_is_asked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "r.html").write_text("mine")
    assert run(monkeypatch, "report", "--from", "90d", "--out", str(tmp_path / "r.html")) == 78
    assert "--force" in capsys.readouterr().err


@pytest.mark.parametrize("command", [["survey", "list"], ["survey", "calibration"], ["report", "--from", "9d"]])
def test_a_folder_without_a_store_is_a_mistake_of_settings(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    more = ["--out", str(tmp_path / "r.html")] if command[0] == "report" else []
    assert run(monkeypatch, *command, *more) == 78
    assert "it has no store" in capsys.readouterr().err
    assert not (tmp_path / "r.html").exists()


def test_an_import_needs_something_that_runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "s.csv"
    file.write_text("rater_role,rated_role,dimension,mean,n\na,b,timeliness,4,9\n")
    asked = ("--process", "p", "--survey", "s", "--at", "2026-03-01", "--yes")
    assert run(monkeypatch, "survey", "import", str(file), *asked) == 78
