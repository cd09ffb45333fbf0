"""Alert rules, their groups, and contact points, by the provisioning API."""

from __future__ import annotations

import copy
from typing import Any

from tests.integration.grafana.fake.answers import Answer, Json, Refusal, Request
from tests.integration.grafana.fake.library import Library

_STATES = {"noDataState": ("Alerting", "NoData", "OK"), "execErrState": ("OK", "Alerting", "Error")}
_DEFAULT_INTERVAL_S = 60


class Alerting:
    """Who is told what."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self.rules: dict[str, Json] = {}
        self.intervals: dict[tuple[str, str], int] = {}
        self.points: dict[str, Json] = {}

    def routes(self) -> list[tuple[str, str, Any]]:
        rules, points = "/v1/provisioning/alert-rules", "/v1/provisioning/contact-points"
        group = "/v1/provisioning/folder/([^/]+)/rule-groups/([^/]+)"
        return [
            ("GET", rules, lambda _: Answer(body=list(self.rules.values()))),
            ("POST", rules, self._create_rule),
            ("PUT", rules + "/([^/]+)", self._update_rule),
            ("DELETE", rules + "/([^/]+)", lambda _, uid: self._delete_rule(uid)),
            ("GET", group, lambda _, folder, name: self._group(folder, name)),
            ("PUT", group, self._update_group),
            ("GET", points, lambda _: Answer(body=list(self.points.values()))),
            ("POST", points, self._create_point),
            ("PUT", points + "/([^/]+)", self._update_point),
            ("DELETE", points + "/([^/]+)", lambda _, uid: self._delete_point(uid)),
        ]

    def _create_rule(self, request: Request) -> Answer:
        rule = request.body
        if rule["uid"] in self.rules:
            raise Refusal(409, "a rule with this UID already exists")
        return Answer(201, self._store_rule(rule, "" if request.editable else "api"))

    def _update_rule(self, request: Request, uid: str) -> Answer:
        if uid not in self.rules:
            raise Refusal(404, "could not find alert rule")
        wanted, there = "" if request.editable else "api", self.rules[uid]["provenance"]
        if there == "file":
            raise Refusal(409, f"cannot change provenance from '{there}' to '{wanted}'")
        return Answer(200, self._store_rule({**request.body, "uid": uid}, wanted))

    def _store_rule(self, rule: Json, provenance: str) -> Json:
        self._refuse_rule(rule)
        number = self.rules.get(rule["uid"], {}).get("id") or len(self.rules) + 1
        self.rules[rule["uid"]] = copy.deepcopy(
            {**rule, "id": number, "orgID": 1, "provenance": provenance, "updated": "2026-01-01T00:00:00Z"}
        )
        self.intervals.setdefault((rule["folderUID"], rule["ruleGroup"]), _DEFAULT_INTERVAL_S)
        return self.rules[rule["uid"]]

    def _refuse_rule(self, rule: Json) -> None:
        named = {there["name"] for there in self.points.values()} | {"grafana-default-email"}
        same = [
            there["uid"]
            for there in self.rules.values()
            if (there["folderUID"], there["title"]) == (rule["folderUID"], rule["title"])
        ]
        link = [key in rule.get("annotations", {}) for key in ("__dashboardUid__", "__panelId__")]
        faults = {
            "folder does not exist": rule["folderUID"] not in self._library.folders,
            "condition does not exist": rule["condition"] not in {query["refId"] for query in rule["data"]},
            "unknown state": any(rule[key] not in states for key, states in _STATES.items()),
            "both annotations __dashboardUid__ and __panelId__ must be specified": link[0] != link[1],
            "receiver does not exist": rule.get("notification_settings", {}).get("receiver", "grafana-default-email")
            not in named,
            "a rule with this title already exists in this folder": any(uid != rule["uid"] for uid in same),
            "uid too long": len(rule["uid"]) > 40,
        }
        for message, wrong in faults.items():
            if wrong:
                raise Refusal(400, f"invalid alert rule: {message}")

    def _delete_rule(self, uid: str) -> Answer:
        if self.rules.get(uid, {}).get("provenance") == "file":
            raise Refusal(409, "cannot delete with provided provenance 'api', needs 'file'")
        self.rules.pop(uid, None)
        return Answer(204)

    def _inside(self, folder: str, name: str) -> list[Json]:
        return [rule for rule in self.rules.values() if (rule["folderUID"], rule["ruleGroup"]) == (folder, name)]

    def _group(self, folder: str, name: str) -> Answer:
        inside = self._inside(folder, name)
        if not inside:
            raise Refusal(404, "rule group not found")
        return Answer(
            body={"title": name, "folderUid": folder, "interval": self.intervals[(folder, name)], "rules": inside}
        )

    def _update_group(self, request: Request, folder: str, name: str) -> Answer:
        if request.body["interval"] % 10:
            raise Refusal(400, "interval should be a multiple of 10 seconds")
        kept = {rule["uid"] for rule in request.body["rules"]}
        for rule in self._inside(folder, name):
            if rule["uid"] not in kept:  # as Grafana does: a group is replaced
                del self.rules[rule["uid"]]
        for rule in request.body["rules"]:
            self._store_rule(rule, "" if request.editable else "api")
        self.intervals[(folder, name)] = request.body["interval"]
        return self._group(folder, name)

    def _create_point(self, request: Request) -> Answer:
        point = request.body
        if point["uid"] in self.points:
            raise Refusal(409, "a contact point with this uid already exists")
        self.points[point["uid"]] = {**point, "provenance": "" if request.editable else "api"}
        return Answer(202, self.points[point["uid"]])

    def _update_point(self, request: Request, uid: str) -> Answer:
        if uid not in self.points:
            raise Refusal(404, "contact point not found")
        wanted, there = "" if request.editable else "api", self.points[uid]["provenance"]
        if there and there != wanted:
            raise Refusal(500, f"cannot change provenance from '{there}' to '{wanted}'")
        self.points[uid] = {**request.body, "uid": uid, "provenance": wanted}
        return Answer(202, {"message": "contactpoint updated"})

    def _delete_point(self, uid: str) -> Answer:
        name = self.points.get(uid, {}).get("name")
        if any(rule.get("notification_settings", {}).get("receiver") == name for rule in self.rules.values()):
            raise Refusal(409, "contact point is currently used by an alert rule")
        self.points.pop(uid, None)
        return Answer(202, {"message": "contactpoint deleted"})
