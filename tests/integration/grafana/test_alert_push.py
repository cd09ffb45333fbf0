"""Alert rules and the contact point: ours are made right, and what people made or chose stays."""

from __future__ import annotations

import copy
import re
from typing import Any

import pytest

from deploy.dashboards.catalogue import dashboard
from deploy.grafana.alerts import AlertSettings, alerts
from deploy.grafana.api import Grafana
from deploy.grafana.contact_point import contact_point
from deploy.grafana.provisioning import FOLDER_TITLES
from deploy.grafana.push import plan
from deploy.grafana.rendering.render import dashboard_json
from deploy.grafana.rule_json import duration, provisioning_file, rule_json
from schemas.errors import ConfigError
from tests.integration.grafana.fake.server import FakeGrafana
from tests.integration.grafana.wanted import kinds, push, wanted

HOOK = "https://hooks.example.org/services/very-secret-path"
OVERDUE = "tieline-handoff-overdue"


def test_rules_are_editable_and_looked_at_often_enough(fake: FakeGrafana, grafana: Grafana) -> None:
    push(grafana, wanted())
    assert {rule["provenance"] for rule in fake.alerting.rules.values()} == {""}
    assert fake.alerting.intervals == {("tieline", "tieline"): 60, ("tieline", "tieline-ties"): 3600}
    assert all(request.editable for request in fake.writes if "provisioning" in request.path)


def test_an_alert_links_to_a_panel_that_is_there() -> None:
    for alert in alerts():
        link = rule_json(alert)["annotations"]
        pushed = dashboard_json(dashboard(alert.panel[0]))
        assert link["__dashboardUid__"] == pushed["uid"]
        assert int(link["__panelId__"]) in [panel["id"] for panel in pushed["panels"]]


def test_a_changed_setting_changes_its_rule_only(grafana: Grafana) -> None:
    push(grafana, wanted())
    changes = push(grafana, wanted(alerts=AlertSettings(stale_after_s=60)))
    assert kinds(changes) == {"alert rule No new events": "update"}


def test_a_paused_rule_stays_paused(fake: FakeGrafana, grafana: Grafana) -> None:
    push(grafana, wanted())
    fake.alerting.rules[OVERDUE]["isPaused"] = True
    assert kinds(push(grafana, wanted())) == {}
    push(grafana, wanted(alerts=AlertSettings(overdue_grace_s=0)))
    assert fake.alerting.rules[OVERDUE]["isPaused"] is True


def test_what_people_added_to_a_rule_stays(fake: FakeGrafana, grafana: Grafana) -> None:
    push(grafana, wanted())
    rule = fake.alerting.rules[OVERDUE]
    rule["labels"]["team"] = "ward"
    rule["annotations"]["runbook_url"] = "https://example.org/runbook"
    rule["notification_settings"] = {"receiver": "grafana-default-email"}
    assert kinds(push(grafana, wanted())) == {}
    push(grafana, wanted(alerts=AlertSettings(overdue_grace_s=0)), prune=True)
    rule = fake.alerting.rules[OVERDUE]
    assert rule["labels"]["team"] == "ward"
    assert rule["annotations"]["runbook_url"] == "https://example.org/runbook"
    assert rule["notification_settings"] == {"receiver": "grafana-default-email"}


def test_a_changed_rule_is_shown_and_restored(fake: FakeGrafana, grafana: Grafana) -> None:
    push(grafana, wanted())
    fake.alerting.rules[OVERDUE]["for"] = "10m"
    changes = push(grafana, wanted())
    assert [change.differences for change in changes if change.kind == "update"] == [["for: '10m' → '1m'"]]
    assert fake.alerting.rules[OVERDUE]["for"] == "1m"


