"""Folders, dashboards and their versions."""

from __future__ import annotations

import copy
from typing import Any

from tests.integration.grafana.fake.answers import Answer, Json, Refusal, Request
from tests.integration.grafana.fake.contract import Contract

_CHANGED = {"status": "version-mismatch"}


class Library:
    """What is in folders."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self.folders: dict[str, Json] = {}
        self.dashboards: dict[str, Json] = {}
        self.folder_of: dict[str, str] = {}
        self.messages: dict[str, list[str]] = {}
        self.provisioned: set[str] = set()
        self.newer_format: set[str] = set()
        self.adds_to_panels: Json = {}
        """What this Grafana writes into every panel that is saved."""

    def routes(self) -> list[tuple[str, str, Any]]:
        return [
            ("GET", r"/folders/([^/]+)", lambda _, uid: self._folder(uid)),
            ("POST", r"/folders", lambda request: self._create_folder(request.body)),
            ("PUT", r"/folders/([^/]+)", lambda request, uid: self._update_folder(uid, request.body)),
            ("GET", r"/dashboards/uid/([^/]+)", lambda _, uid: self._dashboard(uid)),
            ("GET", r"/dashboards/uid/([^/]+)/versions", lambda request, uid: self._versions(uid, request)),
            ("POST", r"/dashboards/db", lambda request: self._save(request.body)),
            ("DELETE", r"/dashboards/uid/([^/]+)", lambda _, uid: self._delete(uid)),
            ("GET", r"/search", self._search),
        ]

    def put_dashboard(self, dashboard: Json, folder_uid: str = "", message: str = "") -> None:
        """As somebody in front of Grafana saves it."""
        uid = dashboard["uid"]
        version = self.dashboards.get(uid, {}).get("version", 0) + 1
        number = self.dashboards.get(uid, {}).get("id") or len(self.dashboards) + 1
        stored = copy.deepcopy({**dashboard, "id": number, "uid": uid, "version": version})
        for panel in stored.get("panels") or []:
            panel.update({key: value for key, value in self.adds_to_panels.items() if key not in panel})
        self.dashboards[uid] = stored
        self.folder_of[uid] = folder_uid
        self.messages.setdefault(uid, []).append(message)

    def put_folder(self, uid: str, title: str) -> None:
        """As somebody in front of Grafana makes or renames it."""
        version = self.folders.get(uid, {}).get("version", 0) + 1
        self.folders[uid] = {
            "id": len(self.folders) + 1,
            "uid": uid,
            "orgId": 1,
            "title": title,
            "version": version,
            "url": f"/dashboards/f/{uid}",
            "canSave": True,
            "created": "2026-01-01T00:00:00Z",
        }

    def _folder(self, uid: str) -> Answer:
        if uid not in self.folders:
            raise Refusal(404, "folder not found", status="not-found")
        return Answer(body=self.folders[uid])

    def _create_folder(self, body: Json) -> Answer:
        if body["uid"] in self.folders:
            raise Refusal(409, "a folder with the same uid already exists")
        self._refuse_title(body["title"], "")
        self.put_folder(body["uid"], body["title"])
        return self._folder(body["uid"])

    def _update_folder(self, uid: str, body: Json) -> Answer:
        self._folder(uid)
        if body.get("version") != self.folders[uid]["version"] and not body.get("overwrite"):
            raise Refusal(412, "the folder has been changed by someone else", **_CHANGED)
        self._refuse_title(body["title"], uid)
        self.put_folder(uid, body["title"])
        return self._folder(uid)

    def _refuse_title(self, title: str, but: str) -> None:
        if any(folder["title"] == title for uid, folder in self.folders.items() if uid != but):
            raise Refusal(409, "a folder with the same name already exists in the current location")

    def _dashboard(self, uid: str) -> Answer:
        if uid in self.newer_format:
            raise Refusal(406, "dashboard api version not supported, use /apis/dashboard.grafana.app/v2 instead")
        if uid not in self.dashboards:
            raise Refusal(404, "Dashboard not found")
        folder = self.folder_of[uid]
        meta = {
            "folderUid": folder,
            "folderTitle": self.folders.get(folder, {}).get("title", "Dashboards"),
            "version": self.dashboards[uid]["version"],
            "provisioned": uid in self.provisioned,
            "canSave": True,
            "slug": uid,
            "url": f"/d/{uid}",
            "created": "2026-01-01T00:00:00Z",
        }
        return Answer(body={"dashboard": self.dashboards[uid], "meta": meta})

    def _versions(self, uid: str, request: Request) -> Answer:
        most = int(request.query.get("limit", ["0"])[0]) or None
        said = list(enumerate(self.messages.get(uid, []), start=1))[::-1][:most]
        versions = [{"id": number, "version": number, "message": message} for number, message in said]
        return Answer(body={"continueToken": "", "versions": versions})

    def _save(self, body: Json) -> Answer:
        dashboard = body["dashboard"]
        faults = self._contract.dashboard_faults(dashboard)
        if faults or not dashboard.get("title"):
            raise Refusal(400, f"not a dashboard: {faults[:3]}")
        folder, uid = body.get("folderUid", ""), dashboard["uid"]
        if folder and folder not in self.folders:
            raise Refusal(404, "folder not found", status="not-found")
        if uid in self.provisioned:
            raise Refusal(400, "Cannot save provisioned dashboard")
        there = self.dashboards.get(uid)
        if there and not body.get("overwrite") and dashboard.get("version") != there["version"]:
            raise Refusal(412, "The dashboard has been changed by someone else", **_CHANGED)
        self.newer_format.discard(uid)
        self.put_dashboard(dashboard, folder, body.get("message", ""))
        saved = self.dashboards[uid]
        return Answer(
            body={
                "id": saved["id"],
                "uid": uid,
                "status": "success",
                "version": saved["version"],
                "slug": uid,
                "title": dashboard["title"],
                "url": f"/d/{uid}",
                "folderUid": folder,
            }
        )

    def _delete(self, uid: str) -> Answer:
        self._dashboard(uid)
        if uid in self.provisioned:
            raise Refusal(400, "provisioned dashboard cannot be deleted")
        title = self.dashboards.pop(uid)["title"]
        return Answer(body={"title": title, "message": f"Dashboard {title} deleted", "uid": uid})

    def _search(self, request: Request) -> Answer:
        folders, tags = request.query.get("folderUIDs", []), request.query.get("tag", [])
        hits = [
            {
                "id": dashboard["id"],
                "uid": uid,
                "title": dashboard["title"],
                "tags": dashboard.get("tags", []),
                "type": "dash-db",
                "folderUid": self.folder_of[uid],
                "url": f"/d/{uid}",
                "isStarred": False,
            }
            for uid, dashboard in self.dashboards.items()
            if (not folders or self.folder_of[uid] in folders) and set(tags) <= set(dashboard.get("tags", []))
        ]
        return Answer(body=hits)
