"""Dashboards: what is to be saved, and what is ours and no longer defined."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator

from deploy.grafana.api import Grafana, Json
from deploy.grafana.change import Change
from deploy.grafana.compare import differences
from deploy.grafana.faults import GrafanaRefused
from deploy.grafana.marks import PREFIX, TAG

_FROM_A_FILE = "provisioned from a file of Grafana's: change it there"


def plan_dashboard(grafana: Grafana, wanted: Json, folder_uid: str) -> Change:
    """What people changed is shown, and undone. A save in between is noticed by Grafana, by the version we read."""
    title, uid, message = str(wanted["title"]), str(wanted["uid"]), _message(wanted)
    present = grafana.dashboard(uid)
    if present is None:
        return Change("create", "dashboard", title, apply=lambda: grafana.save_dashboard(wanted, folder_uid, message))
    meta = present.get("meta") or {}
    found = _differences(wanted, present.get("dashboard"), meta, folder_uid)
    if not found or (_same_place(meta, folder_uid) and _message_of(grafana, uid) == message):
        # Our last save is still the newest: what differs is how Grafana wrote it down.
        return Change("unchanged", "dashboard", title)
    if meta.get("provisioned"):
        return Change("kept", "dashboard", title, found, _FROM_A_FILE)
    version = (present.get("dashboard") or {}).get("version")
    body = wanted if version is None else {**wanted, "version": version}
    return Change(
        "update",
        "dashboard",
        title,
        found,
        apply=lambda: grafana.save_dashboard(body, folder_uid, message, overwrite=version is None),
    )


def plan_forgotten_dashboards(
    grafana: Grafana, folder_uid: str, defined: Collection[str], prune: bool
) -> Iterator[Change]:
    """Dashboards in our folder that carry our tag and our kind of uid, and that nobody defines any more."""
    for found in grafana.dashboards(folder_uid, TAG):
        uid, title = str(found.get("uid")), str(found.get("title"))
        ours = uid.startswith(PREFIX) and TAG in found.get("tags", []) and found.get("folderUid") == folder_uid
        if not ours or uid in defined:
            continue
        if prune:
            yield Change("delete", "dashboard", title, apply=lambda uid=uid: grafana.delete_dashboard(uid))  # type: ignore[misc]
        else:
            yield Change("kept", "dashboard", title, note="no longer defined: --prune removes it")


def _differences(wanted: Json, present: Json | None, meta: Json, folder_uid: str) -> list[str]:
    if present is None:
        return ["saved in a newer format than can be compared"]
    moved = [] if _same_place(meta, folder_uid) else [f"folder: {meta.get('folderTitle') or 'another'} → ours"]
    return moved + differences(wanted, present, tell_added=True)


def _same_place(meta: Json, folder_uid: str) -> bool:
    return meta.get("folderUid") in (None, folder_uid)


def _message(wanted: Json) -> str:
    """Says in Grafana's list of versions what was pushed; the hash tells it from every other content."""
    content = json.dumps(wanted, sort_keys=True, ensure_ascii=False).encode()
    return f"tieline dashboards push, content {hashlib.sha256(content).hexdigest()[:16]}"


def _message_of(grafana: Grafana, uid: str) -> str:
    try:
        return grafana.last_message(uid)
    except GrafanaRefused:
        return ""  # then only the content counts
