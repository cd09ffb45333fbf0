"""`tieline mllp` in a process of its own: what it accepted is on the log, whatever happens to it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from deploy.cli.commands.mllp import mllp
from schemas import topics
from schemas.errors import ConfigError
from streams.apps.topic_admin import create_topics
from streams.gateway.mllp.frames import END, framed
from tests import brokers
from tests.brokers import Broker
from tests.integration.gateway.on_the_log import records
from tests.unit.connectors.payloads_hl7v2 import adt

ROOT = Path(__file__).parents[3]
NO_BROKER = "127.0.0.1:1"
COMMAND = "import typer; from deploy.cli.commands.mllp import mllp; typer.run(mllp)"


@pytest.fixture(scope="module")
def tansu_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """One of its own: what other tests leave on a shared one is no JSON."""
    with brokers.tansu(tmp_path_factory.mktemp("tansu")) as broker:
        yield broker


def settings(folder: Path, source: str, connector: str = "hl7v2") -> Path:
    """A data folder with one source."""
    folder.mkdir(exist_ok=True)
    (folder / "sources.yaml").write_text(
        f"sources:\n  {source}:\n    connector: {connector}\n    process: ed-to-ward\n    verify: {{kind: token}}\n"
    )
    return folder


@contextmanager
def running(folder: Path, source: str, broker: str) -> Iterator[tuple[subprocess.Popen[str], socket.socket]]:
    """The command, and a connection to it."""
    arguments = ["--source", source, "--port", "0", "--data", str(folder), "--broker", broker]
    with (folder / "mllp.err").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", COMMAND, *arguments],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    try:
        assert process.stdout is not None
        said = process.stdout.readline()
        assert said.startswith("mllp"), (folder / "mllp.err").read_text()[-2000:]
        port = int(said.split()[1].rstrip(",").rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
            yield process, connection
    finally:
        process.kill()
        process.wait(30)
        assert process.stdout is not None
        process.stdout.close()


def ask(connection: socket.socket, body: bytes) -> bytes:
    """The acknowledgement's code."""
    connection.sendall(framed(body))
    answer = b""
    while not answer.endswith(END):
        answer += connection.recv(4096)
    return answer.split(b"\r")[1].split(b"|")[1]


def told_by(broker: str, source: str) -> list[dict[str, Any]]:
    """That source's events on the log."""
    events = [json.loads(record.value or b"") for record in records(broker)]
    return [event for event in events if event["source"] == f"urn:tieline:{source}"]


def test_accepted_message_is_on_the_log_without_names_and_a_bad_one_is_a_dead_letter(
    tansu_broker: Broker, tmp_path: Path
) -> None:
    create_topics(tansu_broker.address)
    folder = settings(tmp_path / "data", "mllp-names")
    with running(folder, "mllp-names", tansu_broker.address) as (process, connection):
        assert ask(connection, adt("A01", operator="OP7^SURNAME^GIVEN")) == b"AA"
        assert ask(connection, adt("A02", occurred="SURNAME")) == b"AE"
        deadline_s = time.monotonic() + 30
        while not told_by(tansu_broker.address, "mllp-names"):  # until then it may be in the spool
            assert time.monotonic() < deadline_s
            time.sleep(0.2)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    events = told_by(tansu_broker.address, "mllp-names")
    assert [event["type"] for event in events] == ["tieline.work_item.opened.v1", "tieline.work_item.assigned.v1"]
    letters = records(tansu_broker.address, topics.DEAD_LETTERS)
    found = [json.loads(letter.value or b"") for letter in letters]
    assert [(each["code"], each["field"]) for each in found if each["topic"] == "mllp-names"] == [("bad_time", "EVN-6")]
    everything = json.dumps(events) + json.dumps(found) + (folder / "mllp.err").read_text()
    assert not [name for name in ("SURNAME", "GIVEN", "OP7") if name in everything]


def test_accepted_messages_outlive_a_killed_server_and_an_absent_broker(tansu_broker: Broker, tmp_path: Path) -> None:
    create_topics(tansu_broker.address)
    folder = settings(tmp_path / "data", "mllp-killed")
    visits = [f"V{number}" for number in range(25)]
    with running(folder, "mllp-killed", NO_BROKER) as (process, connection):
        assert {ask(connection, adt("A03", visit=visit)) for visit in visits} == {b"AA"}
        process.kill()
        process.wait(30)
    with running(folder, "mllp-killed", tansu_broker.address):
        deadline_s = time.monotonic() + 30
        while not {event["subject"] for event in told_by(tansu_broker.address, "mllp-killed")} >= set(visits):
            assert time.monotonic() < deadline_s, "accepted messages are not on the log"
            time.sleep(0.1)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--source", "other"], "there is no source other"),
        (["--source", "his", "--host", "0.0.0.0"], "does not listen on 0.0.0.0 for anybody"),
        (["--source", "his", "--host", "0.0.0.0", "--tls-cert", "a", "--tls-key", "b"], "for anybody"),
        (["--source", "his", "--tls-cert", "a"], "TLS needs both"),
        (["--source", "his", "--tls-cert", "a", "--tls-key", "b"], "no certificate and key"),
    ],
)
def test_settings_that_cannot_be_right_are_refused(arguments: list[str], said: str, tmp_path: Path) -> None:
    result = _invoke([*arguments, "--data", str(settings(tmp_path, "his"))])
    assert isinstance(result, ConfigError)
    assert said in str(result)


def test_source_of_another_kind_is_refused(tmp_path: Path) -> None:
    result = _invoke(["--source", "hub", "--data", str(settings(tmp_path, "hub", "jira"))])
    assert "expected hl7v2" in str(result)


def _invoke(arguments: list[str]) -> BaseException | None:
    app = typer.Typer()
    app.command()(mllp)
    return CliRunner().invoke(app, arguments).exception
