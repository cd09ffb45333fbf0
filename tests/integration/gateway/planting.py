"""Names and texts, planted wherever somebody can send something."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
from collections.abc import Mapping
from typing import Any

from tests.unit.gateway.gateways import event

NAME, TEXT, KEY = "Zebedee Quillfeather", "quux-grumpy-body-text", "xyzzysecretkey"
PLANTED = (NAME, "Zebedee", "Quillfeather", TEXT, "grumpy", KEY)
SECRET = "planted-webhook-secret"
SECRET_ENV = "PLANTED_SECRET"
SOURCES = """
sources:
  code: {connector: github, process: p, verify: {kind: github, secrets: [{env: PLANTED_SECRET}]}, options: {}}
  pager: {connector: pagerduty, process: p, verify: {kind: token}}
  ehr: {connector: fhir, process: p, verify: {kind: token}}
  adt: {connector: hl7v2, process: p, verify: {kind: token}}
  desk: {connector: jira, process: p, verify: {kind: token}}
  itsm: {connector: servicenow, process: p, verify: {kind: token}}
  help: {connector: zendesk, process: p, verify: {kind: token}}
  any:
    connector: json
    process: p
    verify: {kind: token}
    options:
      mapping: {format: json, work_item: id, time: at, role: {attribute: team, kind: group}, actor: {attribute: who}}
"""


class Asking:
    """Asks a gateway on this machine, and keeps everything that it answered in `said`."""

    def __init__(self, port: int, token: str) -> None:
        self.port, self.token, self.said = port, token, b""

    def ask(self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        given = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json", **(headers or {})}
        connection.request(method, path, body, given)
        answer = connection.getresponse()
        head = "".join(f"{name}: {value}\n" for name, value in answer.getheaders())
        self.said += head.encode() + answer.read()
        connection.close()
        return answer.status

    def post(self, path: str, document: Any, **headers: str) -> int:
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        return self.ask("POST", path, body, {name.replace("_", "-"): value for name, value in headers.items()})


def named_event(**more: Any) -> dict[str, Any]:
    """A valid event whose actor is somebody."""
    return event(1, actor={"id": NAME, "kind": "human"}, **more)


def planted(gateway: Asking) -> list[int]:
    """Name, text and unknown key wherever a request can hold them; returns the statuses."""
    good = named_event()
    bad = [
        {**good, "data": {**good["data"], KEY: TEXT}},
        {**good, "data": {**good["data"], "role": [NAME]}},
        {**good, "data": TEXT},
        {**good, "type": NAME},
        {**good, "time": TEXT},
        {**good, "process": f"{NAME}/{TEXT}"},
        {**good, "source": f"#{NAME}"},
        {NAME: TEXT},
        [NAME],
        NAME,
    ]
    statuses = [gateway.post("/v1/events", good)]
    for path in ("/v1/events", "/v1/validate"):
        statuses += [gateway.post(path, each) for each in bad]
        statuses.append(gateway.post(path, [good, *bad]))
        statuses.append(gateway.post(path, f"{NAME}\n{json.dumps(good)}".encode(), content_type="application/x-ndjson"))
        statuses.append(gateway.post(path, f'{{"{NAME}": '.encode()))
        statuses.append(gateway.post(path, good, content_type=f"text/{KEY}"))
        statuses.append(gateway.post(path, good, content_encoding=KEY))
        statuses.append(gateway.post(path, NAME.encode(), content_encoding="gzip"))
        statuses.append(gateway.post(path, good, authorization=f"Bearer {KEY}"))
        statuses.append(gateway.post(path, good, authorization=f"{KEY} {NAME}"))
        statuses.append(gateway.post(path, {}, ce_specversion="1.0", ce_xyzzysecretkey="%ff", ce_subject=TEXT))
        statuses.append(gateway.post(path, f"{{}},{NAME}".encode(), ce_specversion=NAME))
    for body in (good, bad[0]):
        statuses.append(gateway.post("/v1/events", body, idempotency_key=KEY))
    statuses.append(gateway.post(f"/v1/{KEY}", good))
    statuses.append(gateway.post(f"/v1/sources/{KEY}", good))
    statuses += [gateway.ask("PATCH", "/v1/events"), gateway.ask(KEY.upper(), "/v1/events")]
    return statuses + deliveries(gateway)


def deliveries(gateway: Asking) -> list[int]:
    """What sources send, right and wrong, with names and texts in it."""
    issue = {
        "action": KEY,
        "issue": {"id": 1, "number": 1, "title": TEXT, "body": TEXT, "user": {"login": NAME}, "created_at": NAME},
        "sender": {"login": NAME},
        NAME: TEXT,
    }
    signed = json.dumps(issue).encode()
    good = "sha256=" + hmac.digest(SECRET.encode(), signed, hashlib.sha256).hex()
    statuses = [
        gateway.post("/v1/sources/code", signed, x_hub_signature_256=signature, x_github_event=kind, authorization="")
        for signature in (good, f"sha256={KEY}", KEY, "")
        for kind in ("issues", KEY)
    ]
    message = f"MSH|^~\\&|A|B|C|D|{KEY}||ADT^A01|{KEY}|P|2.5\rPID|||{NAME}||{NAME}\rPV1||I|{TEXT}\r"
    task = {"resourceType": "Task", "id": "1", "status": KEY, "description": TEXT, "owner": {"display": NAME}}
    bodies: list[Any] = [issue, {"id": 1, "at": NAME, "who": NAME, "team": TEXT}, [NAME], NAME.encode(), task, b"\xff"]
    for source in ("pager", "ehr", "desk", "itsm", "help", "any"):
        statuses += [gateway.post(f"/v1/sources/{source}", body) for body in bodies]
    for body in (message.encode(), NAME.encode(), message.encode("utf-16")):
        statuses.append(gateway.post("/v1/sources/adt", body, content_type="application/hl7-v2"))
    return statuses
