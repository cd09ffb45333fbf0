"""What tests push: the real definitions, and small changes of them."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

from pydantic import SecretStr

from deploy.dashboards.catalogue import DASHBOARDS
from deploy.grafana.alerts import AlertSettings
from deploy.grafana.api import Grafana
from deploy.grafana.change import Change
from deploy.grafana.data_source import DataSource
from deploy.grafana.push import Wanted, carry_out, plan
from deploy.grafana.rendering.render import dashboard_json
from deploy.grafana.settings import ClickHouseAddress

ADDRESS = ClickHouseAddress(host="clickhouse", port=8123)
PASSWORD = "readers-secret"
SOURCE = DataSource("reader", ADDRESS, SecretStr(PASSWORD))


def wanted(**more: Any) -> Wanted:
    """Everything that everybody gets."""
    account = more.get("account", "reader")
    dashboards = [dashboard_json(each) for each in DASHBOARDS if each.data_source == account]
    usual: dict[str, Any] = {
        "account": account,
        "dashboards": dashboards,
        "folder": "Tieline",
        "data_source": SOURCE,
        "alerts": AlertSettings(),
    }
    return Wanted(**{**usual, **more})


def without_dashboard(given: Wanted, uid: str) -> Wanted:
    """As if it were no longer defined."""
    return replace(given, dashboards=[each for each in given.dashboards if each["uid"] != uid])


def push(grafana: Grafana, given: Wanted, prune: bool = False) -> list[Change]:
    """Plans and does it."""
    return list(carry_out(plan(grafana, given, prune)))


def kinds(changes: list[Change]) -> dict[str, str]:
    """Name of each thing that is not as it was, to what happens to it."""
    return {f"{change.what} {change.name}": change.kind for change in changes if change.kind != "unchanged"}


def edited(dashboard: dict[str, Any], **changed: Any) -> dict[str, Any]:
    """A dashboard whose first panel somebody changed."""
    copied = copy.deepcopy(dashboard)
    panel = next(panel for panel in copied["panels"] if panel["type"] != "row")
    panel.update(changed)
    return copied
