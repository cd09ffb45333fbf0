"""The one place that knows grafana-client: what Tieline needs of Grafana's HTTP API, and its faults in our words.

Nothing is retried, and redirects are not followed: a redirected POST becomes a GET, and the token would travel.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlsplit

from grafana_client.api import GrafanaApi
from grafana_client.client import GrafanaException, GrafanaTimeoutError
from niquests import exceptions as http

from deploy.grafana import faults
from deploy.grafana.settings import GrafanaSettings

Json = dict[str, Any]
_MOST_FOUND = 5000
_EDITABLE = {"X-Disable-Provenance": "true"}


class Grafana:
    """One Grafana.

    Every method raises: GrafanaRefused (and other ConfigErrors), TransientError.
    `secrets` never appear in an error, whatever Grafana or a proxy answers.
    """

    def __init__(self, settings: GrafanaSettings, secrets: Sequence[str] = ()) -> None:
        self.url = settings.url
        token = settings.token.get_secret_value()
        self._secrets = [secret for secret in (token, *secrets) if secret]
        parts = urlsplit(settings.url)
        make: Any = GrafanaApi  # the library is not typed
        self._api: Any = make(
            auth=token,
            host=parts.hostname,
            protocol=parts.scheme,
            verify=str(settings.ca_file) if settings.ca_file else True,
            timeout=settings.timeout_s,
            user_agent="tieline",
        )
        # Its own way to put an address together loses IPv6 brackets.
        self._api.client.url = f"{settings.url}/api"
        self._api.client.s.max_redirects = 0

    # What Grafana is

    def version(self) -> str:
        """Such as `13.2.3`; empty if it does not tell. Needs no token."""
        doing = "look at Grafana"
        # Its own check asks for the front end's settings, which need one.
        health = self._do(doing, self._api.client.GET, "/health")
        if "database" not in health:
            raise faults.not_grafana(self.url, doing)
        return str(health.get("version") or "")

    def plugin_version(self, plugin: str) -> str | None:
        """Of an installed plug-in; None if it is not there."""
        found = self._find(f"look for the plugin {plugin}", self._api.client.GET, f"/plugins/{plugin}/settings")
        return None if found is None else str(_object(found.get("info")).get("version") or "")

    # Folders

    def folder(self, uid: str) -> Json | None:
        return self._find(f"read the folder {uid}", self._api.folder.get_folder, uid)

    def create_folder(self, uid: str, title: str) -> Json:
        return self._do(f"create the folder “{title}”", self._api.folder.create_folder, title, uid)

    def update_folder(self, uid: str, title: str, version: int) -> Json:
        return self._do(f"rename the folder {uid}", self._api.folder.update_folder, uid, title=title, version=version)

    # Data sources

    def data_source(self, uid: str) -> Json | None:
        return self._find(f"read the data source {uid}", self._api.datasource.get_datasource_by_uid, uid)

    def create_data_source(self, body: Json) -> Json:
        return self._do(f"create the data source {body['uid']}", self._api.datasource.create_datasource, body)

    def update_data_source(self, uid: str, body: Json) -> Json:
        return self._do(f"update the data source {uid}", self._api.datasource.update_datasource_by_uid, uid, body)

    def data_source_fault(self, uid: str) -> str:
        """Why Grafana cannot reach what is behind a data source; empty: it can."""
        try:
            self._ask(f"try the data source {uid}", self._api.datasource.health, uid)
        except faults.GrafanaRefused as error:
            if error.status != 400:
                raise
            return error.said or "it does not answer"
        return ""

    # Dashboards

    def dashboard(self, uid: str) -> Json | None:
        """`dashboard` and `meta`. A dashboard that was saved in a newer format than this API reads: only `meta`."""
        try:
            return self._find(f"read the dashboard {uid}", self._api.dashboard.get_dashboard, uid)
        except faults.GrafanaRefused as error:
            if error.status != 406:
                raise
            return {"meta": {}}

    def dashboards(self, folder_uid: str, tag: str) -> list[Json]:
        """`uid`, `title`, `tags`, `folderUid` of what a folder holds."""
        look = self._api.search.search_dashboards
        doing = f"list the dashboards of the folder {folder_uid}"
        return self._list(doing, look, tag=tag, folder_uids=folder_uid, type_="dash-db", limit=_MOST_FOUND)

    def last_message(self, uid: str) -> str:
        """What was said when a dashboard was last saved; empty if nobody knows."""
        doing = f"read the versions of the dashboard {uid}"
        found = self._ask(doing, self._api.client.GET, f"/dashboards/uid/{_path(uid)}/versions", params={"limit": 1})
        versions = found.get("versions") if isinstance(found, dict) else found
        return str(versions[0].get("message") or "") if isinstance(versions, list) and versions else ""

    def save_dashboard(self, dashboard: Json, folder_uid: str, message: str, overwrite: bool = False) -> Json:
        body = {"dashboard": dashboard, "folderUid": folder_uid, "message": message, "overwrite": overwrite}
        return self._do(f"save the dashboard “{dashboard['title']}”", self._api.dashboard.update_dashboard, body)

    def delete_dashboard(self, uid: str) -> None:
        # Somebody else may have been faster, and the search that found it is behind: not there is done.
        self._find(f"delete the dashboard {uid}", self._api.dashboard.delete_dashboard, uid)

    # Alerts. People may edit what we make: the header keeps Grafana from locking it.

    def alert_rules(self) -> list[Json]:
        return self._list("list the alert rules", self._api.alertingprovisioning.get_alertrules_all)

    def create_alert_rule(self, rule: Json) -> None:
        create = self._api.alertingprovisioning.create_alertrule
        self._do(f"create the alert rule “{rule['title']}”", create, rule, disable_provenance=True)

    def update_alert_rule(self, rule: Json) -> None:
        update = self._api.alertingprovisioning.update_alertrule
        self._do(f"update the alert rule “{rule['title']}”", update, rule["uid"], rule, disable_provenance=True)

    def delete_alert_rule(self, uid: str) -> None:
        # Its own method cannot send the header.
        self._ask(
            f"delete the alert rule {uid}",
            self._api.client.DELETE,
            f"/v1/provisioning/alert-rules/{_path(uid)}",
            headers=_EDITABLE,
        )

    def rule_group(self, folder_uid: str, group: str) -> Json | None:
        read = self._api.alertingprovisioning.get_rule_group
        return self._find(f"read the alert rule group {group}", read, folder_uid, group)

    def update_rule_group(self, folder_uid: str, group: str, body: Json) -> None:
        update = self._api.alertingprovisioning.update_rule_group
        self._do(f"update the alert rule group {group}", update, folder_uid, group, body, disable_provenance=True)

    def contact_points(self) -> list[Json]:
        return self._list("list the contact points", self._api.alertingprovisioning.get_contactpoints)

    def create_contact_point(self, point: Json) -> None:
        create = self._api.alertingprovisioning.create_contactpoint
        self._do(f"create the contact point “{point['name']}”", create, point, disable_provenance=True)

    def update_contact_point(self, point: Json, editable: bool = True) -> None:
        update = self._api.alertingprovisioning.update_contactpoint
        doing = f"update the contact point “{point['name']}”"
        self._ask(doing, update, point["uid"], point, disable_provenance=editable)

    def delete_contact_point(self, uid: str) -> None:
        self._find(f"delete the contact point {uid}", self._api.alertingprovisioning.delete_contactpoint, uid)

    # Annotations of the whole organisation. Its own methods send nulls, and tags as they are.

    def annotations(self, tags: Sequence[str]) -> list[Json]:
        """Those with all of the tags."""
        asked = {"tags": list(tags), "type": "annotation", "limit": _MOST_FOUND}
        found = self._list("list the annotations", self._api.client.GET, "/annotations", params=asked)
        if len(found) >= _MOST_FOUND:
            raise faults.GrafanaRefused(
                0, f"Grafana has {_MOST_FOUND} or more annotations tagged {tags}; push with --no-interventions"
            )
        return found

    def create_annotation(self, body: Json) -> None:
        self._do("create an annotation", self._api.client.POST, "/annotations", json=body)

    def update_annotation(self, number: int, changed: Json) -> None:
        self._do("update an annotation", self._api.client.PATCH, f"/annotations/{number}", json=changed)

    def delete_annotation(self, number: int) -> None:
        self._find("delete an annotation", self._api.annotations.delete_annotations_by_id, number)

    # One request

    def _find(self, doing: str, call: Callable[..., object], *given: object, **more: object) -> Json | None:
        """None: it is not there."""
        try:
            return self._do(doing, call, *given, **more)
        except faults.GrafanaRefused as error:
            if error.status != 404:
                raise
            return None

    def _do(self, doing: str, call: Callable[..., object], *given: object, **more: object) -> Json:
        answer = self._ask(doing, call, *given, **more)
        if not isinstance(answer, dict):
            raise faults.not_grafana(self.url, doing)
        return answer

    def _list(self, doing: str, call: Callable[..., object], *given: object, **more: object) -> list[Json]:
        answer = self._ask(doing, call, *given, **more)
        if answer is None:
            return []
        if not isinstance(answer, list):
            raise faults.not_grafana(self.url, doing)
        return answer

    def _ask(self, doing: str, call: Callable[..., object], *given: object, **more: object) -> object:
        """Nothing of the library's errors is kept as a cause: they hold the request, and so the token."""
        try:
            answer = call(*given, **more)
        except GrafanaTimeoutError:
            raise faults.unreachable(self.url, "no answer in time") from None
        except GrafanaException as error:
            raise faults.refused(int(error.status_code), doing, self._without_secrets(_said(error))) from None
        except http.JSONDecodeError as error:
            if error.doc:
                raise faults.not_grafana(self.url, doing) from None
            answer = None  # done, and nothing to say about it
        except http.TooManyRedirects:
            raise faults.redirected(self.url) from None
        except http.SSLError as error:
            raise faults.not_certified(self.url, self._without_secrets(_reason(error))) from None
        except (http.RequestException, OSError) as error:
            raise faults.unreachable(self.url, self._without_secrets(_reason(error))) from None
        if isinstance(answer, str):  # the library hands on what is text, such as a log-in page
            raise faults.not_grafana(self.url, doing)
        return answer

    def _without_secrets(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text


def _said(error: Any) -> str:
    response = error.response
    if isinstance(response, Mapping):
        said = response.get("message") or response.get("msg") or ""
        return str(said)
    return str(response or "")


def _reason(error: BaseException) -> str:
    """The innermost cause, in one line: what surrounds it are names of Python objects."""
    while error.__cause__ is not None or error.__context__ is not None:
        error = error.__cause__ or error.__context__  # type: ignore[assignment]
    return " ".join(str(error).split())[:200] or type(error).__name__


def _object(value: object) -> Json:
    return value if isinstance(value, dict) else {}


def _path(uid: str) -> str:
    return quote(uid, safe="")
