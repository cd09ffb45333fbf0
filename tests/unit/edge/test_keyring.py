"""Rotating, registering and re-reading keys: nobody who was told apart is mixed up, and no secret is told."""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from schemas.errors import ConfigError
from streams.gateway.actors import key_line, read_actor_key, read_or_create_actor_key
from streams.gateway.edge import Keyring
from streams.gateway.edge import keyring as module
from streams.gateway.edge.keyring import CHECK_EVERY_S, beside, read_keys, register, rotate
from tests.unit.edge.edges import KEY, OLD_KEY


class Clock:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.s = 100.0

    def __call__(self) -> float:
        return self.s


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "actor.key"
    read_or_create_actor_key(file)
    return file


def test_a_key_file_alone_is_a_keyring(path: Path) -> None:
    keys = read_keys(path)
    assert keys.current == read_actor_key(path)
    assert keys.registered == {keys.current.key_id}


def test_rotation_makes_a_new_key_and_knows_the_earlier_ones_newest_first(path: Path) -> None:
    first = read_keys(path).current
    second = rotate(path).current
    third = rotate(path)
    assert third == read_keys(path)
    assert third.earlier == (second, first)
    assert third.registered == {first.key_id, second.key_id, third.current.key_id}
    assert len(third.registered) == 3


def test_the_files_are_private_and_nothing_else_is_left(path: Path) -> None:
    rotate(path)
    register(path, "north")
    assert sorted(file.name for file in path.parent.iterdir()) == ["actor.key", "actor.keys"]
    assert {stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()} == {0o600}


def test_registered_ids_survive_rotation(path: Path) -> None:
    register(path, "north")
    rotate(path)
    assert register(path, "north").foreign == {"north"}
    assert "north" in read_keys(path).registered


def test_registering_what_is_known_changes_nothing(path: Path) -> None:
    rotated = rotate(path)
    before = beside(path).read_bytes()
    for key_id in sorted(rotated.registered):
        assert register(path, key_id) == rotated
    assert beside(path).read_bytes() == before


@pytest.mark.parametrize("step", ["_write_others", "replace_actor_key"])
def test_a_rotation_that_dies_at_any_step_loses_no_key(path: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    before = read_keys(path).current

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(module, step, die)
        with pytest.raises(KeyboardInterrupt):
            rotate(path)
    keys = read_keys(path)
    assert keys.current == before
    assert keys.earlier == ()
    assert rotate(path).earlier == (before,)


def test_rotations_at_once_come_one_after_the_other(path: Path) -> None:
    threads = [threading.Thread(target=rotate, args=(path,)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(read_keys(path).registered) == 7


@pytest.mark.parametrize("change", [rotate, lambda path: register(path, "north")])
def test_without_a_key_there_is_nothing_to_change(tmp_path: Path, change: Callable[[Path], object]) -> None:
    for path in (tmp_path / "actor.key", tmp_path / "none" / "actor.key"):
        with pytest.raises(ConfigError, match="no actor key file"):
            change(path)


@pytest.mark.parametrize("key_id", ["", "North", "a:b", "x" * 33, "a\n"])
def test_what_is_no_key_id_is_not_registered(path: Path, key_id: str) -> None:
    with pytest.raises(ConfigError, match="key id"):
        register(path, key_id)


@pytest.mark.parametrize("line", ["k1:abc", f"K1:{'0' * 64}", "Secret Word", f"k1:{'0' * 64} x", "\u00e9"])
def test_what_is_no_key_is_refused_by_its_line_alone(path: Path, line: str) -> None:
    beside(path).write_text(f"# comment\n\nnorth\n{line}\n", encoding="utf-8")
    with pytest.raises(ConfigError) as refused:
        read_keys(path)
    assert str(beside(path)) in str(refused.value)
    assert "Secret" not in str(refused.value)
    assert "abc" not in str(refused.value)


def test_one_id_is_one_key(path: Path) -> None:
    twice = key_line(KEY).replace("k1:", "k0:")
    beside(path).write_text(f"{key_line(OLD_KEY)}\n{twice}\n")
    with pytest.raises(ConfigError, match="line 2: another key has the id k0 too"):
        read_keys(path)


def test_a_keyring_follows_its_files_within_a_second(path: Path) -> None:
    clock = Clock()
    keyring = Keyring.in_file(path, clock)
    before = keyring.keys()
    after = rotate(path)
    assert keyring.keys() == before
    clock.s += CHECK_EVERY_S
    assert keyring.keys() == after
    register(path, "north")
    clock.s += CHECK_EVERY_S
    assert "north" in keyring.keys().registered


def test_files_that_cannot_be_read_any_more_change_nothing(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    keyring = Keyring.in_file(path, clock)
    keys = keyring.keys()
    beside(path).write_text("Secret Word\n")
    for _ in range(3):
        clock.s += CHECK_EVERY_S
        assert keyring.keys() == keys
    os.unlink(path)
    clock.s += CHECK_EVERY_S
    assert keyring.keys() == keys
    assert len(caplog.records) == 2, "each change is told once"
    assert "Secret" not in caplog.text


def test_a_keyring_makes_the_key_that_is_missing(tmp_path: Path) -> None:
    keys = Keyring.in_file(tmp_path / "folder" / "actor.key").keys()
    assert keys.current == read_actor_key(tmp_path / "folder" / "actor.key")


def test_no_secret_is_in_a_repr(path: Path) -> None:
    keys = rotate(path)
    assert not any(key.secret.hex() in repr(keys) or repr(key.secret)[2:-1] in repr(keys) for key in keys.own)
