"""Data sources: what is secret is taken, and never told again."""

from __future__ import annotations

from typing import Any

from tests.integration.grafana.fake.answers import Answer, Json, Refusal


class Sources:
    """Data sources by their uid."""

    def __init__(self) -> None:
        self.sources: dict[str, Json] = {}
        self.secrets: dict[str, dict[str, str]] = {}
        self.unhealthy = ""

    def routes(self) -> list[tuple[str, str, Any]]:
        return [
            ("GET", r"/datasources/uid/([^/]+)", lambda _, uid: self._source(uid)),
            ("GET", r"/datasources/uid/([^/]+)/health", lambda _, uid: self._health(uid)),
            ("POST", r"/datasources", lambda request: self._create(request.body)),
            ("PUT", r"/datasources/uid/([^/]+)", lambda request, uid: self._update(uid, request.body)),
        ]

    def _source(self, uid: str) -> Answer:
        if uid not in self.sources:
            raise Refusal(404, "Data source not found")
        return Answer(body={**self.sources[uid], "secureJsonFields": dict.fromkeys(self.secrets.get(uid, {}), True)})

    def _health(self, uid: str) -> Answer:
        self._source(uid)
        if self.unhealthy:
            return Answer(400, {"status": "ERROR", "message": self.unhealthy})
        return Answer(body={"status": "OK", "message": "Data source is working"})

    def _create(self, body: Json) -> Answer:
        if body["uid"] in self.sources:
            raise Refusal(409, "data source with the same uid already exists")
        self._refuse_name(body)
        stored = self._store(body, 1)
        return Answer(
            body={
                "id": stored["id"],
                "name": stored["name"],
                "message": "Datasource added",
                "datasource": self._source(body["uid"]).body,
            }
        )

    def _update(self, uid: str, body: Json) -> Answer:
        self._source(uid)
        there = self.sources[uid]
        if there.get("readOnly"):
            raise Refusal(403, "Cannot update read-only data source")
        if "version" in body and body["version"] != there["version"]:
            raise Refusal(409, "Datasource has already been updated by someone else. Please reload and try again")
        self._refuse_name(body)
        stored = self._store(body, there["version"] + 1)
        return Answer(
            body={
                "id": stored["id"],
                "name": stored["name"],
                "message": "Datasource updated",
                "datasource": self._source(uid).body,
            }
        )

    def _refuse_name(self, body: Json) -> None:
        if any(there["name"] == body["name"] for uid, there in self.sources.items() if uid != body["uid"]):
            raise Refusal(409, "data source with the same name already exists")

    def _store(self, body: Json, version: int) -> Json:
        uid = body["uid"]
        self.secrets.setdefault(uid, {}).update(body.get("secureJsonData", {}))
        added = {
            "id": len(self.sources) + 1,
            "orgId": 1,
            "typeLogoUrl": "logo.svg",
            "url": "",
            "user": "",
            "database": "",
            "basicAuth": False,
            "withCredentials": False,
            "isDefault": False,
            "readOnly": False,
        }
        given = {key: value for key, value in body.items() if key != "secureJsonData"}
        kept = {"id": self.sources[uid]["id"]} if uid in self.sources else {}
        self.sources[uid] = {**added, **kept, **given, "version": version}
        return self.sources[uid]
