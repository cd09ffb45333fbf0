"""Pushing makes Grafana what the definitions say, and nothing more than that."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from deploy.dashboards.catalogue import dashboard
from deploy.grafana import export as files
from deploy.grafana.api import Grafana
from deploy.grafana.faults import GrafanaRefused
from deploy.grafana.push import carry_out, plan
from schemas.errors import ConfigError
from tests.integration.grafana.fake.server import FakeGrafana
from tests.integration.grafana.wanted import PASSWORD, SOURCE, edited, kinds, push, wanted, without_dashboard

LIVE = "tieline-live"


def test_an_empty_grafana_gets_everything(fake: FakeGrafana, grafana: Grafana) -> None:
    changes = push(grafana, wanted())
    assert {change.kind for change in changes} == {"create"}
    assert fake.library.folders["tieline"]["title"] == "Tieline"
    assert set(fake.library.dashboards) == {each["uid"] for each in wanted().dashboards}
    assert set(fake.library.folder_of.values()) == {"tieline"}
    assert len(fake.alerting.rules) == 4
    assert fake.sources.secrets["tieline"] == {"password": PASSWORD}
    assert not fake.alerting.points


def test_a_second_push_writes_nothing(fake: FakeGrafana, grafana: Grafana) -> None:
    push(grafana, wanted())
    done = len(fake.writes)
    assert {change.kind for change in push(grafana, wanted(), prune=True)} == {"unchanged"}
    assert len(fake.writes) == done


def test_a_plan_writes_nothing(fake: FakeGrafana, grafana: Grafana) -> None:
    assert plan(grafana, wanted(), prune=True)
    push(grafana, wanted())
    done = len(fake.writes)
    fake.library.put_dashboard(edited(fake.library.dashboards[LIVE], title="Mine"), "tieline")
    assert plan(grafana, wanted(), prune=True)
    assert len(fake.writes) == done


def test_what_is_pushed_is_what_is_exported(fake: FakeGrafana, grafana: Grafana, tmp_path: Path) -> None:
    push(grafana, wanted())
    files.export(tmp_path)
    for path in (tmp_path / "dashboards" / "tieline").glob("*.json"):
        exported = json.loads(path.read_text(encoding="utf-8"))
        stored = fake.library.dashboards[exported["uid"]]
        assert {key: value for key, value in stored.items() if key not in ("id", "version")} == exported


def test_an_edited_dashboard_is_shown_and_restored(fake: FakeGrafana, grafana: Grafana) -> None:
    push(grafana, wanted())
    before = fake.library.dashboards[LIVE]
    fake.library.put_dashboard(edited(before, title="My title", repeat="site"), "tieline", "nicer")
    changes = push(grafana, wanted())
    assert kinds(changes) == {"dashboard Live handoffs": "update"}
    (update,) = [change for change in changes if change.kind == "update"]
    assert any("My title" in line and "Open handoffs" in line for line in update.differences)
    assert any("repeat: added 'site'" in line for line in update.differences)
    assert fake.library.dashboards[LIVE]["panels"] == before["panels"]


def test_a_changed_statement_is_shown_line_by_line(fake: FakeGrafana, grafana: Grafana) -> None:
    push(grafana, wanted())
    there = fake.library.dashboards[LIVE]
    panel = next(panel for panel in there["panels"] if panel["title"] == "Open handoffs by receiving role")
    sql = panel["targets"][0]["rawSql"]
    panel["targets"][0]["rawSql"] = sql.replace("ORDER BY", "-- mine\nORDER BY")
    fake.library.put_dashboard(there, "tieline", "mine")
    (update,) = [change for change in plan(grafana, wanted()) if change.kind == "update"]
    assert "  --- mine" in update.differences
    assert len(update.differences) == 2


def test_what_grafana_itself_writes_down_is_no_difference(fake: FakeGrafana, grafana: Grafana) -> None:
    fake.library.adds_to_panels = {"pluginVersion": "13.2.3", "repeatDirection": "h", "cacheTimeout": "60"}
    push(grafana, wanted())
    assert kinds(plan(grafana, wanted())) == {}


def test_a_changed_definition_is_pushed(fake: FakeGrafana, grafana: Grafana) -> None:
    push(grafana, wanted())
    changed = [edited(each, description="Anew") if each["uid"] == LIVE else each for each in wanted().dashboards]
    assert kinds(push(grafana, wanted(dashboards=changed))) == {"dashboard Live handoffs": "update"}
    assert fake.library.dashboards[LIVE]["version"] == 2


def test_a_save_meanwhile_is_not_overwritten(fake: FakeGrafana, grafana: Grafana) -> None:
    push(grafana, wanted())
    fake.library.put_dashboard(edited(fake.library.dashboards[LIVE], title="One"), "tieline")
    changes = plan(grafana, wanted())
    fake.library.put_dashboard(edited(fake.library.dashboards[LIVE], title="Two"), "tieline")
    with pytest.raises(GrafanaRefused, match="push again to see the difference") as refused:
        list(carry_out(changes))
    assert refused.value.status == 412
    assert "Two" in json.dumps(fake.library.dashboards[LIVE])


def test_a_dashboard_that_was_moved_comes_back(fake: FakeGrafana, grafana: Grafana) -> None:
    push(grafana, wanted())
    fake.library.folder_of[LIVE] = "elsewhere"
    assert kinds(push(grafana, wanted())) == {"dashboard Live handoffs": "update"}
    assert fake.library.folder_of[LIVE] == "tieline"


def test_a_dashboard_saved_in_a_newer_format_is_replaced(fake: FakeGrafana, grafana: Grafana) -> None:
    push(grafana, wanted())
    fake.library.newer_format.add(LIVE)
    fake.library.messages[LIVE].append("dynamic layout")
    assert kinds(push(grafana, wanted())) == {"dashboard Live handoffs": "update"}
    assert kinds(plan(grafana, wanted())) == {}


def test_a_dashboard_from_a_file_is_left_to_the_file(fake: FakeGrafana, grafana: Grafana) -> None:
    push(grafana, wanted())
    fake.library.provisioned.add(LIVE)
    assert kinds(push(grafana, wanted())) == {}
    fake.library.put_dashboard(edited(fake.library.dashboards[LIVE], title="Older"), "tieline")
    changes = push(grafana, wanted(), prune=True)
    assert kinds(changes) == {"dashboard Live handoffs": "kept"}
    assert "file" in next(change.note for change in changes if change.kind == "kept")


def test_a_renamed_folder_gets_its_name_back(fake: FakeGrafana, grafana: Grafana) -> None:
    push(grafana, wanted())
    fake.library.put_folder("tieline", "Ward boards")
    assert kinds(push(grafana, wanted())) == {"folder Tieline": "update"}
    assert kinds(push(grafana, wanted(folder="Ward boards"))) == {"folder Ward boards": "update"}
    assert fake.library.folders["tieline"]["title"] == "Ward boards"


def test_a_folder_of_that_title_is_in_the_way(fake: FakeGrafana, grafana: Grafana) -> None:
    fake.library.put_folder("theirs", "Tieline")
    with pytest.raises(GrafanaRefused, match=r"409.*--folder"):
        push(grafana, wanted())


def test_without_prune_a_forgotten_dashboard_is_named_and_stays(fake: FakeGrafana, grafana: Grafana) -> None:
    push(grafana, wanted())
    changes = push(grafana, without_dashboard(wanted(), LIVE))
    assert kinds(changes) == {"dashboard Live handoffs": "kept"}
    assert "--prune" in changes[-1].note or any("--prune" in change.note for change in changes)
    assert LIVE in fake.library.dashboards


def test_prune_removes_ours_and_nothing_else(fake: FakeGrafana, grafana: Grafana) -> None:
    push(grafana, wanted())
    theirs = {**fake.library.dashboards[LIVE], "title": "A copy", "tags": ["tieline"]}
    fake.library.put_dashboard({**theirs, "uid": "their-copy"}, "tieline")
    fake.library.put_dashboard({**theirs, "uid": "tieline-untagged", "tags": []}, "tieline")
    fake.library.put_dashboard({**theirs, "uid": "tieline-elsewhere"}, "their-folder")
    assert kinds(push(grafana, without_dashboard(wanted(), LIVE), prune=True)) == {"dashboard Live handoffs": "delete"}
    assert LIVE not in fake.library.dashboards
    assert {"their-copy", "tieline-untagged", "tieline-elsewhere"} <= set(fake.library.dashboards)


def test_what_somebody_else_deleted_is_done(fake: FakeGrafana, grafana: Grafana) -> None:
    push(grafana, wanted())
    changes = plan(grafana, without_dashboard(wanted(), LIVE), prune=True)
    del fake.library.dashboards[LIVE]
    assert kinds(list(carry_out(changes))) == {"dashboard Live handoffs": "delete"}


def test_auditors_have_an_organisation_of_their_own(fake: FakeGrafana, grafana: Grafana) -> None:
    source = dataclasses.replace(SOURCE, account="auditor")
    audit = wanted(account="auditor", data_source=source, alerts=None, folder="Tieline audit")
    push(grafana, audit)
    assert set(fake.library.dashboards) == {dashboard("audit").uid}
    assert fake.sources.sources["tieline-auditor"]["jsonData"]["username"] == "auditor"
    assert "tieline-auditor" in json.dumps(fake.library.dashboards)
    with pytest.raises(ConfigError, match="organisation of the readers' own"):
        push(grafana, wanted())


def test_auditors_do_not_join_everybody(grafana: Grafana) -> None:
    push(grafana, wanted())
    with pytest.raises(ConfigError, match="organisation of the auditors' own"):
        plan(grafana, wanted(account="auditor", alerts=None))
