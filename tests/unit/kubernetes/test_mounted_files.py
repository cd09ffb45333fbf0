"""Secrets and settings as kubelet mounts them: links into a folder that is swapped as a whole, readable by a group."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from streams.gateway.edge.keyring import CHECK_EVERY_S, Keyring, rotate
from streams.gateway.tokens import TokenFile, Tokens, Unauthorised
from tests.unit.kubernetes.building import ROOT

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)


class Mount:
    """A folder of a pod. `..data` leads to the folder of the moment; a change makes another one and turns the link."""

    def __init__(self, path: Path) -> None:
        self.path, self._number = path, 0
        path.mkdir()

    def put(self, files: Mapping[str, str]) -> None:
        self._number += 1
        folder = self.path / f"..{self._number}"
        folder.mkdir()
        for name, text in files.items():
            (folder / name).write_text(text)
            (folder / name).chmod(0o440)
            if not (self.path / name).is_symlink():
                (self.path / name).symlink_to(f"..data/{name}")
        (self.path / "..new").symlink_to(folder.name)
        os.replace(self.path / "..new", self.path / "..data")


class Clock:
    """Seconds, moved by hand."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s

    def later(self) -> None:
        self.now_s += CHECK_EVERY_S + 1


def test_tokens_of_a_secret_are_taken_and_a_changed_secret_is_followed(tmp_path: Path) -> None:
    made, mount, clock = TokenFile(tmp_path / "tokens.json"), Mount(tmp_path / "tokens"), Clock()
    first = made.create(["events:write"], ["urn:a"], NOW)
    mount.put({"tokens.json": made.path.read_text()})
    tokens = Tokens(TokenFile(mount.path / "tokens.json"), lambda: NOW, clock)
    assert tokens.holder(first.shown).id == first.token.id

    second = made.create(["events:write"], ["urn:b"], NOW)
    made.revoke(first.token.id, NOW)
    mount.put({"tokens.json": made.path.read_text()})
    clock.later()
    assert tokens.holder(second.shown).id == second.token.id
    with pytest.raises(Unauthorised):
        tokens.holder(first.shown)


def test_actor_key_of_a_secret_is_used_and_a_rotated_one_is_followed(tmp_path: Path) -> None:
    made, mount, clock = tmp_path / "actor.key", Mount(tmp_path / "key"), Clock()
    made.write_text(_key_as_documented())
    mount.put({"actor.key": made.read_text()})
    keyring = Keyring.in_file(mount.path / "actor.key", clock)
    before = keyring.keys().current.key_id

    rotate(made)
    mount.put({"actor.key": made.read_text(), "actor.keys": (tmp_path / "actor.keys").read_text()})
    clock.later()
    assert keyring.keys().current.key_id != before
    assert [key.key_id for key in keyring.keys().earlier] == [before]


def test_policies_of_settings_are_read_once_each(tmp_path: Path) -> None:
    from deploy.policy_files import load_policy_book

    mount = Mount(tmp_path / "policies")
    for version in ("one", "two"):
        mount.put({"policy.yaml": f"version: {version}\neffective_from: 2026-01-01T00:00:00Z\n"})
    assert [policy.version for policy in load_policy_book([mount.path]).policies] == ["two"]


def _key_as_documented() -> str:
    """What docs/kubernetes.md says to run."""
    text = (ROOT / "docs" / "kubernetes.md").read_text()
    found = re.search(r"^python3 -c '(.+)' > actor\.key$", text, re.MULTILINE)
    assert found
    ended = subprocess.run([sys.executable, "-c", found[1]], capture_output=True, text=True, check=True, timeout=30)
    return ended.stdout
