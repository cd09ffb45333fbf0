"""`tieline dashboards`, as somebody types it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from deploy.cli import main
from tests.integration.grafana.fake.answers import Answer
from tests.integration.grafana.fake.server import FakeGrafana
from tests.integration.grafana.wanted import PASSWORD, edited

TOKEN = "glsa_admin"
HOOK = "https://hooks.example.org/very-secret-path"


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("TIELINE_BROKER", "TIELINE_CLICKHOUSE_URL", "GRAFANA_URL", "TIELINE_ALERT_WEBHOOK"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TIELINE_DATA", str(tmp_path / "nothing-here"))
    monkeypatch.setenv("GRAFANA_TOKEN", TOKEN)
    monkeypatch.setenv("TIELINE_READER_PASSWORD", PASSWORD)
    monkeypatch.setenv("COLUMNS", "200")


class Typed:
    """Runs `tieline dashboards`; nothing that it says may hold a secret."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch, self._capsys = monkeypatch, capsys
        self.said = ""

    def __call__(self, *arguments: str) -> int:
        self._monkeypatch.setattr("sys.argv", ["tieline", "dashboards", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        captured = self._capsys.readouterr()
        self.said = captured.out + captured.err
        for secret in (TOKEN, PASSWORD, "very-secret"):
            assert secret not in self.said
        return int(ended.value.code or 0)


@pytest.fixture
def tieline(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Typed:
    return Typed(monkeypatch, capsys)


def test_push_and_push_again(fake: FakeGrafana, tieline: Typed) -> None:
    push = ("push", "--grafana", fake.url, "--clickhouse-url", "http://clickhouse:8123", "--webhook", HOOK)
    assert tieline(*push, "--dry-run") == 0
    assert "nothing was changed" in tieline.said
    assert "to create  data source “Tieline”" in tieline.said
    assert fake.writes == []
    assert tieline(*push) == 0
    assert "14 created" in tieline.said
    done = len(fake.writes)
    assert tieline(*push) == 0
    assert "14 unchanged" in tieline.said
    assert tieline("push", "--grafana", fake.url, "--webhook", HOOK) == 0
    assert len(fake.writes) == done


def test_a_dry_run_shows_the_difference(fake: FakeGrafana, tieline: Typed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAFANA_URL", fake.url)
    assert tieline("push", "--clickhouse-url", "http://clickhouse:8123") == 0
    live = edited(fake.library.dashboards["tieline-live"], title="[bold]Mine[/bold]")
    fake.library.put_dashboard(live, "tieline")
    done = len(fake.writes)
    assert tieline("push", "--dry-run") == 0
    assert "to update  dashboard “Live handoffs”" in tieline.said
    assert "title: '[bold]Mine[/bold]' → 'Open handoffs'" in tieline.said
    assert len(fake.writes) == done


def test_the_webhook_may_come_from_the_environment(
    fake: FakeGrafana, tieline: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIELINE_ALERT_WEBHOOK", HOOK)
    assert tieline("push", "--grafana", fake.url, "--clickhouse-url", "http://clickhouse:8123") == 0
    assert fake.alerting.points["tieline-webhook"]["settings"]["url"] == HOOK
    assert tieline("push", "--help") == 0


def test_an_unreachable_clickhouse_is_a_warning(fake: FakeGrafana, tieline: Typed) -> None:
    fake.sources.unhealthy = f"password {PASSWORD} refused"
    assert tieline("push", "--grafana", fake.url, "--clickhouse-url", "http://nowhere:8123") == 0
    assert "Grafana cannot read from ClickHouse yet: password *** refused" in tieline.said


def test_a_push_that_stops_says_how_far_it_came(fake: FakeGrafana, tieline: Typed) -> None:
    fake.instead = lambda request: (
        Answer(500, {"message": "disk full"}) if request.path.endswith("/dashboards/db") else None
    )
    assert tieline("push", "--grafana", fake.url, "--clickhouse-url", "http://clickhouse:8123") == 69
    assert "stopped after 2 of 13 changes" in tieline.said
    assert "disk full" in tieline.said


def test_exit_codes(fake: FakeGrafana, tieline: Typed, monkeypatch: pytest.MonkeyPatch) -> None:
    assert tieline("push") == 78
    assert "--grafana" in tieline.said
    assert tieline("push", "--grafana", fake.url) == 78
    assert "--clickhouse-url" in tieline.said
    assert tieline("push", "--grafana", "http://127.0.0.1:1") == 69
    assert tieline("push", "--grafana", fake.url, "--overdue-grace-s", "-1") == 2
    assert tieline("push", "--grafana", fake.url, "--interventions") == 78
    fake.instead = lambda _: Answer(503, {"message": "starting"})
    assert tieline("push", "--grafana", fake.url) == 69
    monkeypatch.delenv("GRAFANA_TOKEN")
    assert tieline("push", "--grafana", fake.url) == 78
    assert "Service accounts" in tieline.said


def test_a_password_is_set_anew_only_if_there_is_one(
    fake: FakeGrafana, tieline: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert tieline("push", "--grafana", fake.url, "--clickhouse-url", "http://clickhouse:8123") == 0
    assert tieline("push", "--grafana", fake.url, "--set-password") == 0
    assert "password: is set anew" in tieline.said
    monkeypatch.delenv("TIELINE_READER_PASSWORD")
    assert tieline("push", "--grafana", fake.url, "--set-password") == 78


def test_the_auditors_dashboards(fake: FakeGrafana, tieline: Typed, tmp_path: Path) -> None:
    password = tmp_path / "password"
    password.write_text("auditors\n")
    push = ("push", "--auditor", "--grafana", fake.url, "--auditor-password-file", str(password))
    assert tieline(*push, "--clickhouse-url", "http://clickhouse:8123") == 0
    assert set(fake.library.dashboards) == {"tieline-audit"}
    assert fake.alerting.rules == {}
    assert fake.sources.secrets["tieline-auditor"] == {"password": "auditors"}


def test_export_writes_what_grafana_reads_at_its_start(tieline: Typed, tmp_path: Path) -> None:
    assert tieline("export", str(tmp_path / "out")) == 0
    names = {path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert {"dashboards/tieline/tieline-live.json", "datasources/tieline.yaml", "alerting/tieline.yaml"} <= names
    assert all(name in tieline.said for name in names)
    assert json.loads((tmp_path / "out/dashboards/tieline/tieline-live.json").read_text())["uid"] == "tieline-live"
    rules = yaml.safe_load((tmp_path / "out/alerting/tieline.yaml").read_text())["groups"]
    assert sum(len(group["rules"]) for group in rules) == 4
    assert not [name for name in names if "audit" in name]


def test_export_to_where_nothing_can_be_written(tieline: Typed, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert tieline("export", str(tmp_path / "file")) == 78
    assert "can be written" in tieline.said


def test_list_names_dashboards_and_alerts(tieline: Typed) -> None:
    assert tieline("list") == 0
    for words in ("Live handoffs", "tieline-live", "Handoffs overdue", "operations teams"):
        assert words in tieline.said
