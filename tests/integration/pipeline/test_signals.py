"""A handoff that is overdue: one signal on Kafka, one row, one webhook; whoever dies meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from schemas import topics
from schemas.events import Event
from schemas.signal import Signal
from streams.gateway.signatures import verify
from streams.transport.barrier import read_to_barrier
from streams.transport.producer import BatchProducer
from tests.brokers import Broker
from tests.builders import T0, act, offered
from tests.integration.pipeline.running import Running
from tests.integration.pipeline.test_awkward_histories import until
from tests.integration.webhooks.listening import Listening, listening

SECRETS = ["whsec_b25lLXNlY3JldC1vbmUtc2VjcmV0LW9uZS1zZWNyZXQ=", "whsec_dHdvLXNlY3JldC10d28tc2VjcmV0LXR3by1zZWNyZXQ="]
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
POLICY = """
version: v1
effective_from: 2020-01-01T00:00:00Z
processes:
  p: {observes: [{source: "*", rules: [handoff_acceptance]}]}
"""


class Speaking(Running):
    """A Tieline with workers of the `signals` app."""

    def __init__(self, broker: Broker, folder: Path, policy: Path) -> None:
        super().__init__(broker, folder, policy, as_of="")

    def settings(self, receiver: Listening, **more: Any) -> None:
        """What the next worker goes by."""
        webhook = {"url": receiver.url, "secrets": [{"env": "FIRST_SECRET"}, {"env": "SECOND_SECRET"}]}
        kinds = {"handoff_overdue": {"after_s": 0, "every_s": 1}, "data_quality": {"enabled": False}}
        chosen = {"kinds": kinds, "webhooks": {"team": webhook}, **more}
        (self.folder / "signals.yaml").write_text(yaml.safe_dump(chosen))

    def start_signals(self, name: str = "signals") -> None:
        settings = self.store
        env = {
            "TIELINE_CLICKHOUSE_URL": f"http://127.0.0.1:{self.port}",
            "TIELINE_CLICKHOUSE_USER": settings.user,
            "TIELINE_CLICKHOUSE_PASSWORD": settings.password.get_secret_value(),
            "TIELINE_SIGNALS": str(self.folder / "signals.yaml"),
            "FIRST_SECRET": SECRETS[0],
            "SECOND_SECRET": SECRETS[1],
        }
        command = ["deploy.cli", "worker", "signals", "--broker", self.broker.address]
        self._start(name, command + (["--embedded"] if self.broker.kind == "tansu" else []), env)

    def on_kafka(self) -> list[Signal]:
        """Every record of `tieline.signals`."""

        async def read() -> list[Signal]:
            async with BatchProducer(self.broker.address) as producer:
                reading = read_to_barrier(topics.SIGNALS, [0], broker=self.broker.address, producer=producer)
                return [Signal.model_validate_json(record.value or b"") async for record in reading]

        return asyncio.run(read())

    def in_table(self, item: str) -> list[tuple[object, ...]]:
        return self.rows(f"SELECT state, count() FROM signals WHERE work_item = '{item}' GROUP BY state ORDER BY state")

    def log(self, name: str = "signals") -> str:
        return (self.folder / f"{name}.out").read_text()


@contextmanager
def speaking(broker: Broker, folder: Path) -> Iterator[Speaking]:
    policy = folder / "policy.yaml"
    policy.write_text(POLICY)
    tieline = Speaking(broker, folder / "data", policy)
    try:
        tieline.start()
        yield tieline
    finally:
        tieline.close()


def minutes_ago(minutes: float) -> float:
    """In the minutes of the builders."""
    return (datetime.now(UTC) - timedelta(minutes=minutes) - T0).total_seconds() / 60


def overdue_offer(item: str) -> Event:
    due = datetime.now(UTC) - timedelta(minutes=1)
    return offered(minutes_ago(10), f"h-{item}", subject=item, due_at=due, id=f"offer-{item}")


def said_of(tieline: Speaking, item: str) -> list[str]:
    return [signal.state for signal in tieline.on_kafka() if signal.work_item == item]


@pytest.mark.slow
def test_an_overdue_handoff_is_one_signal_one_row_and_one_webhook_whoever_is_killed(
    fresh_broker: Broker, tmp_path: Path
) -> None:
    with listening() as receiver, speaking(fresh_broker, tmp_path) as tieline:
        tieline.settings(receiver)
        receiver.status = 503
        tieline.start_signals()
        until(lambda: "speaking" in tieline.log())

        # The speaker is killed after the broker has it and before the store has it.
        tieline.drain()
        tieline.kill("sink")
        tieline.kill("signals")
        assert tieline.on_kafka() == []
        tieline.start_app("sink")
        tieline.send([overdue_offer("w1")])
        tieline.drain()
        tieline.kill("sink")
        tieline.start_signals()
        until(lambda: len(receiver.received) >= 1)
        tieline.kill("signals")
        tieline.start_signals()
        until(lambda: len(receiver.received) >= 2)
        assert said_of(tieline, "w1") == ["opened"]
        assert tieline.in_table("w1") == []

        # The receiver comes back, and gets what it refused, with the same id and the same bytes.
        tieline.start_app("sink")
        receiver.status = 204
        until(lambda: tieline.rows("SELECT state FROM signal_deliveries FINAL WHERE state = 'delivered'") != [])
        (signal,) = tieline.on_kafka()
        assert {(each.id, each.body) for each in receiver.received} == {(signal.signal, receiver.received[0].body)}
        for each in receiver.received:
            for secret in SECRETS:
                verify("standard_webhooks", [secret.encode()], each.headers, each.body, datetime.now(UTC))
        until(lambda: tieline.in_table("w1") == [("opened", 1)])
        sent = len(receiver.received)

        # A second worker says nothing while the first one lives, and takes over when it is gone.
        tieline.start_signals("second")
        until(lambda: "speaking" in tieline.log("signals"))
        tieline.kill("signals")
        tieline.send([overdue_offer("w2")])
        until(lambda: said_of(tieline, "w2") == ["opened"])
        until(lambda: len(receiver.received) == sent + 1)
        assert receiver.received[-1].content["data"]["work_item"] == "w2"

        # It ends when the handoff is accepted: that is said once, too.
        accepted_at = minutes_ago(0)
        tieline.send([act("accepted", accepted_at, "ward", "h-w1", subject="w1")])
        until(lambda: said_of(tieline, "w1") == ["opened", "closed"])
        until(lambda: tieline.in_table("w1") == [("closed", 1), ("opened", 1)])
        (closed,) = [each for each in tieline.on_kafka() if each.state == "closed"]
        assert closed.closed_at == T0 + timedelta(minutes=accepted_at)
        assert tieline.rows("SELECT work_item FROM open_signals") == [("w2",)]

        # In quiet hours it is recorded, and nobody is told.
        tieline.kill("second")
        tieline.settings(receiver, quiet={"zone": "UTC", "hours": quiet_for_days()})
        tieline.start_signals("quiet")
        until(lambda: "speaking" in tieline.log("quiet"))
        tieline.send([overdue_offer("w3")])
        until(lambda: tieline.in_table("w3") == [("opened", 1)])
        assert len(receiver.received) == sent + 1
        logs = tieline.log() + tieline.log("second") + tieline.log("quiet")
        assert "not-for-logs" not in logs
        assert "whsec" not in logs
        assert "Traceback" not in logs


def quiet_for_days() -> dict[str, list[str]]:
    """Quiet all week, but for an hour in three days."""
    loud = (datetime.now(UTC) + timedelta(days=3)).weekday()
    return {day: ["00:00-23:00" if number == loud else "00:00-24:00"] for number, day in enumerate(DAYS)}


@pytest.mark.slow
def test_what_is_never_delivered_is_a_dead_letter(fresh_tansu: Broker, tmp_path: Path) -> None:
    with listening() as receiver, speaking(fresh_tansu, tmp_path) as tieline:
        tieline.settings(receiver)
        receiver.status = 410
        tieline.start_signals()
        tieline.send([overdue_offer("w1"), overdue_offer("w2")])
        until(lambda: len(tieline.rows("SELECT 1 FROM dead_letters FINAL WHERE stage = 'webhook'")) == 2)
        letters = tieline.rows("SELECT code, topic, field FROM dead_letters FINAL")
        ids = {signal.signal for signal in tieline.on_kafka()}
        assert set(letters) == {("gone", "webhook/team", signal) for signal in ids}
        tieline.send([overdue_offer("w3")])
        until(lambda: tieline.in_table("w3") == [("opened", 1)])
        assert 1 <= len(receiver.received) <= 2
        assert set(tieline.rows("SELECT state FROM signal_deliveries FINAL")) == {("since",), ("gone",), ("dead",)}
