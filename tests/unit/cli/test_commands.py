"""The command line: help everywhere, errors in one line, exit codes that scripts can use."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from deploy.cli import main
from deploy.cli.commands import app
from tests.builders import assigned

COMMANDS = [
    [],
    ["demo"],
    ["up"],
    ["import"],
    ["board"],
    ["status"],
    ["sql"],
    ["migrate"],
    ["worker"],
    ["worker", "infer"],
    ["worker", "sink"],
    ["worker", "signals"],
    ["signals"],
    ["signals", "list"],
    ["signals", "try-webhook"],
    ["topics"],
    ["topics", "create"],
    ["topics", "describe"],
    ["schema"],
    ["schema", "export"],
    ["config"],
    ["config", "check"],
    ["dashboards"],
    ["dashboards", "push"],
    ["dashboards", "export"],
    ["dashboards", "list"],
    ["gateway"],
    ["mllp"],
    ["rights"],
    ["rights", "print"],
    ["rights", "apply"],
    ["tokens"],
    ["tokens", "create"],
    ["tokens", "list"],
    ["tokens", "revoke"],
    ["keys"],
    ["keys", "show"],
    ["keys", "rotate"],
    ["keys", "register"],
    ["keys", "hash"],
    ["mapping"],
    ["mapping", "try"],
    ["dead-letters"],
    ["dead-letters", "list"],
    ["dead-letters", "show"],
    ["dead-letters", "export"],
    ["dead-letters", "retry"],
    ["replay"],
    ["reconcile"],
    ["simulate"],
    ["report"],
    ["runs"],
    ["runs", "diff"],
    ["runs", "list"],
    ["runs", "show"],
    ["runs", "delete"],
    ["runs", "promote"],
    ["survey"],
    ["survey", "import"],
    ["survey", "list"],
    ["survey", "calibration"],
    ["archive"],
    ["archive", "backfill"],
    ["archive", "export"],
    ["archive", "import"],
    ["export"],
    ["export", "ocel"],
    ["interventions"],
    ["interventions", "effect"],
    ["interventions", "add"],
    ["interventions", "end"],
    ["interventions", "list"],
]


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("TIELINE_BROKER", "TIELINE_CLICKHOUSE_URL", "TIELINE_POLICIES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TIELINE_DATA", str(tmp_path / "nothing-here"))


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """The exit code of `tieline` with these arguments, through the console script."""
    monkeypatch.setattr("sys.argv", ["tieline", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_has_help(command: list[str]) -> None:
    result = CliRunner().invoke(app, [*command, "--help"])
    assert result.exit_code == 0
    assert "Usage:" in result.output


def test_every_command_is_in_this_list() -> None:
    def names(group: typer.Typer) -> set[tuple[str, ...]]:
        found = {(command.name or "",) for command in group.registered_commands if command.name}
        found |= {(command.callback.__name__,) for command in group.registered_commands if not command.name}  # type: ignore[union-attr]
        for part in group.registered_groups:
            assert part.typer_instance is not None
            found |= {(part.name or "", *name) for name in names(part.typer_instance)}
        return found

    assert names(app) <= {tuple(command) for command in COMMANDS}


def test_wrong_usage_exits_2(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(monkeypatch, "import", "/no/such/file") == 2
    assert run(monkeypatch, "nonsense") == 2


def test_nothing_running_exits_78_and_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "status") == 78
    assert "tieline up" in capsys.readouterr().err


def test_a_broker_that_is_away_exits_69(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.apps.topic_admin.CONNECT_TIMEOUT_S", 0.5)
    assert run(monkeypatch, "topics", "describe", "--broker", "127.0.0.1:1") == 69


def test_a_wrong_policy_exits_78_and_names_the_field(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text("version: v\neffective_from: 2026-01-01T00:00:00Z\nprocesses: {p: {perod: week}}\n")
    assert run(monkeypatch, "config", "check", "--policy", str(policy)) == 78
    said = capsys.readouterr().err
    assert "perod" in said
    assert "period" in said


def test_the_bundled_policies_and_mappings_are_right(monkeypatch: pytest.MonkeyPatch) -> None:
    mappings = sorted((Path(__file__).parents[3] / "deploy" / "mappings").glob("*.yaml"))
    arguments = [part for path in mappings for part in ("--mapping", str(path))]
    assert run(monkeypatch, "config", "check", *arguments) == 0


def test_schema_export_writes_the_contract(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert run(monkeypatch, "schema", "export", str(tmp_path / "contract")) == 0
    written = list((tmp_path / "contract").rglob("*.json"))
    assert len(written) > 26
    json.loads(written[0].read_text())


def test_a_dry_run_counts_and_sends_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    log = tmp_path / "events.ndjson"
    log.write_bytes(assigned(0, "a").canonical() + b"\nnot an event\n")
    assert run(monkeypatch, "import", str(log), "--dry-run") == 0
    said = capsys.readouterr().out
    assert "work_item.assigned" in said
    assert "skipped" in said


def test_an_import_of_nothing_exits_1(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    log = tmp_path / "events.ndjson"
    log.write_bytes(b"not an event\n")
    assert run(monkeypatch, "import", str(log), "--dry-run") == 1
