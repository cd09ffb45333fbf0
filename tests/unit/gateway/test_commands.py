"""`tieline tokens` and what `tieline gateway` refuses to start with."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.cli import main
from deploy.cli.commands.gateway import DEFAULT_PORT
from streams.gateway.tokens import TOKENS_FILE, TokenFile, Tokens, Unauthorised


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("TIELINE_TOKENS", "TIELINE_SOURCES", "TIELINE_ACTOR_KEY", "TIELINE_GATEWAY_HOST", "TIELINE_POLICIES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TIELINE_DATA", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "200")


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr("sys.argv", ["tieline", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


def test_token_is_printed_once_alone_and_then_never_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert run(monkeypatch, "tokens", "create", "--source", "urn:a", "--days", "7", "--note", "lab") == 0
    shown = capsys.readouterr().out.strip()
    holder = Tokens(TokenFile(tmp_path / TOKENS_FILE)).holder(shown)
    assert (holder.sources, holder.note, holder.scopes) == (("urn:a",), "lab", {"events:write"})
    assert run(monkeypatch, "tokens", "list") == 0
    listed = capsys.readouterr().out
    assert holder.id in listed
    assert "lab" in listed
    assert shown.split("_", 2)[2] not in listed


def test_revoked_token_is_let_in_no_more(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    run(monkeypatch, "tokens", "create", "--source", "*")
    shown = capsys.readouterr().out.strip()
    assert run(monkeypatch, "tokens", "revoke", shown.split("_")[1]) == 0
    with pytest.raises(Unauthorised):
        Tokens(TokenFile(tmp_path / TOKENS_FILE)).holder(shown)
    run(monkeypatch, "tokens", "list")
    assert "revoked" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["create"], "--source"),
        (["create", "--scope", "admin"], "expected one of events:write"),
        (["create", "--source", "[x]"], "sources.0"),
        (["revoke", "nobody"], "there is no token"),
    ],
)
def test_wrong_token_command_exits_78_and_says_why(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    assert run(monkeypatch, "tokens", *arguments) == 78
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--host", "0.0.0.0"], "--behind-proxy"),
        (["--tls-cert", "cert.pem"], "both --tls-cert and --tls-key"),
        (["--sources", "none.yaml"], "none.yaml: cannot be read"),
        (["--policy", "none.yaml"], "none.yaml: cannot be read"),
    ],
)
def test_gateway_does_not_start_with_wrong_settings(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    assert run(monkeypatch, "gateway", *arguments) == 78
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("connector: github, verify: {kind: github, secrets: [{env: NOT_SET}]}", "sources.lab.verify.secrets.0"),
        ("connector: pagerduty, verify: {kind: token}, options: {owner: boss}", "sources.lab.options.owner"),
        ("connector: pagerduty, verify: {kind: token}, options: {ownr: team}", "did you mean `owner`?"),
        ("connector: json, verify: {kind: token}", "sources.lab.options.mapping"),
    ],
)
def test_gateway_checks_its_sources_when_it_starts(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, source: str, said: str
) -> None:
    (tmp_path / "sources.yaml").write_text(f"sources: {{lab: {{process: p, {source}}}}}")
    assert run(monkeypatch, "gateway") == 78
    assert said in capsys.readouterr().err


def test_port_is_not_that_of_the_board() -> None:
    from deploy.cli.commands import board

    assert board.DEFAULT_PORT != DEFAULT_PORT
