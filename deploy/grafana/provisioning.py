"""What Grafana reads from files at its start: the data source, and where the dashboards lie."""

from __future__ import annotations

from collections.abc import Mapping

import yaml

from deploy.grafana.marks import DATA_SOURCES, FOLDERS
from deploy.grafana.rendering.targets import PLUGIN

FOLDER_TITLES: Mapping[str, str] = {"reader": "Tieline", "auditor": "Tieline audit"}
"""Account to the title of the folder in Grafana."""
DASHBOARDS_AT = "/etc/grafana/provisioning/dashboards"
"""Where Grafana's image looks for providers, and where the exported folder is to be mounted."""
_SOURCE_HEAD = """# The data source of Tieline's dashboards: ClickHouse as {account}, who reads granted views only.
# Written by `tieline dashboards export`. The password comes from Grafana's environment.
"""
_PROVIDER_HEAD = """# Where Grafana finds Tieline's dashboards. Written by `tieline dashboards export`.
"""


def data_source_yaml(account: str = "reader", org: int = 1) -> str:
    """A data source that Grafana reads at its start, with ClickHouse as it is named in docker-compose.yml."""
    source = {
        "name": FOLDER_TITLES[account],
        "uid": DATA_SOURCES[account],
        "type": PLUGIN,
        "orgId": org,
        "access": "proxy",
        "isDefault": account == "reader",
        "editable": False,
        "jsonData": {
            "host": "clickhouse",
            "port": 8123,
            "protocol": "http",
            "secure": False,
            "username": account,
            "defaultDatabase": "tieline",
            "dialTimeout": "10",
            "queryTimeout": "60",
        },
        "secureJsonData": {"password": f"${_password(account)}"},
    }
    return _SOURCE_HEAD.format(account=account) + _yaml({"apiVersion": 1, "datasources": [source]})


def provider_yaml(account: str = "reader", org: int = 1) -> str:
    """A provider of the dashboards that are read as an account; what no file defines any more is removed."""
    provider = {
        "name": FOLDERS[account],
        "orgId": org,
        "folder": FOLDER_TITLES[account],
        "folderUid": FOLDERS[account],
        "type": "file",
        "disableDeletion": False,
        "allowUiUpdates": False,
        "updateIntervalSeconds": 60,
        "options": {"path": f"{DASHBOARDS_AT}/{FOLDERS[account]}", "foldersFromFilesStructure": False},
    }
    return _PROVIDER_HEAD + _yaml({"apiVersion": 1, "providers": [provider]})


def _password(account: str) -> str:
    return f"TIELINE_{account.upper()}_PASSWORD"


def _yaml(value: object) -> str:
    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True)