def test_rules_of_people_in_our_group_survive(fake: FakeGrafana, grafana: Grafana) -> None:
    push(grafana, wanted())
    theirs = {**copy.deepcopy(fake.alerting.rules["tieline-tie-shift"]), "uid": "theirs", "title": "Theirs"}
    fake.alerting.rules["theirs"] = theirs
    fake.alerting.intervals[("tieline", "tieline-ties")] = 60
    assert kinds(push(grafana, wanted(), prune=True)) == {"alert rule group tieline-ties": "update"}
    assert fake.alerting.rules["theirs"]["title"] == "Theirs"
    assert fake.alerting.intervals[("tieline", "tieline-ties")] == 3600


def test_a_rule_from_a_file_is_left_to_the_file(fake: FakeGrafana, grafana: Grafana) -> None:
    push(grafana, wanted())
    fake.alerting.rules[OVERDUE].update({"provenance": "file", "for": "10m"})
    assert kinds(push(grafana, wanted(), prune=True)) == {"alert rule Handoffs overdue": "kept"}


def test_rules_that_all_come_from_a_file_are_not_timed(fake: FakeGrafana, grafana: Grafana) -> None:
    push(grafana, wanted())
    for rule in fake.alerting.rules.values():
        rule.update({"provenance": "file", "folderUID": "theirs"})
    done = len(fake.writes)
    changes = push(grafana, wanted(), prune=True)
    assert set(kinds(changes).values()) == {"kept"}
    assert not [change for change in changes if change.differences]
    assert len(fake.writes) == done


def test_prune_removes_a_forgotten_rule_of_ours_and_no_other(fake: FakeGrafana, grafana: Grafana) -> None:
    push(grafana, wanted())
    rule = fake.alerting.rules[OVERDUE]
    for uid, folder in (("tieline-old", "tieline"), ("tieline-moved", "theirs"), ("theirs", "tieline")):
        fake.alerting.rules[uid] = {**copy.deepcopy(rule), "uid": uid, "title": uid, "folderUID": folder}
    assert kinds(push(grafana, wanted())) == {"alert rule tieline-old": "kept"}
    assert kinds(push(grafana, wanted(), prune=True)) == {"alert rule tieline-old": "delete"}
    assert {"tieline-moved", "theirs"} <= set(fake.alerting.rules)


def test_without_alerts_nothing_of_alerting_is_looked_at(fake: FakeGrafana, grafana: Grafana) -> None:
    push(grafana, wanted(alerts=None), prune=True)
    assert not [request for request in fake.requests if "provisioning" in request.path]


def test_a_webhook_makes_a_contact_point_and_rules_go_there(fake: FakeGrafana, grafana: Grafana) -> None:
    changes = push(grafana, wanted(webhook=HOOK))
    (point,) = fake.alerting.points.values()
    assert point["settings"]["url"] == HOOK
    assert {rule["notification_settings"]["receiver"] for rule in fake.alerting.rules.values()} == {point["name"]}
    assert kinds(push(grafana, wanted(webhook=HOOK))) == {}
    assert "very-secret" not in str(changes)


def test_another_webhook_is_written_and_not_shown(fake: FakeGrafana, grafana: Grafana) -> None:
    push(grafana, wanted(webhook=HOOK))
    changes = plan(grafana, wanted(webhook=HOOK + "2"))
    assert kinds(changes) == {"contact point Tieline webhook": "update"}
    assert "very-secret" not in str(changes)


def test_a_redacted_setting_counts_as_the_same(fake: FakeGrafana, grafana: Grafana) -> None:
    push(grafana, wanted(webhook=HOOK))
    fake.alerting.points["tieline-webhook"]["settings"]["url"] = "[REDACTED]"
    assert kinds(plan(grafana, wanted(webhook=HOOK))) == {}


def test_a_locked_contact_point_can_be_updated(fake: FakeGrafana, grafana: Grafana) -> None:
    push(grafana, wanted(webhook=HOOK))
    fake.alerting.points["tieline-webhook"]["provenance"] = "api"
    push(grafana, wanted(webhook=HOOK + "2"))
    assert fake.alerting.points["tieline-webhook"]["settings"]["url"] == HOOK + "2"


