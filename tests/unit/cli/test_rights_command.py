"""What would be run on servers can be read before it is."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from deploy.cli.commands import app
from schemas.errors import ConfigError

runner = CliRunner()


@pytest.fixture(autouse=True)
def no_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TIELINE_BROKER", "TIELINE_CLICKHOUSE_URL", "TIELINE_CLICKHOUSE_CLUSTER"):
        monkeypatch.delenv(name, raising=False)


def test_rights_are_printed_without_a_server() -> None:
    found = runner.invoke(app, ["rights", "print", "--reader", "wards=ed-to-ward"])
    assert found.exit_code == 0
    assert "GRANT SELECT ON `tieline`.`ties` TO `tieline_reader_wards`;" in found.stdout
    assert "ON CLUSTER" not in found.stdout


def test_migrations_are_printed_as_a_cluster_needs_them() -> None:
    found = runner.invoke(app, ["migrate", "--print", "--cluster", "hospital"])
    assert found.exit_code == 0
    assert found.stdout.startswith("CREATE DATABASE IF NOT EXISTS `tieline_local` ON CLUSTER `hospital`;")
    assert "ReplicatedReplacingMergeTree" in found.stdout
    assert "ReplicatedReplacingMergeTree" not in runner.invoke(app, ["migrate", "--print"]).stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ["rights", "print", "--reader", "wards"],
        ["rights", "print", "--definer", "a`b"],
        ["migrate", "--print", "--cluster", "a b"],
    ],
)
def test_what_makes_no_sense_is_said_and_not_shown(arguments: list[str]) -> None:
    assert isinstance(runner.invoke(app, arguments).exception, ConfigError)
