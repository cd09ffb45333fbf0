"""Names and texts in requests get nowhere: not to Kafka, logs, answers, metrics or dead letters."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from schemas import topics
from streams.apps.topic_admin import create_topics
from streams.gateway.tokens import TOKENS_FILE, TokenFile, utc_now
from tests import brokers
from tests.integration.gateway.gateway_process import GatewayProcess
from tests.integration.gateway.on_the_log import records
from tests.unit.gateway.gateways import event

NAME, TEXT, KEY = "Zebedee Quillfeather", "quux-grumpy-body-text", "xyzzysecretkey"
PLANTED = (NAME, "Zebedee", "Quillfeather", TEXT, "grumpy", KEY)
SECRET = "planted-webhook-secret"
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


class Gateway:
    """A running gateway, and everything that it answered."""

    def __init__(self, process: GatewayProcess) -> None:
        self.process, self.said = process, b""
        file = TokenFile(process.folder / TOKENS_FILE)
        self.token = file.create(["events:write", "metrics:read"], ["*"], utc_now()).shown

    def ask(self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", self.process.port, timeout=10)
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


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    with brokers.tansu(tmp_path) as broker:
        create_topics(broker.address)
        folder = tmp_path / "data"
        folder.mkdir()
        (folder / "sources.yaml").write_text(SOURCES)
        process = GatewayProcess(broker.address, folder, env={"PLANTED_SECRET": SECRET})
        gateway = Gateway(process)
        process.start()
        try:
            yield gateway
        finally:
            process.stop()


def named_event(**more: Any) -> dict[str, Any]:
    """A valid event whose actor is somebody."""
    return event(1, actor={"id": NAME, "kind": "human"}, **more)


def planted(gateway: Gateway) -> list[int]:
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


def deliveries(gateway: Gateway) -> list[int]:
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


def test_planted_name_and_text_are_found_nowhere(gateway: Gateway, tmp_path: Path) -> None:
    statuses = planted(gateway)
    assert set(statuses) >= {200, 202, 400, 401, 404, 405, 415, 422}
    assert not [status for status in statuses if status >= 500]
    gateway.ask("GET", "/metrics")
    broker = gateway.process.broker
    events, letters = records_until(broker, topics.EVENTS, 2), records_until(broker, topics.DEAD_LETTERS, 10)
    gateway.process.stop()
    everything = {
        "answers": gateway.said,
        "log": (gateway.process.folder / "gateway.out").read_bytes(),
        "events": events,
        "dead letters": letters,
        "files": b"".join(each.read_bytes() for each in gateway.process.folder.rglob("*") if each.is_file()),
    }
    found = {(where, word) for where, content in everything.items() for word in PLANTED if word.encode() in content}
    # HL7 wants its own control id back, whatever it is.
    assert found - {("answers", KEY)} == set()
    assert SECRET.encode() not in b"".join(everything.values())
    assert gateway.token.encode() not in b"".join(everything.values())


def records_until(broker: str, topic: str, number: int) -> bytes:
    """Keys, values and headers of a topic once it holds so many records."""
    deadline_s = time.monotonic() + 20
    while True:
        found = records(broker, topic)
        if len(found) >= number or time.monotonic() > deadline_s:
            assert len(found) >= number
            return b"".join((one.key or b"") + (one.value or b"") + repr(one.headers).encode() for one in found)
        time.sleep(0.2)
