"""Every source of the example, put together as `tieline gateway` does it: signed or with a token, read, and kept."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from deploy.composition.gateway import GatewaySettings, assembled
from streams.gateway.http.app import gateway_app
from streams.gateway.http.server import Listening
from streams.gateway.tokens import TOKENS_FILE, TokenFile, utc_now
from tests.unit.connectors import (
    payloads_fhir,
    payloads_hl7v2,
    payloads_pagerduty,
    payloads_servicenow,
    payloads_zendesk,
)
from tests.unit.gateway.asgi import Answer, ask
from tests.unit.gateway.gateways import MemoryLog

ROOT = Path(__file__).parents[3]
SECRET = "of-this-test"
POLICY = f"""
version: v1
effective_from: 2000-01-01T00:00:00Z
role_maps:
  group: {{"{payloads_zendesk.FRONT}": front, "{payloads_zendesk.REPAIRS}": repairs}}
  organization: {{Organization/ed: emergency, Organization/ward: ward}}
processes:
  returns: {{}}
  incident: {{}}
  maintenance: {{}}
  support: {{}}
  ed-to-ward: {{}}
"""
Headers = Mapping[str, str]


class Site:
    """The gateway of the example, with its log in memory."""

    def __init__(self, folder: Path) -> None:
        (folder / "policy.yaml").write_text(POLICY)
        self.token = TokenFile(folder / TOKENS_FILE).create(["events:write"], ["urn:*"], utc_now()).shown
        self.log = MemoryLog()
        settings = GatewaySettings(
            broker="127.0.0.1:1",
            folder=folder,
            policies=[folder / "policy.yaml"],
            listening=Listening(),
            sources=ROOT / "deploy" / "sources" / "example.yaml",
        )
        self.app = gateway_app(assembled(settings, self.log))  # type: ignore[arg-type]

    async def deliver(self, name: str, body: bytes, headers: Headers, method: str = "POST") -> Answer:
        return await ask(self.app, method, f"/v1/sources/{name}", body, {"content-type": "application/json", **headers})

    @property
    def bearer(self) -> Headers:
        return {"authorization": f"Bearer {self.token}"}


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    monkeypatch.chdir(ROOT)
    for name in ("GITHUB_WEBHOOK", "JIRA_WEBHOOK", "SERVICENOW", "ZENDESK", "PAGERDUTY"):
        monkeypatch.setenv(f"{name}_SECRET", SECRET)
    return Site(tmp_path)


def mac(content: bytes) -> bytes:
    return hmac.digest(SECRET.encode(), content, "sha256")


def github(body: bytes) -> Headers:
    return {"x-hub-signature-256": f"sha256={mac(body).hex()}", "x-github-event": "issues"}


def jira(body: bytes) -> Headers:
    return {"x-hub-signature": f"sha256={mac(body).hex()}"}


def pagerduty(body: bytes) -> Headers:
    return {"x-pagerduty-signature": f"v1={mac(body).hex()}"}


def zendesk(body: bytes) -> Headers:
    at = datetime.now(UTC).isoformat(timespec="seconds")
    signature = base64.b64encode(mac(at.encode() + body)).decode()
    return {"x-zendesk-webhook-signature": signature, "x-zendesk-webhook-signature-timestamp": at}


def standard_webhooks(body: bytes) -> Headers:
    at = str(int(datetime.now(UTC).timestamp()))
    signature = base64.b64encode(mac(b"m1." + at.encode() + b"." + body)).decode()
    return {"webhook-id": "m1", "webhook-timestamp": at, "webhook-signature": f"v1,{signature}"}


TICKET = {
    "event": "ticket.created",
    "ticket": {"id": "T1", "updated_at": "2026-01-05T08:00:00Z", "team": {"name": "Desk"}, "status": "Open"},
    "changed_by": {"login": "somebody"},
    "change": {"id": "1"},
}
TASK = payloads_fhir.task(requester=payloads_fhir.ref("Organization/ed"), owner=payloads_fhir.ref("Organization/ward"))
SIGNED: dict[str, tuple[Any, Callable[[bytes], Headers]]] = {
    "itsm": (payloads_servicenow.inserted(), standard_webhooks),
    "helpdesk": (payloads_zendesk.event("created"), zendesk),
    "pager": (payloads_pagerduty.event("incident.triggered"), pagerduty),
}


@pytest.mark.parametrize("name", SIGNED)
async def test_signed_delivery_becomes_events_and_an_unsigned_one_nothing(site: Site, name: str) -> None:
    payload, signed = SIGNED[name]
    body = json.dumps(payload).encode()
    answer = await site.deliver(name, body, signed(body))
    assert (answer.status, answer.json["invalid"]) == (202, 0), answer.json
    assert answer.json["accepted"] == len(site.log.events) >= 1
    assert {event["source"] for event in site.log.events} == {f"urn:tieline:{name}"}
    assert (await site.deliver(name, body + b" ", signed(body))).status == 401
    assert (await site.deliver(name, body, site.bearer)).status == 401


async def test_recorded_webhooks_of_github_and_jira_become_events(site: Site, shared_data: Path) -> None:
    fixtures = shared_data / "fixtures"
    opened = (fixtures / "github" / "issues__opened.payload.json").read_bytes()
    answer = await site.deliver("code", opened, github(opened))
    assert (answer.status, answer.json["invalid"]) == (202, 0)
    created = (fixtures / "jira" / "webhook-cloud-issue-created-many-fields.json").read_bytes()
    answer = await site.deliver("service-desk", created, jira(created))
    assert (answer.status, answer.json["invalid"]) == (202, 0)
    assert {event["source"] for event in site.log.events} == {"urn:tieline:code", "urn:tieline:service-desk"}


async def test_ping_of_a_source_counts_as_not_used(site: Site) -> None:
    body = json.dumps(payloads_pagerduty.ping()).encode()
    assert (await site.deliver("pager", body, pagerduty(body))).json["unused"] == 1
    body = json.dumps({"zen": "Keep it logically awesome.", "hook_id": 1}).encode()
    answer = await site.deliver("code", body, {**github(body), "x-github-event": "ping"})
    assert (answer.status, answer.json["unused"], answer.json["invalid"]) == (202, 1, 0)


async def test_mapped_json_with_a_token_becomes_events(site: Site) -> None:
    answer = await site.deliver("tickets", json.dumps(TICKET).encode(), site.bearer)
    assert (answer.status, answer.json["invalid"]) == (202, 0)
    assert answer.json["accepted"] == len(site.log.events) >= 1


async def test_fhir_resources_told_twice_become_events_once(site: Site) -> None:
    body = json.dumps(TASK).encode()
    headers = {**site.bearer, "content-type": "application/fhir+json"}
    first = await site.deliver("ehr", body, headers)
    assert (first.status, first.json["invalid"]) == (202, 0), first.json
    assert first.json["accepted"] >= 1
    assert {event["source"] for event in site.log.events} == {"urn:hospital:ehr"}
    again = await site.deliver("ehr/Task/1", body, headers, "PUT")
    assert (again.status, again.json["resourceType"]) == (200, "OperationOutcome")
    assert len({event["id"] for event in site.log.events}) == first.json["accepted"]


async def test_fhir_resource_that_could_not_be_kept_is_told_again(site: Site) -> None:
    body = json.dumps(TASK).encode()
    site.log.state = "full"
    assert (await site.deliver("ehr", body, site.bearer)).status == 503
    site.log.state = "kafka"
    assert (await site.deliver("ehr", body, site.bearer)).json["accepted"] >= 1


async def test_hl7_over_http_is_acknowledged(site: Site) -> None:
    headers = {**site.bearer, "content-type": "x-application/hl7-v2+er7"}
    answer = await site.deliver("adt", payloads_hl7v2.adt("A01"), headers)
    assert (answer.status, answer.headers["content-type"]) == (200, "application/hl7-v2")
    assert b"MSA|AA|" in answer.body
    assert site.log.events
    answer = await site.deliver("adt", b"nonsense", headers)
    assert b"MSA|AR|" in answer.body
