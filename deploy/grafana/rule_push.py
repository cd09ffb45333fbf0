"""Alert rules, rule by rule: replacing a whole group would remove what people put into it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from deploy.grafana.alerts import Group
from deploy.grafana.api import Grafana, Json
from deploy.grafana.change import Change
from deploy.grafana.compare import differences
from deploy.grafana.contact_point import NAME
from deploy.grafana.marks import FOLDERS, PREFIX

_FROM_A_FILE = "provisioned from a file of Grafana's: change it there"


def plan_rules(grafana: Grafana, present: Sequence[Json], wanted: Sequence[Json], prune: bool) -> Iterator[Change]:
    """Each rule that we define."""
    by_uid = {str(rule.get("uid")): rule for rule in present}
    for rule in wanted:
        yield _plan(grafana, by_uid.get(str(rule["uid"])), rule, prune)


def plan_forgotten_rules(
    grafana: Grafana, present: Sequence[Json], defined: Collection[str], prune: bool
) -> Iterator[Change]:
    """Rules in our folder with our kind of uid that nobody defines any more."""
    for rule in present:
        uid, title = str(rule.get("uid")), str(rule.get("title"))
        if rule.get("folderUID") not in FOLDERS.values() or not uid.startswith(PREFIX) or uid in defined:
            continue
        if rule.get("provenance") == "file":
            yield Change("kept", "alert rule", title, note=_FROM_A_FILE)
        elif prune:
            yield Change("delete", "alert rule", title, apply=lambda uid=uid: grafana.delete_alert_rule(uid))  # type: ignore[misc]
        else:
            yield Change("kept", "alert rule", title, note="no longer defined: --prune removes it")


def plan_interval(grafana: Grafana, present: Sequence[Json], folder_uid: str, group: Group) -> Change:
    """How often a group is looked at: only the group as a whole can say it, so it is sent back as it is then."""
    what = "alert rule group"
    there = [rule for rule in present if (rule.get("folderUID"), rule.get("ruleGroup")) == (folder_uid, group.name)]
    found = grafana.rule_group(folder_uid, group.name) if there else None
    if found is None:
        return Change("create", what, group.name, apply=lambda: _set_interval(grafana, folder_uid, group))
    if found.get("interval") == group.interval_s:
        return Change("unchanged", what, group.name)
    difference = f"interval: {found.get('interval')} s → {group.interval_s} s"
    return Change("update", what, group.name, [difference], apply=lambda: _set_interval(grafana, folder_uid, group))


def _set_interval(grafana: Grafana, folder_uid: str, group: Group) -> None:
    now = grafana.rule_group(folder_uid, group.name)
    if now is not None and now.get("interval") != group.interval_s:
        grafana.update_rule_group(folder_uid, group.name, {**now, "interval": group.interval_s})


def _plan(grafana: Grafana, present: Json | None, wanted: Json, prune: bool) -> Change:
    title = str(wanted["title"])
    if present is None:
        return Change("create", "alert rule", title, apply=lambda: grafana.create_alert_rule(wanted))
    merged = _merged(present, wanted, prune)
    # Files cannot say the folder's uid; the organisation is that of the token.
    from_a_file = present.get("provenance") == "file"
    theirs = ("orgID", "folderUID") if from_a_file else ("orgID",)
    found = differences({key: value for key, value in merged.items() if key not in theirs}, present)
    found += _routing_taken_away(present, merged)
    if from_a_file:
        return Change("kept", "alert rule", title, found, _FROM_A_FILE)
    if not found:
        return Change("unchanged", "alert rule", title)
    return Change("update", "alert rule", title, found, apply=lambda: grafana.update_alert_rule(merged))


def _merged(present: Json, wanted: Json, prune: bool) -> Json:
    """What we define, with what people added to it: a pause, labels, annotations, where it is sent."""
    merged = {**wanted, "isPaused": bool(present.get("isPaused"))}
    for part in ("labels", "annotations"):
        merged[part] = {**(present.get(part) or {}), **wanted[part]}
    routed = present.get("notification_settings")
    if "notification_settings" not in wanted and routed and not (prune and routed.get("receiver") == NAME):
        merged["notification_settings"] = routed
    return merged


def _routing_taken_away(present: Json, merged: Json) -> list[str]:
    routed = present.get("notification_settings")
    if not routed or "notification_settings" in merged:
        return []
    return [f"notification_settings: {routed.get('receiver')!r} → notification policies"]
