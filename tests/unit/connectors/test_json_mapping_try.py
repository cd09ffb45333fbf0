"""`tieline mapping try` shows what would happen, sends nothing, and names nobody."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from deploy.cli.commands.mapping import app
from schemas.decoding import decode
from schemas.errors import ConfigError
from tests.unit.connectors.json_mappings import OWNERSHIP, ticket

RUNNER = CliRunner()


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """A mapping and a payload for it."""
    rules = {
        **OWNERSHIP,
        "actor": {"attribute": "who", "bots": ["robot-*"]},
        "states": [{"when": {"status": "Doing"}, "means": "working"}, {"when": {"status": "Gone"}, "means": "closed"}],
    }
    mapping, payload = tmp_path / "m.yaml", tmp_path / "p.json"
    mapping.write_text(json.dumps(rules))
    payload.write_text(json.dumps(ticket(status="Doing", who="Ilse", team="[/red]Desk")))
    return mapping, payload


def run(*arguments: str | Path, stdin: str = "") -> tuple[int, str]:
    found = RUNNER.invoke(app, ["try", *map(str, arguments)], input=stdin, env={"COLUMNS": "200"})
    assert found.exception is None or isinstance(found.exception, SystemExit), found.exception
    return found.exit_code, found.output


def test_events_are_shown_with_hashed_actors_and_the_rule_that_matched(files: tuple[Path, Path]) -> None:
    code, shown = run(*files)
    assert code == 0
    for expected in ("work_item.worked.v1", "T-1", "role=[/red]Desk", "states.0", "states.1: matched no entry"):
        assert expected in shown
    assert "Ilse" not in shown


def test_for_programs_it_is_json(files: tuple[Path, Path]) -> None:
    code, shown = run(*files, "--json", "--process", "incident")
    told = json.loads(shown)
    assert code == 0
    assert [decode(json.dumps(event).encode()).process for event in told["events"]] == ["incident"] * 2
    assert told["events"][0]["data"]["actor"]["kind"] == "human"
    assert told["entries"] == [{"rules": ["states.0"], "empty": [], "unused": [], "events": 2}]
    assert "Ilse" not in shown


def test_payload_may_come_from_standard_input(files: tuple[Path, Path]) -> None:
    code, shown = run(files[0], "-", stdin=json.dumps(ticket(team=None)))
    assert code == 1
    assert "no_role" in shown
    assert "role: found nothing in any entry" in shown


def test_payload_that_is_refused_says_why(files: tuple[Path, Path]) -> None:
    code, shown = run(files[0], "-", stdin=json.dumps(ticket(at="soon")))
    assert code == 1
    assert "refused: bad_time at time" in shown


def test_event_that_the_contract_refuses_is_named(files: tuple[Path, Path]) -> None:
    code, shown = run(files[0], "-", stdin=json.dumps(ticket(team="x" * 200)))
    assert code == 1
    assert "event 1 is refused by the contract: invalid_value at data.role" in shown


def test_headers_can_be_given(files: tuple[Path, Path], tmp_path: Path) -> None:
    mapping = tmp_path / "h.yaml"
    mapping.write_text(json.dumps({**OWNERSHIP, "site": '$headers."x-site"'}))
    _, shown = run(mapping, files[1], "--json", "--header", "X-Site: ward-a")
    assert json.loads(shown)["events"][0]["site"] == "ward-a"
    assert run(mapping, files[1], "--header", "nothing")[0] == 2


def test_wrong_mapping_is_a_configuration_error(files: tuple[Path, Path]) -> None:
    files[0].write_text("format: json\nrol: x")
    found = RUNNER.invoke(app, ["try", *map(str, files)])
    assert isinstance(found.exception, ConfigError)
    assert "did you mean 'role'?" in str(found.exception)