def test_a_push_without_webhook_leaves_where_alerts_go(fake: FakeGrafana, grafana: Grafana) -> None:
    push(grafana, wanted(webhook=HOOK))
    before = copy.deepcopy(fake.alerting.rules)
    assert kinds(push(grafana, wanted())) == {"contact point Tieline webhook": "kept"}
    assert fake.alerting.rules == before


def test_prune_without_webhook_unroutes_the_rules_then_removes_it(fake: FakeGrafana, grafana: Grafana) -> None:
    push(grafana, wanted(webhook=HOOK))
    fake.alerting.points["theirs"] = {**contact_point(HOOK), "uid": "theirs", "name": "Theirs", "provenance": ""}
    push(grafana, wanted(), prune=True)
    assert set(fake.alerting.points) == {"theirs"}
    assert not [rule for rule in fake.alerting.rules.values() if rule.get("notification_settings")]
    assert kinds(plan(grafana, wanted(), prune=True)) == {}


def test_a_webhook_that_is_no_url_is_refused_without_repeating_it() -> None:
    with pytest.raises(ConfigError) as refused:
        contact_point("hooks.example.org/very-secret")
    assert "very-secret" not in str(refused.value)


def test_policies_of_notification_are_never_touched(fake: FakeGrafana, grafana: Grafana) -> None:
    push(grafana, wanted(webhook=HOOK))
    push(grafana, wanted(), prune=True)
    assert not [request for request in fake.requests if "policies" in request.path]


@pytest.mark.parametrize("alert", alerts(), ids=lambda alert: alert.key)
def test_a_rule_uses_backend_macros_only(alert: Any) -> None:
    assert set(re.findall(r"\$__\w+", alert.sql)) <= {"$__fromTime", "$__toTime", "$__timeFilter"}
    assert not re.findall(r"\$(?!__)\w|\$\{", alert.sql)


@pytest.mark.parametrize("alert", alerts(), ids=lambda alert: alert.key)
def test_a_message_uses_labels_that_the_answer_has(alert: Any) -> None:
    labels = set(re.findall(r"\$labels\.(\w+)", alert.summary + alert.description))
    assert labels <= set(alert.columns[:-1])


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0s"), (60, "1m"), (90, "1m30s"), (3600, "1h"), (86_400, "24h"), (5400, "1h30m")]
)
def test_durations_are_written_as_grafana_writes_them(seconds: int, text: str) -> None:
    assert duration(seconds) == text


def test_the_file_has_the_same_rules_in_groups() -> None:
    rules = [rule_json(alert) for alert in alerts()]
    written = provisioning_file(rules)
    inside = {rule["uid"]: rule for group in written["groups"] for rule in group["rules"]}
    assert set(inside) == {rule["uid"] for rule in rules}
    for rule in rules:
        assert inside[rule["uid"]]["data"] == rule["data"]
        assert inside[rule["uid"]]["dashboardUid"] == rule["annotations"]["__dashboardUid__"]
    assert [group["interval"] for group in written["groups"]] == ["1m", "1h"]


def test_the_file_has_a_folder_of_its_own() -> None:
    """Grafana makes the folders of alert files first, by title and with a uid of its choice."""
    folders = {group["folder"] for group in provisioning_file([])["groups"]}
    assert not folders & set(FOLDER_TITLES.values())


def test_grafana_would_not_take_anything_in_the_file_for_a_variable() -> None:
    """It replaces `$name` in most texts, and `${name}` in annotations; statements it leaves alone."""
    for group in provisioning_file([rule_json(alert) for alert in alerts()])["groups"]:
        for rule in group["rules"]:
            assert "${" not in str(rule["annotations"])
            replaced = {key: value for key, value in rule.items() if key not in ("annotations", "data")}
            assert "$" not in str(replaced)
            assert not [query for query in rule["data"] if "$" in str({**query, "model": ""})]
