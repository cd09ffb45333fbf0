"""Where the board may listen, and which names it answers to."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.board.address import Address, host_name, read_token
from deploy.board.admission import is_same_origin
from schemas.errors import ConfigError
from streams.loopback import is_loopback

TOKEN = "a-long-random-token-0123456789"


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.7", "board.example.org", ""])
def test_listening_wider_than_this_machine_takes_a_token(host: str) -> None:
    with pytest.raises(ConfigError, match="--token-file"):
        Address.checked(host, 80, "")
    assert Address.checked(host, 80, TOKEN).token is not None


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_this_machine_needs_no_token(host: str) -> None:
    assert Address.checked(host, 80, "").token is None


def test_short_token_is_refused_even_here() -> None:
    with pytest.raises(ConfigError, match="shorter"):
        Address.checked("127.0.0.1", 80, "guess")


def test_token_is_not_printed() -> None:
    assert TOKEN not in repr(Address.checked("0.0.0.0", 80, TOKEN))


def test_token_file_must_hold_one(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    (tmp_path / "empty").write_text("\n")
    assert read_token(tmp_path / "token") == TOKEN
    for wrong in ("empty", "missing"):
        with pytest.raises(ConfigError):
            read_token(tmp_path / wrong)


def test_name_is_not_loopback_whatever_it_is_called() -> None:
    assert not is_loopback("localhost.example.org")
    assert not is_loopback("127.0.0.1.example.org")


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("127.0.0.1:8710", "127.0.0.1"),
        ("LocalHost", "localhost"),
        ("localhost.:80", "localhost"),
        ("[::1]:8710", "::1"),
        ("[::1]", "::1"),
        ("[::1]x", None),
        ("[evil]:80", None),
        ("a:b", None),
        ("", None),
        (":80", None),
    ],
)
def test_host_is_read_without_its_port(header: str, name: str | None) -> None:
    assert host_name(header) == name


@pytest.mark.parametrize("header", ["127.0.0.1:1", "localhost:1", "[::1]:1"])
def test_board_answers_to_the_names_of_this_machine(header: str) -> None:
    assert Address().answers_to(header)


@pytest.mark.parametrize("header", ["evil.example.org", "127.0.0.1.evil.example.org:80", "192.168.1.7:80", ""])
def test_name_that_somebody_made_point_here_is_refused(header: str) -> None:
    assert not Address().answers_to(header)


def test_wider_board_answers_to_addresses_and_given_names_only() -> None:
    wide = Address.checked("0.0.0.0", 80, TOKEN, ("Board.Example.org",))
    assert wide.answers_to("192.168.1.7:80")
    assert wide.answers_to("board.example.org")
    assert not wide.answers_to("evil.example.org")


@pytest.mark.parametrize(
    ("origin", "host", "same"),
    [
        (None, "localhost:1", True),
        ("http://localhost:1", "localhost:1", True),
        ("https://board.example.org", "board.example.org", True),
        ("http://localhost:2", "localhost:1", False),
        ("http://evil.example.org", "localhost:1", False),
        ("null", "localhost:1", False),
        ("", "", False),
    ],
)
def test_request_of_another_site_is_known_by_its_origin(origin: str | None, host: str, same: bool) -> None:
    assert is_same_origin(origin, host) is same
