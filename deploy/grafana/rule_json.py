"""Alert rules as Grafana takes them: by its provisioning API, and as a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from deploy.grafana.alerts import GROUPS, Alert
from deploy.grafana.api import Json
from deploy.grafana.faults import PLUGIN_ID
from deploy.grafana.marks import DATA_SOURCES, FOLDERS, PREFIX

PLUGIN_VERSION = "4.20.0"


def rule_json(alert: Alert, panels: Mapping[tuple[str, str], int], receiver: str = "") -> Json:
    """The rule as Grafana's provisioning API takes it.

    panels: uid of a dashboard and title or key of a panel, to the number that Grafana knows the panel by.
    receiver: the contact point; empty: Grafana's notification policies decide.
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
        "annotations": {
            "summary": alert.summary,
            "description": alert.description,
            **_link(alert, panels),
        },
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
            "datasource": {"type": PLUGIN_ID, "uid": uid},
            "editorType": "sql",
            "pluginVersion": PLUGIN_VERSION,
            "rawSql": alert.sql,
            "format": 1,
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


def _link(alert: Alert, panels: Mapping[tuple[str, str], int]) -> dict[str, str]:
    """Both or none: Grafana refuses a dashboard without a panel."""
    dashboard, panel = alert.panel
    number = panels.get((f"{PREFIX}{dashboard}", panel))
    return {} if number is None else {"__dashboardUid__": f"{PREFIX}{dashboard}", "__panelId__": str(number)}


def duration(seconds: int) -> str:
    """As Grafana writes it back: `1h`, `2m`, `90s` as `1m30s`, `0s`."""
    parts = [(seconds // 3600, "h"), (seconds % 3600 // 60, "m"), (seconds % 60, "s")]
    return "".join(f"{number}{unit}" for number, unit in parts if number) or "0s"


def provisioning_file(rules: Sequence[Json], folder: str) -> Json:
    """The same rules as a file for Grafana's `provisioning/alerting` folder, whose words differ a little."""
    groups = []
    for group in GROUPS:
        inside = [_file_rule(rule) for rule in rules if rule["ruleGroup"] == group.name]
        groups.append(
            {
                "orgId": 1,
                "name": group.name,
                "folder": folder,
                "interval": duration(group.interval_s),
                "rules": inside,
            }
        )
    return {"apiVersion": 1, "groups": groups}


def _file_rule(rule: Json) -> Json:
    left_out = ("folderUID", "ruleGroup", "orgID")
    renamed = {key: value for key, value in rule.items() if key not in left_out}
    link = renamed["annotations"]
    if "__dashboardUid__" in link:
        renamed["dashboardUid"] = link["__dashboardUid__"]
        renamed["panelId"] = int(link["__panelId__"])
    return renamed
