"""`tieline gateway` as it is started: over sockets, on a real broker, with and without TLS."""

from __future__ import annotations

import http.client
import json
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from streams.apps.topic_admin import create_topics
from tests import brokers
from tests.brokers import Broker
from tests.integration.gateway.certificates import Certificates, certificates
from tests.integration.gateway.gateway_process import ROOT, GatewayProcess
from tests.integration.gateway.on_the_log import identities
from tests.unit.gateway.gateways import event


@pytest.fixture(scope="module")
def tansu(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A broker with Tieline's topics."""
    with brokers.tansu(tmp_path_factory.mktemp("broker")) as broker:
        create_topics(broker.address)
        yield broker


@contextmanager
def running(gateway: GatewayProcess) -> Iterator[GatewayProcess]:
    gateway.start()
    try:
        yield gateway
    finally:
        gateway.stop()


def sent(number: int) -> dict[str, Any]:
    """An event whose actor is still named."""
    return event(number, source="urn:http", actor={"id": "somebody", "kind": "human"})


def post(gateway: GatewayProcess, *documents: Any, tls: ssl.SSLContext | None = None) -> tuple[int, Any]:
    kind = http.client.HTTPSConnection if tls else http.client.HTTPConnection
    options: dict[str, Any] = {"context": tls} if tls else {}
    connection = kind("127.0.0.1", gateway.port, timeout=15, **options)
    try:
        connection.request("POST", "/v1/events", "\n".join(map(json.dumps, documents)), gateway.headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def until_on_the_log(broker: str, *ids: str) -> None:
    deadline_s = time.monotonic() + 20
    while not set(ids) <= {found for _, found in identities(broker)}:
        assert time.monotonic() < deadline_s
        time.sleep(0.2)


def test_accepted_event_is_on_the_log(tansu: Broker, tmp_path: Path) -> None:
    with running(GatewayProcess(tansu.address, tmp_path)) as gateway:
        status, answer = post(gateway, sent(1), sent(2))
        assert (status, answer["accepted"]) == (202, 2)
        until_on_the_log(tansu.address, "e1", "e2")


def test_request_under_way_is_answered_before_the_gateway_stops(tansu: Broker, tmp_path: Path) -> None:
    gateway = GatewayProcess(tansu.address, tmp_path).start()
    body = json.dumps(sent(3)).encode()
    with socket.create_connection(("127.0.0.1", gateway.port), 10) as half:
        half.sendall(f"{_head(gateway)}Content-Length: {len(body)}\r\n\r\n".encode() + body[:20])
        time.sleep(0.3)
        codes = list[int]()
        stopping = threading.Thread(target=lambda: codes.append(gateway.stop()))
        stopping.start()
        time.sleep(0.3)
        half.sendall(body[20:])
        assert half.recv(4096).startswith(b"HTTP/1.1 202")
    stopping.join(30)
    assert codes == [0]
    assert "the gateway has stopped" in gateway.log
    until_on_the_log(tansu.address, "e3")


def _head(gateway: GatewayProcess) -> str:
    fields = "".join(f"{name}: {value}\r\n" for name, value in gateway.headers.items())
    return f"POST /v1/events HTTP/1.1\r\nHost: x\r\n{fields}"


def test_gateway_that_is_told_twice_stops_at_once(tansu: Broker, tmp_path: Path) -> None:
    gateway = GatewayProcess(tansu.address, tmp_path).start()
    process = gateway._process
    assert process is not None
    with socket.create_connection(("127.0.0.1", gateway.port), 10) as half:
        half.sendall(f"{_head(gateway)}Content-Length: 5\r\n\r\n".encode())
        time.sleep(0.3)
        process.send_signal(signal.SIGTERM)
        time.sleep(0.2)
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0


def test_only_clients_with_a_certificate_of_the_authority_reach_a_gateway_with_mtls(
    tansu: Broker, tmp_path: Path
) -> None:
    for name in ("ours", "theirs", "data"):
        (tmp_path / name).mkdir()
    ours, theirs = certificates(tmp_path / "ours"), certificates(tmp_path / "theirs")
    env = {
        "TIELINE_GATEWAY_TLS_CERT": str(ours.server),
        "TIELINE_GATEWAY_TLS_KEY": str(ours.server_key),
        "TIELINE_GATEWAY_TLS_CLIENT_CA": str(ours.authority),
    }
    gateway = GatewayProcess(tansu.address, tmp_path / "data", env=env)
    gateway.start_soon()
    try:
        assert _until_answered(gateway, _client(ours, ours)) == 202
        for client in (_client(ours, None), _client(ours, theirs)):
            with pytest.raises((ssl.SSLError, ConnectionError)):
                post(gateway, sent(5), tls=client)
    finally:
        gateway.stop()


def _client(server: Certificates, own: Certificates | None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(server.authority))
    if own is not None:
        context.load_cert_chain(own.client, own.client_key)
    return context


def _until_answered(gateway: GatewayProcess, client: ssl.SSLContext) -> int:
    deadline_s = time.monotonic() + 30
    while True:
        try:
            return post(gateway, sent(4), tls=client)[0]
        except ConnectionRefusedError:
            assert time.monotonic() < deadline_s, gateway.log
            time.sleep(0.05)


def test_embedded_gateway_makes_a_first_token_and_says_how_to_use_it(tansu: Broker, tmp_path: Path) -> None:
    gateway = GatewayProcess(tansu.address, tmp_path)
    (tmp_path / "tokens.json").unlink()
    command = [sys.executable, "-m", "deploy.cli", "gateway", "--embedded", "--port", str(gateway.port)]
    process = subprocess.Popen(
        [*command, "--broker", tansu.address, "--data", str(tmp_path)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert process.stdout is not None
        first = process.stdout.readline()
        token = (tmp_path / "gateway.token").read_text().strip()
        assert str(tmp_path / "gateway.token") in first
        assert token not in first
    finally:
        process.terminate()
        process.wait(30)


def test_second_gateway_on_the_same_port_exits_69(tansu: Broker, tmp_path: Path) -> None:
    with running(GatewayProcess(tansu.address, tmp_path / "1")) as first:
        second = GatewayProcess(tansu.address, tmp_path / "2")
        second.port = first.port
        second.start_soon()
        assert second._process is not None
        assert second._process.wait(30) == 69
        assert "Address already in use" in second.log


def test_second_gateway_on_the_same_spool_exits_78(tansu: Broker, tmp_path: Path) -> None:
    with running(GatewayProcess(tansu.address, tmp_path)):
        second = GatewayProcess(tansu.address, tmp_path)
        second.start_soon()
        assert second._process is not None
        assert second._process.wait(30) == 78
