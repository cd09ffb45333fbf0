"""What an app is set up with."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from faust.exceptions import ConsumerNotStarted

from schemas.errors import ConfigError
from streams.transport.app import batch_app
from streams.transport.batch import TopicPartition, batch_of
from streams.transport.deliver import retry_pause_s
from streams.transport.driver import Transport
from streams.transport.settings import TransportSettings


def test_group_is_the_name_as_given() -> None:
    app = batch_app("tieline.infer", "127.0.0.1:9092")
    assert app.conf.id == "tieline.infer"


def test_app_uses_our_transport_and_no_web() -> None:
    app = batch_app("tieline.infer", ["127.0.0.1:9092", "127.0.0.1:9093"])
    assert type(app.transport) is Transport
    assert [url.port for url in app.transport.url] == [9092, 9093]
    assert not app.conf.web_enabled
    assert not app.conf.topic_allow_declare


def test_buffer_is_bounded_by_the_settings() -> None:
    app = batch_app("tieline.sink", "127.0.0.1:9092", settings=TransportSettings(buffered_batches=3))
    assert app.conf.stream_buffer_maxsize == 3


@pytest.mark.parametrize(("name", "broker"), [("", "a:1"), ("__main__", "a:1"), ("infer", ""), ("infer", [])])
def test_nameless_app_or_broker_is_refused(name: str, broker: str | list[str]) -> None:
    with pytest.raises(ConfigError):
        batch_app(name, broker)


@pytest.mark.parametrize(
    "wrong",
    [
        {"session_timeout_s": 2.0, "heartbeat_interval_s": 1.5},
        {"hand_over_wait_s": 60.0},
        {"max_batch_records": 0},
        {"buffered_batches": 0},
    ],
)
def test_settings_that_cannot_work_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ConfigError):
        TransportSettings(**wrong)  # type: ignore[arg-type] # ints among floats


def test_retry_pause_doubles_up_to_the_longest() -> None:
    assert [retry_pause_s(1.0, attempt, 5.0) for attempt in (1, 2, 3, 4, 5000)] == [1, 2, 4, 5, 5]


def test_batch_goes_on_after_its_last_record() -> None:
    fetched = [
        SimpleNamespace(key=None, value=b"v", offset=offset, timestamp=1, headers=[("h", b"1")], partition=3)
        for offset in (4, 9)  # compaction leaves gaps
    ]
    batch = batch_of(TopicPartition("t", 3), fetched, assignment=7)
    assert (batch.first_offset, batch.next_offset, len(batch)) == (4, 10, 2)
    assert batch.tp == ("t", 3)
    assert list(batch.records[0].headers) == [("h", b"1")]


def test_faust_tables_are_refused() -> None:
    app = batch_app("tieline.infer", "127.0.0.1:9092")
    with pytest.raises(ConfigError, match="counts"):
        app.Table("counts")


@pytest.mark.parametrize("error", [AssertionError, AttributeError, KeyError, ConsumerNotStarted])
def test_end_of_a_partition_that_is_being_lost_is_not_known(error: type[Exception]) -> None:
    def lost(_tp: TopicPartition) -> int:
        raise error

    app = batch_app("tieline.infer", "127.0.0.1:9092")
    assert app.end_of(TopicPartition("t", 0)) is None
    app._consumer = SimpleNamespace(highwater=lost)
    assert app.end_of(TopicPartition("t", 0)) is None
    app._consumer = SimpleNamespace(highwater=lambda _tp: 7)
    assert app.end_of(TopicPartition("t", 0)) == 7
