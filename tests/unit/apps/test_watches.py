"""What workers say about themselves, their broker and their store."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

import pytest

from streams.apps.infer import metrics as infer
from streams.apps.meter import Counted, Meter
from streams.apps.refusals import EVERY_S, Refusals
from streams.apps.sink import metrics as sink
from streams.apps.sink.store_watch import SLOW_S, SinkStoreWatch
from streams.apps.worker_watch import WorkerWatch
from streams.telemetry.values import Values
from streams.telemetry.worker_metrics import WORKER
from streams.transport.batch import Record, TopicPartition
from streams.transport.contact import Contact
from streams.transport.membership import Membership
from streams.transport.offsets import Offsets
from tests.builders import T0

TP = TopicPartition("tieline.events", 0)


@dataclass
class Clock:
    elapsed_s: float = 100.0

    def __call__(self) -> float:
        return self.elapsed_s


@dataclass
class App:
    """What a watch looks at."""

    clock: Clock = field(default_factory=Clock)
    offsets: Offsets = field(default_factory=Offsets)
    end: int | None = None
    has_crashed: bool = False

    def __post_init__(self) -> None:
        self.values = Values(WORKER)
        self.membership = Membership(6.0, self.clock)
        self.contact = Contact(4.5, self.clock)

    def end_of(self, _tp: TopicPartition) -> int | None:
        return self.end


def watched(app: App) -> WorkerWatch:
    return WorkerWatch(app, Meter("infer"))  # type: ignore[arg-type]  # a builder of what is looked at


def text_after_look(app: App) -> str:
    watched(app).look()
    return app.values.text().decode()


def record(offset: int) -> Record:
    return Record(b"k", b"secret", offset, 0, (), 7)


def test_worker_is_ready_as_a_member_whose_partitions_are_restored() -> None:
    app = App()
    assert watched(app).checks() == {"group": "not a member", "partitions": "ok"}
    app.membership.confirmed(app.clock())
    app.offsets.assign([TP])
    assert watched(app).checks() == {"group": "ok", "partitions": "restoring"}
    app.offsets.start_at(TP, 5)
    assert set(watched(app).checks().values()) == {"ok"}


def test_worker_without_partitions_stands_by_and_is_ready() -> None:
    app = App()
    app.membership.confirmed(app.clock())
    assert set(watched(app).checks().values()) == {"ok"}


def test_worker_that_goes_down_is_not_ready() -> None:
    app = App(has_crashed=True)
    app.membership.confirmed(app.clock())
    assert watched(app).checks()["group"] != "ok"


def test_lag_in_records_is_what_is_not_committed() -> None:
    app = App(end=25)
    app.offsets.assign([TP])
    app.offsets.start_at(TP, 5)
    text = text_after_look(app)
    assert 'tieline_lag_records{topic="tieline.events"} 20.0' in text
    assert 'tieline_partitions{topic="tieline.events"} 1.0' in text


def test_broker_is_away_after_a_few_heartbeats_and_that_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    app = App()
    watch = watched(app)
    app.clock.elapsed_s += 4.0
    watch.note_broker()
    assert not caplog.messages
    app.clock.elapsed_s += 1.0
    watch.note_broker()
    watch.note_broker()
    watch.look()
    assert caplog.messages == ["the broker is away: no answer for 5 s, waiting for it"]
    assert "tieline_broker_away 1.0" in app.values.text().decode()
    app.contact.answered()
    watch.note_broker()
    assert caplog.messages[1:] == ["the broker answers again"]
    assert "tieline_broker_away 0.0" in text_after_look(app)


def test_broker_that_waits_for_other_workers_is_not_away() -> None:
    app = App()
    with app.contact.joining():
        app.clock.elapsed_s += 60.0
        assert app.contact.away_s() == 0
    assert app.contact.away_s() == 60.0


def test_store_is_away_until_it_answers_whatever_it_said() -> None:
    clock, values = Clock(), Values(sink.SINK)
    watch = SinkStoreWatch(values, clock)
    watch.troubled("disk_full")
    clock.elapsed_s += 30.0
    watch.troubled("no_answer")
    text = values.text().decode()
    assert "tieline_sink_store_away 1.0" in text
    assert "tieline_sink_store_away_seconds 30.0" in text
    assert 'tieline_sink_retries_total{error="disk_full"} 1.0' in text
    assert watch.checks() == {"store": "no_answer"}
    watch.answers()
    assert "tieline_sink_store_away_seconds 0.0" in values.text().decode()
    assert watch.checks() == {"store": "ok"}


def test_slow_store_is_named_in_metric_and_log_and_not_again_at_once(caplog: pytest.LogCaptureFixture) -> None:
    values = Values(sink.SINK)
    watch = SinkStoreWatch(values, Clock())
    watch.inserted("evidence", 10, SLOW_S / 2)
    assert not caplog.messages
    for _ in range(3):
        watch.inserted("evidence", 10, SLOW_S)
    assert caplog.messages == ["the store is slow: 10 rows into evidence took 5.0 s"]
    assert "tieline_sink_slow_inserts_total 3.0" in values.text().decode()
    assert 'tieline_sink_rows_total{table="evidence"} 40.0' in values.text().decode()


def test_flood_of_refused_records_is_one_line_and_then_a_sum(caplog: pytest.LogCaptureFixture) -> None:
    clock, values = Clock(), Values(infer.INFER)
    refusals = Refusals(values, infer.REFUSED, clock)
    for offset in range(5):
        refusals.note("oversize", "tieline.events", record(offset))
        refusals.say()
    assert caplog.messages == ["refused as oversize: 1 records, the last in tieline.events partition 7 at offset 0"]
    clock.elapsed_s += EVERY_S
    refusals.say()
    refusals.say()
    assert caplog.messages[1:] == ["refused as oversize: 4 records, the last in tieline.events partition 7 at offset 4"]
    assert 'tieline_infer_refused_total{reason="oversize"} 5.0' in values.text().decode()
    assert "secret" not in caplog.text


def test_new_reason_is_said_at_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    refusals = Refusals(Values(infer.INFER), infer.REFUSED, Clock())
    for reason in ("oversize", "conflict"):
        refusals.note(reason, "tieline.events", record(1))
        refusals.say()
    assert [words.split(":")[0] for words in caplog.messages] == ["refused as oversize", "refused as conflict"]


def test_what_a_meter_sums_up_is_counted_by_the_same_call() -> None:
    values, clock = Values(infer.INFER), Clock()
    meter = Meter("infer", lambda: T0, clock, Counted(values, infer.EVENTS, infer.WRITE_S))
    meter.read(3)
    write = meter.begin(None)
    clock.elapsed_s += 0.5
    meter.done(write)
    meter.take(1)
    text = values.text().decode()
    assert "tieline_infer_events_total 3.0" in text
    assert "tieline_infer_write_seconds_sum 0.5" in text


def test_lag_grows_while_a_write_is_under_way() -> None:
    clock = Clock()
    now_ms = int(T0.timestamp() * 1000)
    meter = Meter("sink", lambda: T0, clock)
    assert meter.lag_s() == 0
    write = meter.begin(now_ms - 7_000)
    assert meter.lag_s() == 7
    meter.drop(write)
    assert meter.lag_s() == 0
