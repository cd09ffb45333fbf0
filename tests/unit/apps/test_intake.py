"""A record of `tieline.events` is an event, or there is a reason why not."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from schemas import topics
from schemas.errors import InvalidEvent
from schemas.events import Event
from schemas.topics import PARTITIONS, event_key
from streams.apps.intake import AHEAD, dead_letter, read_event, received_at
from streams.transport.batch import Record
from streams.transport.partitioner import partition_for
from tests.builders import T0, assigned, raw_event


def record_of(event: Event, **changes: object) -> Record:
    key = event_key(event)
    fields = {
        "key": key,
        "value": event.canonical(),
        "offset": 7,
        "timestamp_ms": int(T0.timestamp() * 1000),
        "headers": (),
        "partition": partition_for(key, PARTITIONS),
        **changes,
    }
    return Record(**fields)  # type: ignore[arg-type]


def refusal(record: Record) -> InvalidEvent:
    with pytest.raises(InvalidEvent) as refused:
        read_event(record)
    return refused.value


def test_a_good_record_is_its_event() -> None:
    assert read_event(record_of(assigned(0, "a"))) == assigned(0, "a")


def test_a_record_without_value_is_empty() -> None:
    assert refusal(record_of(assigned(0, "a"), value=None)).code == "empty"


def test_a_record_under_another_work_items_key_is_refused() -> None:
    assert refusal(record_of(assigned(0, "a"), key=b"p/other")).code == "wrong_key"


def test_a_record_in_another_partition_is_refused() -> None:
    record = record_of(assigned(0, "a"))
    wrong = record._replace(partition=(record.partition + 1) % PARTITIONS)
    assert refusal(wrong).code == "wrong_partition"


def test_the_partition_of_a_known_work_item_is_not_computed_again() -> None:
    record = record_of(assigned(0, "a"))._replace(partition=0)
    assert read_event(record, known={record.key}) == assigned(0, "a")


def test_an_event_more_than_an_hour_ahead_of_the_brokers_clock_is_refused() -> None:
    minutes = AHEAD / timedelta(minutes=1)
    assert read_event(record_of(assigned(minutes, "a"))).time == T0 + AHEAD
    assert refusal(record_of(assigned(minutes + 1, "a"))).code == "future"


def test_a_dead_letter_says_where_and_why_and_nothing_of_the_payload() -> None:
    secret = raw_event("work_item.assigned", 0, role="Anna Example", note="please call Anna")
    payload = json.dumps(secret).encode()
    record = record_of(assigned(0, "a"), value=payload)
    error = refusal(record)
    letter = dead_letter("infer", "tieline.events", record, error, payload)
    assert (letter.topic, letter.partition, letter.offset) == ("tieline.events", record.partition, 7)
    assert (letter.code, letter.field) == ("unknown_field", "data.?")
    assert b"Anna" not in letter.model_dump_json().encode()
    assert letter.at == received_at(record)


def test_the_same_refused_record_has_the_same_dead_letter() -> None:
    record = record_of(assigned(0, "a"), value=b"{")
    letters = [dead_letter("infer", "t", record, refusal(record), b"{") for _ in range(2)]
    assert letters[0] == letters[1]


def test_a_conflict_has_one_dead_letter_wherever_the_loser_was_read() -> None:
    here = record_of(assigned(0, "a"))
    there = here._replace(offset=99)
    error = InvalidEvent("conflict", "id")
    one, other = (dead_letter("infer", "t", record, error, b"loser") for record in (here, there))
    assert one.id == other.id


@pytest.mark.parametrize("timestamp_ms", [-1, 1_772_618_400_000_000, 2**62])
def test_a_record_whose_own_time_stamp_is_none_is_refused_and_reported(timestamp_ms: int) -> None:
    record = record_of(assigned(0, "a"))._replace(timestamp_ms=timestamp_ms)
    error = refusal(record)
    assert error.code == "timestamp"
    assert dead_letter("infer", topics.EVENTS, record, error, b"").at.year in (1970, 2200)
