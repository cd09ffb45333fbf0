"""An example of where alerts can go: a webhook. Made only if somebody gives its URL."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from deploy.grafana.api import Grafana, Json
from deploy.grafana.change import Change
from deploy.grafana.compare import differences
from deploy.grafana.marks import CONTACT_POINT
from schemas.errors import ConfigError

NAME = "Tieline webhook"


def contact_point(url: str) -> Json:
    """Raises: ConfigError: not a URL that Grafana could post to. The message does not repeat it: it may hold a key."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigError("--webhook: expected a URL such as https://host/path")
    return {
        "uid": CONTACT_POINT,
        "name": NAME,
        "type": "webhook",
        "settings": {"url": url, "httpMethod": "POST"},
        "disableResolveMessage": False,
    }


def plan_contact_point(grafana: Grafana, present: Sequence[Json], wanted: Json) -> Change:
    """Its settings are not shown: who knows a webhook's URL can often use it."""
    found = next((point for point in present if point.get("uid") == wanted["uid"]), None)
    if found is None:
        return Change("create", "contact point", NAME, apply=lambda: grafana.create_contact_point(wanted))
    different = [line.partition(":")[0] + ": is different" for line in differences(wanted, found)]
    if not different:
        return Change("unchanged", "contact point", NAME)
    # One that was made without our header stays locked: Grafana lets nobody unlock it.
    editable = not found.get("provenance")
    return Change(
        "update",
        "contact point",
        NAME,
        different,
        apply=lambda: grafana.update_contact_point(wanted, editable),
    )


def plan_forgotten_contact_point(grafana: Grafana, present: Sequence[Json], prune: bool) -> Change | None:
    """Ours, though no URL was given: left alone, or removed once no rule of ours names it."""
    if not any(point.get("uid") == CONTACT_POINT for point in present):
        return None
    if not prune:
        return Change("kept", "contact point", NAME, note="no --webhook given: left as it is; --prune removes it")
    return Change("delete", "contact point", NAME, apply=lambda: grafana.delete_contact_point(CONTACT_POINT))
