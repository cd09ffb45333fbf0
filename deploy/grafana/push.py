"""Make Grafana what we want it to be: look at everything first, then do only what differs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from deploy.grafana import faults
from deploy.grafana.alerts import GROUPS, AlertSettings, alerts
from deploy.grafana.api import Grafana, Json
from deploy.grafana.change import Change
from deploy.grafana.contact_point import NAME as CONTACT_POINT_NAME
from deploy.grafana.contact_point import contact_point, plan_contact_point, plan_forgotten_contact_point
from deploy.grafana.dashboard_push import plan_dashboard, plan_forgotten_dashboards
from deploy.grafana.data_source import DataSource, plan_data_source
from deploy.grafana.folder import plan_folder
from deploy.grafana.interventions import Intervention, plan_interventions
from deploy.grafana.marks import FOLDERS
from deploy.grafana.rule_json import rule_json
from deploy.grafana.rule_push import plan_forgotten_rules, plan_interval, plan_rules


@dataclass(frozen=True, slots=True)
class Wanted:
    """What Grafana is to hold.

    Attributes:
        dashboards: account that reads them to their JSON; an account that is not here is not looked at.
        defined: uids of all dashboards that there are, pushed or not: these are never pruned.
        folder: title of the folder; that of the auditors' is made from it.
        data_sources: empty: they are none of our business.
        panels: (uid of a dashboard, key of a panel) to its number.
        alerts: None: rules and contact points are not looked at.
        webhook: URL for the contact point; empty: whatever is there.
        interventions: None: annotations are not looked at.
    """

    dashboards: dict[str, Sequence[Json]]
    defined: frozenset[str]
    folder: str = "Tieline"
    data_sources: Sequence[DataSource] = ()
    panels: dict[tuple[str, str], int] = field(default_factory=dict)
    alerts: AlertSettings | None = None
    webhook: str = ""
    interventions: Sequence[Intervention] | None = None


def check(grafana: Grafana) -> str:
    """Grafana's version, if it is one that we can push to.

    Raises: GrafanaRefused: too old, or without the plug-in; TransientError: not there.
    """
    version = grafana.version()
    match = re.match(r"(\d+)\.(\d+)", version)
    if match and (int(match[1]), int(match[2])) < faults.OLDEST_VERSION:
        raise faults.too_old(version)
    if grafana.plugin_version(faults.PLUGIN_ID) is None:
        raise faults.no_plugin()
    return version or "of an unknown version"


def plan(grafana: Grafana, wanted: Wanted, prune: bool = False) -> list[Change]:
    """Reads, and writes nothing. In the order in which things need each other."""
    changes = [plan_folder(grafana, FOLDERS[account], _title(wanted, account)) for account in wanted.dashboards]
    changes += [plan_data_source(grafana, source) for source in wanted.data_sources]
    for account, dashboards in wanted.dashboards.items():
        changes += [plan_dashboard(grafana, dashboard, FOLDERS[account]) for dashboard in dashboards]
        changes += plan_forgotten_dashboards(grafana, FOLDERS[account], wanted.defined, prune)
    if wanted.alerts is not None:
        changes += _plan_alerts(grafana, wanted, wanted.alerts, prune)
    if wanted.interventions is not None:
        changes += plan_interventions(grafana, wanted.interventions, prune)
    return changes


def carry_out(changes: Sequence[Change]) -> Iterator[Change]:
    """Does what is to be done, one after the other; yields each when it is done."""
    for change in changes:
        if change.writes and change.apply is not None:
            change.apply()
        yield change


def wanted_rules(wanted: Wanted) -> list[Json]:
    """The alert rules as they are pushed."""
    receiver = CONTACT_POINT_NAME if wanted.webhook else ""
    return [rule_json(alert, wanted.panels, receiver) for alert in alerts(wanted.alerts)]


def _plan_alerts(grafana: Grafana, wanted: Wanted, settings: AlertSettings, prune: bool) -> Iterator[Change]:
    present_points = grafana.contact_points()
    if wanted.webhook:
        yield plan_contact_point(grafana, present_points, contact_point(wanted.webhook))
    rules, present = wanted_rules(wanted), grafana.alert_rules()
    yield from plan_rules(grafana, present, rules, prune)
    for group in GROUPS:
        yield plan_interval(grafana, FOLDERS["reader"], group)
    yield from plan_forgotten_rules(grafana, present, {alert.uid for alert in alerts(settings)}, prune)
    forgotten = None if wanted.webhook else plan_forgotten_contact_point(grafana, present_points, prune)
    if forgotten is not None:
        yield forgotten


def _title(wanted: Wanted, account: str) -> str:
    return wanted.folder if account == "reader" else f"{wanted.folder} audit"
