"""Make Grafana what we want it to be: look at everything first, then do only what differs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

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
from deploy.grafana.rendering.targets import PLUGIN
from deploy.grafana.rule_json import rule_json
from deploy.grafana.rule_push import plan_forgotten_rules, plan_interval, plan_rules
from schemas.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an organisation of Grafana's is to hold.

    Attributes:
        account: whose dashboards: `reader` (everybody's) or `auditor`.
        dashboards: as JSON.
        folder: its title.
        data_source: None: it is none of our business.
        alerts: None: rules and contact points are not looked at.
        webhook: URL for the contact point; empty: whatever is there.
        interventions: None: annotations are not looked at.
    """

    account: str
    dashboards: Sequence[Json]
    folder: str
    data_source: DataSource | None = None
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
    if grafana.plugin_version(PLUGIN) is None:
        raise faults.no_plugin(PLUGIN)
    return version or "of an unknown version"


def plan(grafana: Grafana, wanted: Wanted, prune: bool = False) -> list[Change]:
    """Reads, and writes nothing. In the order in which things need each other.

    Raises: ConfigError: auditors and everybody else would share an organisation.
    """
    _refuse_to_mix(grafana, wanted.account)
    uid = FOLDERS[wanted.account]
    folder = plan_folder(grafana, uid, wanted.folder)
    changes = [folder]
    if wanted.data_source is not None:
        changes.append(plan_data_source(grafana, wanted.data_source))
    changes += [plan_dashboard(grafana, dashboard, uid) for dashboard in wanted.dashboards]
    if folder.kind != "create":
        defined = {str(dashboard["uid"]) for dashboard in wanted.dashboards}
        changes += plan_forgotten_dashboards(grafana, uid, defined, prune)
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


def _plan_alerts(grafana: Grafana, wanted: Wanted, settings: AlertSettings, prune: bool) -> Iterator[Change]:
    points, present = grafana.contact_points(), grafana.alert_rules()
    if wanted.webhook:
        yield plan_contact_point(grafana, points, contact_point(wanted.webhook))
    receiver = CONTACT_POINT_NAME if wanted.webhook else ""
    rules = [rule_json(alert, receiver) for alert in alerts(settings)]
    planned = list(plan_rules(grafana, present, rules, prune))
    yield from planned
    for group in GROUPS:
        # A group that comes from a file as a whole is not ours to time.
        if any(
            rule["ruleGroup"] == group.name and change.kind != "kept"
            for rule, change in zip(rules, planned, strict=True)
        ):
            yield plan_interval(grafana, present, FOLDERS["reader"], group)
    yield from plan_forgotten_rules(grafana, present, {str(rule["uid"]) for rule in rules}, prune)
    forgotten = None if wanted.webhook else plan_forgotten_contact_point(grafana, points, prune)
    if forgotten is not None:
        yield forgotten


def _refuse_to_mix(grafana: Grafana, account: str) -> None:
    """Whoever may look at one dashboard of an organisation may ask all of its data sources anything."""
    other = next(name for name in FOLDERS if name != account)
    if grafana.folder(FOLDERS[other]) is not None:
        raise ConfigError(
            f"this organisation of Grafana has the dashboards of the {other}s, whose data source everybody in it could"
            f" ask: use a token of an organisation of the {account}s' own"
        )
