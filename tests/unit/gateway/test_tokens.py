"""Tokens: only hashes are kept, several are active, and a change is followed within a second."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from threading import Thread

import pytest

from schemas.errors import ConfigError
from streams.gateway.tokens import SCOPES, NoTokens, TokenFile, Tokens, Unauthorised, ensure_local_token
from tests.builders import T0
from tests.unit.gateway.gateways import StillClock


@pytest.fixture
def file(tmp_path: Path) -> TokenFile:
    return TokenFile(tmp_path / "data" / "tokens.json")


def tokens(file: TokenFile, clock: StillClock | None = None) -> Tokens:
    chosen = clock or StillClock()
    return Tokens(file, chosen.now, chosen.seconds)


def test_file_holds_no_token_and_only_its_owner_may_read_it(file: TokenFile) -> None:
    issued = file.create(["events:write"], ["urn:a"], T0, note="for a")
    secret = issued.shown.rpartition("_")[2]
    assert secret not in file.path.read_text()
    assert issued.shown not in repr(issued)
    assert file.path.stat().st_mode & 0o777 == 0o600


def test_token_is_let_in_under_its_own_id(file: TokenFile) -> None:
    first, second = (file.create(["events:write"], ["*"], T0) for _ in range(2))
    known = tokens(file)
    assert known.holder(first.shown).id == first.token.id
    assert known.holder(second.shown).id == second.token.id


@pytest.mark.parametrize(
    "shown", ["", "tieline_", "Bearer x", "tieline_000000000000_" + "A" * 43, "tieline_ä_" + "A" * 43, "\udc80" * 9]
)
def test_what_is_no_token_is_not_let_in(file: TokenFile, shown: str) -> None:
    file.create(["events:write"], ["*"], T0)
    with pytest.raises(Unauthorised):
        tokens(file).holder(shown)


def test_one_letter_more_or_less_is_another_token(file: TokenFile) -> None:
    shown = file.create(["events:write"], ["*"], T0).shown
    other = shown[:-2] + ("A" if shown[-2] != "A" else "B") + shown[-1]
    for wrong in (shown[:-1], shown + "A", other, shown.upper()):
        with pytest.raises(Unauthorised):
            tokens(file).holder(wrong)


def test_nobody_is_let_in_before_there_is_a_token(file: TokenFile) -> None:
    with pytest.raises(NoTokens):
        tokens(file).holder("tieline_000000000000_" + "A" * 43)


def test_expired_token_is_not_let_in(file: TokenFile) -> None:
    clock = StillClock()
    shown = file.create(["events:write"], ["*"], T0, clock.now() + timedelta(hours=1)).shown
    known = tokens(file, clock)
    known.holder(shown)
    clock.elapsed_s = 3600.0
    with pytest.raises(Unauthorised):
        known.holder(shown)


def test_revoked_token_ends_within_a_second_and_others_stay(file: TokenFile) -> None:
    clock = StillClock()
    gone, stays = (file.create(["events:write"], ["*"], T0) for _ in range(2))
    known = tokens(file, clock)
    file.revoke(gone.token.id, T0)
    clock.elapsed_s = 1.0
    with pytest.raises(Unauthorised):
        known.holder(gone.shown)
    assert known.holder(stays.shown) == stays.token


def test_token_made_while_the_gateway_runs_is_let_in_after_a_second(file: TokenFile) -> None:
    clock = StillClock()
    known = tokens(file, clock)
    issued = file.create(["events:write"], ["*"], T0)
    clock.elapsed_s = 1.0
    assert known.holder(issued.shown) == issued.token


def test_file_that_breaks_while_the_gateway_runs_changes_nothing_and_is_reported(
    file: TokenFile, caplog: pytest.LogCaptureFixture
) -> None:
    clock = StillClock()
    issued = file.create(["events:write"], ["*"], T0)
    known = tokens(file, clock)
    file.path.write_text("{'secret': 1}")
    clock.elapsed_s = 1.0
    assert known.holder(issued.shown) == issued.token
    assert "the tokens stay as they were" in caplog.text
    assert "secret" not in caplog.text


@pytest.mark.parametrize("content", ["", "[]", '{"version": 2}', '{"tokens": [{"id": "secret"}]}', "\x00"])
def test_file_of_another_kind_is_refused_without_repeating_it(file: TokenFile, content: str) -> None:
    file.path.parent.mkdir()
    file.path.write_text(content)
    with pytest.raises(ConfigError) as refused:
        file.read()
    assert "secret" not in str(refused.value)
    assert str(file.path) in str(refused.value)


def test_file_that_others_may_write_is_refused(file: TokenFile) -> None:
    file.create(["events:write"], ["*"], T0)
    file.path.chmod(0o660)
    with pytest.raises(ConfigError, match="chmod 600"):
        file.read()


def test_tokens_made_at_the_same_time_are_all_kept(file: TokenFile) -> None:
    threads = [Thread(target=file.create, args=(["events:write"], ["*"], T0)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(file.read()) == 8
    assert json.loads(file.path.read_text())["version"] == 1
    assert [path.name for path in file.path.parent.iterdir() if path.name.endswith("-")] == []


@pytest.mark.parametrize(
    ("pattern", "source", "allowed"),
    [
        ("*", "urn:anything", True),
        ("urn:tieline:ward-*", "urn:tieline:ward-3", True),
        ("urn:tieline:ward-*", "urn:tieline:lab", False),
        ("urn:a", "urn:A", False),
        ("urn:a", "urn:ab", False),
        ("urn:?", "urn:a", False),
        ("urn:?", "urn:?", True),
        ("urn:a", "urn:a\n", False),
    ],
)
def test_pattern_of_sources_means_every_letter_and_any_text_for_a_star(
    file: TokenFile, pattern: str, source: str, allowed: bool
) -> None:
    assert file.create(["events:write"], ["x", pattern], T0).token.may_write(source) == allowed


def test_token_without_sources_may_write_none(file: TokenFile) -> None:
    assert not file.create(["events:write"], [], T0).token.may_write("")


@pytest.mark.parametrize("pattern", ["", "[a]", "a\n", "x" * 257])
def test_pattern_that_means_something_else_elsewhere_is_refused(file: TokenFile, pattern: str) -> None:
    with pytest.raises(ConfigError, match=r"sources\.0"):
        file.create(["events:write"], [pattern], T0)


def test_unknown_token_cannot_be_revoked(file: TokenFile) -> None:
    with pytest.raises(ConfigError, match="there is no token"):
        file.revoke("000000000000", T0)


def test_local_token_is_made_once_and_only_where_there_is_none(tmp_path: Path) -> None:
    file = TokenFile(tmp_path / "tokens.json")
    made = ensure_local_token(tmp_path, file, T0)
    assert made is not None
    assert made.stat().st_mode & 0o777 == 0o600
    assert tokens(file).holder(made.read_text().strip()).scopes == frozenset(SCOPES)
    assert ensure_local_token(tmp_path, file, T0) is None
    assert len(file.read()) == 1
