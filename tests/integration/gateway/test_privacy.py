"""Names and texts in requests get nowhere: not to Kafka, logs, answers, metrics or dead letters."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from schemas import topics
from streams.apps.topic_admin import create_topics
from streams.gateway.tokens import TOKENS_FILE, TokenFile, utc_now
from tests import brokers
from tests.integration.gateway.gateway_process import GatewayProcess
from tests.integration.gateway.on_the_log import records
from tests.integration.gateway.planting import KEY, PLANTED, SECRET, SECRET_ENV, SOURCES, Asking, planted


@pytest.fixture
def process(tmp_path: Path) -> Iterator[GatewayProcess]:
    with brokers.tansu(tmp_path) as broker:
        create_topics(broker.address)
        folder = tmp_path / "data"
        folder.mkdir()
        (folder / "sources.yaml").write_text(SOURCES)
        process = GatewayProcess(broker.address, folder, env={SECRET_ENV: SECRET})
        try:
            yield process
        finally:
            process.stop()


def test_planted_name_and_text_are_found_nowhere(process: GatewayProcess) -> None:
    file = TokenFile(process.folder / TOKENS_FILE)
    gateway = Asking(process.port, file.create(["events:write", "metrics:read"], ["*"], utc_now()).shown)
    process.start()
    statuses = planted(gateway)
    assert set(statuses) >= {200, 202, 400, 401, 404, 405, 415, 422}
    assert not [status for status in statuses if status >= 500]
    gateway.ask("GET", "/metrics")
    events, letters = (
        records_until(process.broker, topics.EVENTS, 2),
        records_until(process.broker, topics.DEAD_LETTERS, 10),
    )
    process.stop()
    everything = {
        "answers": gateway.said,
        "log": (process.folder / "gateway.out").read_bytes(),
        "events": events,
        "dead letters": letters,
        "files": b"".join(each.read_bytes() for each in process.folder.rglob("*") if each.is_file()),
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
