"""Options for metrics and logs: a mistake ends the start and names itself."""

from __future__ import annotations

import pytest

from deploy.cli import main


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr("sys.argv", ["tieline", *arguments])
    monkeypatch.setattr("deploy.embedded.parent.watch_parent", lambda *_: None)
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


@pytest.mark.parametrize("command", [("worker", "infer"), ("worker", "sink"), ("mllp", "--source", "ehr")])
def test_metrics_want_host_and_port(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: tuple[str, ...]
) -> None:
    assert run(monkeypatch, *command, "--broker", "127.0.0.1:1", "--metrics", "9464") == 78
    assert "HOST:PORT" in capsys.readouterr().err


@pytest.mark.parametrize("command", [("worker", "signals"), ("gateway",)])
def test_log_format_is_text_or_json(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: tuple[str, ...]
) -> None:
    monkeypatch.setenv("TIELINE_LOG_FORMAT", "yaml")
    assert run(monkeypatch, *command, "--broker", "127.0.0.1:1") == 78
    assert "text or json" in capsys.readouterr().err
