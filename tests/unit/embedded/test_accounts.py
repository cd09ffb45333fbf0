"""Users, passwords and grants of a data folder; settings that readers may give."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from deploy.embedded.front.accounts import AUDITOR, READER, USERS, WRITER, Account, Accounts, ensure_passwords
from deploy.embedded.front.errors import StoreError
from deploy.embedded.front.settings import ReaderLimits, reader_settings
from schemas.errors import ConfigError


def test_passwords_are_random_per_folder_stay_and_are_private(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    drawn = ensure_passwords(tmp_path)
    assert ensure_passwords(tmp_path) == drawn
    assert len({*drawn.values(), *ensure_passwords(tmp_path / "other").values()}) == 2 * len(USERS)
    assert min(map(len, drawn.values())) >= 32
    assert (tmp_path / "passwords.json").stat().st_mode & 0o777 == 0o600


def test_only_the_right_password_opens_an_account(tmp_path: Path) -> None:
    accounts = Accounts(tmp_path)
    passwords = ensure_passwords(tmp_path)
    for user in USERS:
        account = accounts.authenticate(user, passwords[user])
        assert account is not None
        assert account.read_only == (user != WRITER)
        assert accounts.authenticate(user, passwords[user] + "x") is None
        assert accounts.authenticate(user, "") is None
    assert accounts.authenticate("", "") is None
    assert accounts.authenticate("default", "") is None


def test_patterns_stay_within_their_database_and_table() -> None:
    account = Account(READER, ("tieline.quality_*", "system.one"))
    assert account.may_read("tieline", "quality_ties")
    for database, table in (("tieline", "evidence"), ("tielinex", "quality_a"), ("x.tieline", "quality_a")):
        assert not account.may_read(database, table)
    assert not account.may_read("tieline", "quality_a.b")
    assert not account.may_read("system", "ones")


def test_grants_follow_the_file_without_a_restart(tmp_path: Path) -> None:
    accounts = Accounts(tmp_path)
    assert accounts.account(READER).may_read("tieline", "quality_ties")
    (tmp_path / "grants.json").write_text(json.dumps({READER: ["tieline.ties"]}))
    assert accounts.account(READER).may_read("tieline", "ties")
    assert not accounts.account(READER).may_read("tieline", "quality_ties")
    assert accounts.account(READER).may_read("system", "one")
    assert accounts.account(AUDITOR).may_read("tieline", "auditor_evidence")


def test_damaged_files_are_named(tmp_path: Path) -> None:
    (tmp_path / "passwords.json").write_text("{")
    with pytest.raises(ConfigError, match=r"passwords\.json"):
        Accounts(tmp_path)
    os.unlink(tmp_path / "passwords.json")
    (tmp_path / "grants.json").write_text("[1]")
    with pytest.raises(ConfigError, match=r"grants\.json"):
        Accounts(tmp_path)


def test_readers_settings_stay_below_the_ceilings() -> None:
    limits = ReaderLimits(max_execution_time=30)
    assert reader_settings({"max_execution_time": "5"}, limits)["max_execution_time"] == "5"
    for beyond in ("600", "0", "-1", "x"):
        assert reader_settings({"max_execution_time": beyond}, limits)["max_execution_time"] == "30"
    assert reader_settings({"readonly": "0"}, limits)["readonly"] == "2"
    with pytest.raises(StoreError) as refused:
        reader_settings({"allow_introspection_functions": "1"}, limits)
    assert refused.value.code == 164


def test_the_owner_looks_at_every_table_and_writes_nothing(tmp_path: Path) -> None:
    owner = Accounts(tmp_path).account("owner")
    assert owner.read_only
    assert owner.may_read("tieline", "evidence")
    assert owner.may_read("system", "parts")
    assert not owner.may_read("default", "anything")
