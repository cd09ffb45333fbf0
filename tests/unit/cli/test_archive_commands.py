"""`tieline archive` and `tieline export`: help everywhere, and mistakes told in one line."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from deploy.cli import main
from deploy.cli.commands import app

COMMANDS = [
    ["archive"],
    ["archive", "backfill"],
    ["archive", "export"],
    ["archive", "import"],
    ["export"],
    ["export", "ocel"],
]


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("TIELINE_BROKER", "TIELINE_CLICKHOUSE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TIELINE_DATA", str(tmp_path / "nothing-here"))


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_has_help(command: list[str]) -> None:
    result = CliRunner().invoke(app, [*command, "--help"])
    assert result.exit_code == 0
    assert "Usage:" in result.output


@pytest.mark.parametrize(
    "command",
    [
        ["archive", "backfill"],
        ["archive", "export", "--out", "x"],
        ["archive", "import", "."],
        ["export", "ocel", "--out", "x"],
    ],
    ids=" ".join,
)
def test_without_a_store_it_is_a_configuration_error(monkeypatch: pytest.MonkeyPatch, command: list[str]) -> None:
    monkeypatch.setattr("sys.argv", ["tieline", *command])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 78


@pytest.mark.parametrize("period", [["--from", "soon"], ["--from", "2026-02-01", "--to", "2026-01-01"]])
def test_a_period_that_is_none_is_wrong_usage(period: list[str]) -> None:
    result = CliRunner().invoke(app, ["export", "ocel", "--out", "x", *period])
    assert result.exit_code == 2
