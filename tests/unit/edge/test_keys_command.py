"""`tieline keys`: ids are shown, secrets and names never."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from deploy.cli.commands.keys import app
from schemas.errors import ConfigError
from streams.gateway.actors import read_actor_key, read_or_create_actor_key
from streams.gateway.edge.keyring import beside, read_keys


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "actor.key"
    read_or_create_actor_key(file)
    return file


def run(path: Path, command: str, *arguments: str, given: str | bytes = "") -> Result:
    return CliRunner().invoke(app, [command, *arguments, "--actor-key", str(path)], input=given)


def test_a_rotation_is_asked_for_and_said(path: Path) -> None:
    before = read_actor_key(path)
    assert run(path, "rotate", given="n\n").exit_code == 1
    assert read_actor_key(path) == before
    done = run(path, "rotate", given="y\n")
    assert done.exit_code == 0
    assert before.key_id in done.output
    assert read_actor_key(path).key_id in done.output
    assert read_keys(path).earlier == (before,)


def test_show_names_every_key_and_no_secret(path: Path) -> None:
    assert run(path, "rotate", "--yes").exit_code == 0
    assert run(path, "register", "north").exit_code == 0
    shown = run(path, "show").output
    keys = read_keys(path)
    assert all(key_id in shown for key_id in keys.registered)
    assert not any(key.secret.hex()[:8] in shown for key in keys.own)


def test_show_warns_of_a_file_that_others_can_read(path: Path) -> None:
    assert "chmod" not in run(path, "show").output
    path.chmod(0o644)
    assert "chmod 600" in run(path, "show").output


def test_registering_twice_is_said(path: Path) -> None:
    assert "is registered" in run(path, "register", "north").output
    assert "known already" in run(path, "register", "north").output
    refused = run(path, "register", "Ann Example")
    assert isinstance(refused.exception, ConfigError)
    assert "Ann" not in str(refused.exception)


def test_hash_reads_names_from_standard_input_and_repeats_none(path: Path) -> None:
    key = read_actor_key(path)
    done = run(path, "hash", given="Ann Example\r\n\nGöran\n")
    assert done.output.split() == [key.hash_actor("Ann Example"), key.hash_actor("Göran")]


def test_hash_takes_no_name_as_an_argument(path: Path) -> None:
    assert run(path, "hash", "Ann").exit_code == 2


@pytest.mark.parametrize("given", [b"  \n", b"Ann\xff\n", b"x" * 1025 + b"\n"])
def test_what_is_no_name_is_refused_by_its_line(path: Path, given: bytes) -> None:
    done = run(path, "hash", given=given)
    assert (done.exit_code, done.stdout) == (1, "")
    assert "line 1: not a name" in done.stderr


@pytest.mark.parametrize("command", [("show",), ("rotate", "--yes"), ("register", "north"), ("hash",)])
def test_without_a_key_file_the_commands_say_so_and_make_none(tmp_path: Path, command: tuple[str, ...]) -> None:
    done = run(tmp_path / "actor.key", *command)
    assert isinstance(done.exception, ConfigError)
    assert "no actor key file" in str(done.exception)
    assert not beside(tmp_path / "actor.key").exists()
