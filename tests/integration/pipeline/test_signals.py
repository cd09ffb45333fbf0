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
from tests.integration.pipeline.running import Running, until
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

    def settings(self, receivers: dict[str, Listening], **more: Any) -> None:
        """What the next worker goes by."""
        secrets = [{"env": "FIRST_SECRET"}, {"env": "SECOND_SECRET"}]
        webhooks = {name: {"url": receiver.url, "secrets": secrets} for name, receiver in receivers.items()}
        kinds = {"handoff_overdue": {"after_s": 0, "every_s": 1}, "data_quality": {"enabled": False}}
        chosen = {"kinds": kinds, "webhooks": webhooks, **more}
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


@pytest.mark.kafka
@pytest.mark.slow
def test_an_overdue_handoff_is_one_signal_one_row_and_one_webhook_whoever_is_killed(
    fresh_kafka: Broker, tmp_path: Path
) -> None:
    with listening() as receiver, listening() as gone, speaking(fresh_kafka, tmp_path) as tieline:
        tieline.settings({"team": receiver, "former": gone})
        receiver.status, gone.status = 503, 410
        tieline.send([overdue_offer("w1")])
        tieline.drain()

        # The speaker is killed when the broker has it and the store has not.
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
        until(lambda: fate(tieline, "team") == ["delivered"])
        (signal,) = tieline.on_kafka()
        assert {(each.id, each.body) for each in receiver.received} == {(signal.signal, receiver.received[0].body)}
        for each in receiver.received:
            for secret in SECRETS:
                verify("standard_webhooks", [secret.encode()], each.headers, each.body, datetime.now(UTC))
        until(lambda: tieline.in_table("w1") == [("opened", 1)])
        sent = len(receiver.received)

        # Another one wants no more: it is left alone, and what it did not take is a dead letter.
        until(lambda: letters(tieline) == [("gone", "webhook/former", signal.signal)])
        assert fate(tieline, "former") == ["dead", "gone"]
        asked = len(gone.received)

        # It ends when the handoff is accepted: that is said once, too.
        accepted_at = minutes_ago(0)
        tieline.send([act("accepted", accepted_at, "ward", "h-w1", subject="w1")])
        until(lambda: said_of(tieline, "w1") == ["opened", "closed"])
        until(lambda: tieline.rows("SELECT state FROM signals FINAL WHERE work_item = 'w1'") == [("closed",)])
        (closed,) = [each for each in tieline.on_kafka() if each.state == "closed"]
        assert closed.closed_at == T0 + timedelta(minutes=accepted_at)
        assert tieline.rows("SELECT work_item FROM open_signals") == []

        # A second worker says nothing while the first one lives, and takes over when it is gone. For the second one
        # these are quiet hours: it records, and tells nobody.
        tieline.settings({"team": receiver, "former": gone}, quiet={"zone": "UTC", "hours": quiet_for_days()})
        tieline.start_signals("second")
        tieline.send([overdue_offer("w2")])
        until(lambda: len(receiver.received) == sent + 1)
        assert receiver.received[-1].content["data"]["work_item"] == "w2"
        tieline.kill("signals")
        tieline.send([overdue_offer("w3")])
        until(lambda: tieline.in_table("w3") == [("opened", 1)])
        assert said_of(tieline, "w2") == said_of(tieline, "w3") == ["opened"]
        assert (len(receiver.received), len(gone.received)) == (sent + 1, asked)
        logs = tieline.log() + tieline.log("second")
        assert not [word for word in ("not-for-logs", "whsec", "Traceback") if word in logs]


def fate(tieline: Speaking, webhook: str) -> list[object]:
    """Of its messages, and whether it is gone."""
    sql = f"SELECT state FROM signal_deliveries FINAL WHERE webhook = '{webhook}' AND state != 'since' ORDER BY state"
    return [state for (state,) in tieline.rows(sql)]


def letters(tieline: Speaking) -> list[tuple[object, ...]]:
    return tieline.rows("SELECT code, topic, field FROM dead_letters FINAL WHERE stage = 'webhook'")


def quiet_for_days() -> dict[str, list[str]]:
    """Quiet all week, but for an hour in three days."""
    loud = (datetime.now(UTC) + timedelta(days=3)).weekday()
    return {day: ["00:00-23:00" if number == loud else "00:00-24:00"] for number, day in enumerate(DAYS)}
