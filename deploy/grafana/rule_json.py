"""Alert rules as Grafana takes them: by its provisioning API, and as a file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import yaml

from deploy.dashboards.catalogue import dashboard
from deploy.grafana.alerts import GROUPS, Alert, alerts
from deploy.grafana.api import Json
from deploy.grafana.marks import DATA_SOURCES, FOLDERS
from deploy.grafana.rendering.layout import panel_number
from deploy.grafana.rendering.targets import PLUGIN, PLUGIN_VERSION, TABLE

FILE_FOLDER = "Tieline alerts"
"""Files of rules know folders by title only: that of the dashboards, which has a uid, Grafana would make twice."""
_FILE_HEAD = "# Tieline's alert rules for Grafana. Written by `tieline dashboards export`.\n"


def rule_json(alert: Alert, receiver: str = "") -> Json:
    """The rule as Grafana's provisioning API takes it.

    receiver: the contact point; empty: Grafana's notification policies decide.
    Raises: KeyError: it points to a panel that is not there.
    """
    rule: Json = {
        "uid": alert.uid,
        "title": alert.title,
        "folderUID": FOLDERS["reader"],
        "ruleGroup": alert.group.name,
        "orgID": 1,  # required; Grafana takes that of the token
        "condition": "B",
        "data": [_query(alert), _threshold(alert)],
        "noDataState": alert.no_data,
        "execErrState": "Error",
        "for": duration(alert.lasting_s),
        "labels": {"tieline": alert.key},
        "annotations": {"summary": alert.summary, "description": alert.description, **_link(alert)},
        "isPaused": False,
    }
    if receiver:
        rule["notification_settings"] = {"receiver": receiver}
    return rule


def _query(alert: Alert) -> Json:
    uid = DATA_SOURCES["reader"]
    return {
        "refId": "A",
        "queryType": "table",
        "relativeTimeRange": {"from": alert.back_s, "to": 0},
        "datasourceUid": uid,
        "model": {
            "refId": "A",
            "datasource": {"type": PLUGIN, "uid": uid},
            "editorType": "sql",
            "pluginVersion": PLUGIN_VERSION,
            "rawSql": alert.sql,
            "format": TABLE,
            "queryType": "table",
            "meta": {},
            "intervalMs": 1000,
            "maxDataPoints": 43200,
        },
    }


def _threshold(alert: Alert) -> Json:
    condition = {
        "type": "query",
        "evaluator": {"type": "gt", "params": [alert.threshold]},
        "operator": {"type": "and"},
        "query": {"params": ["A"]},
        "reducer": {"type": "last", "params": []},
    }
    return {
        "refId": "B",
        "queryType": "",
        "relativeTimeRange": {"from": 0, "to": 0},
        "datasourceUid": "__expr__",
        "model": {
            "refId": "B",
            "datasource": {"type": "__expr__", "uid": "__expr__"},
            "type": "threshold",
            "expression": "A",
            "conditions": [condition],
            "intervalMs": 1000,
            "maxDataPoints": 43200,
        },
    }


def _link(alert: Alert) -> dict[str, str]:
    """To the panel that shows more, as Grafana names it."""
    key, panel = alert.panel
    shown = dashboard(key)
    return {"__dashboardUid__": shown.uid, "__panelId__": str(panel_number(shown, shown.panel(panel)))}


def duration(seconds: int) -> str:
    """As Grafana writes it back: `1h`, `2m`, `90s` as `1m30s`, `0s`."""
    parts = [(seconds // 3600, "h"), (seconds % 3600 // 60, "m"), (seconds % 60, "s")]
    return "".join(f"{number}{unit}" for number, unit in parts if number) or "0s"


def provisioning_file(rules: Sequence[Json]) -> Json:
    """The same rules as a file for Grafana's `provisioning/alerting` folder, whose words differ a little."""
    groups = []
    for group in GROUPS:
        inside = [_file_rule(rule) for rule in rules if rule["ruleGroup"] == group.name]
        interval = duration(group.interval_s)
        groups.append({"orgId": 1, "name": group.name, "folder": FILE_FOLDER, "interval": interval, "rules": inside})
    return {"apiVersion": 1, "groups": groups}


def _file_rule(rule: Json) -> Json:
    left_out = ("folderUID", "ruleGroup", "orgID")
    renamed = {key: value for key, value in rule.items() if key not in left_out}
    link = rule["annotations"]
    return {**renamed, "dashboardUid": link["__dashboardUid__"], "panelId": int(link["__panelId__"])}


def export_rules(folder: Path) -> Path:
    """Writes the rules, with their usual settings, as `alerting/tieline.yaml` below Grafana's provisioning folder.

    Raises: OSError: the folder cannot be written.
    """
    rules = [rule_json(alert) for alert in alerts()]
    path = folder / "alerting" / "tieline.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    text = yaml.safe_dump(provisioning_file(rules), sort_keys=False, allow_unicode=True)
    path.write_text(_FILE_HEAD + text, encoding="utf-8")
    return path
