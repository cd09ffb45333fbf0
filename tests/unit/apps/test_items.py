"""Items at rest are the items they were, and small."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest

from schemas.decoding import decode
from schemas.events import Event
from schemas.rows import Row
from schemas.topics import event_key
from streams.apps.infer.items import Hot, Items
from streams.apps.infer.partition import Partition
from streams.apps.state import decode_state
from streams.inference.fold import WorkItemFold
from tests.builders import T0, at, offered, policy_book, raw_event, worked

MANY = 300


def item(number: int) -> Event:
    return offered(0, subject=f"w{number}", actor={"id": f"k1:{number * 7919:032x}", "kind": "human"})


def fold_of(event: Event) -> WorkItemFold:
    fold = WorkItemFold(event.process, event.subject, T0)
    fold.add(event, T0)
    return fold


def filled(count: int) -> Items:
    items = Items()
    for event in map(item, range(count)):
        items.add(event_key(event), fold_of(event))
    return items


def test_items_at_rest_are_found_under_their_keys_and_are_what_they_were() -> None:
    items = filled(MANY)
    items.rest()
    assert len(items) == MANY
    assert {event_key(item(number)) for number in range(MANY)} == set(items)
    for number in range(MANY):
        found = items[event_key(item(number))]
        assert found.history.encode() == fold_of(item(number)).history.encode()


def test_what_is_in_use_does_not_rest() -> None:
    items = filled(3)
    key = event_key(item(1))
    held = items[key]
    items.rest([key])
    assert items.get(key) is held
    assert items.get(event_key(item(2))) is items.get(event_key(item(2))), "awake until the next rest"


def test_a_dropped_item_is_gone_whether_it_rested_or_not() -> None:
    items = filled(2)
    items.put_to_rest(event_key(item(0)))
    for number in range(2):
        items.drop(event_key(item(number)))
        assert items.get(event_key(item(number))) is None
    assert len(items) == 0


def test_an_item_at_rest_takes_less_than_half_of_its_events() -> None:
    items = filled(MANY)
    items.rest()
    resting = sum(map(len, items._resting.values())) / MANY
    assert resting < len(item(0).canonical()) / 2


@pytest.fixture
def crowded() -> Partition:
    """Room for two hot items of one event each, and ten that have been said and saved."""
    partition = Partition(0, policy_book(), hot_events=2)
    for number in range(10):
        partition.fold(item(number), T0)
    assert said(partition)
    partition.take_states(at(1))
    partition.states_kept()
    return partition


def said(partition: Partition) -> list[Row]:
    return [row for _, rows in partition.take_changes(at(1)) for row in rows]


def awake(partition: Partition) -> int:
    return len(partition.folds._awake)


def test_all_but_hot_items_rest_once_their_states_are_taken(crowded: Partition) -> None:
    assert (len(crowded.folds), awake(crowded)) == (10, 2)


def test_hot_items_share_the_room_by_their_events_and_one_is_always_hot() -> None:
    hot, folds = Hot(most_events=3), {key: filled(1)[event_key(item(0))] for key in (b"a", b"b", b"c", b"d")}
    for key in (b"a", b"b", b"c", b"a", b"d"):
        hot.keep(key, folds[key])
    assert [key in hot for key in folds] == [True, False, True, True], "b was used the longest time ago"
    assert [fold._contents is None for fold in folds.values()] == [False, True, False, False]
    for number in range(1, 5):
        folds[b"d"].add(worked(number, "ward", subject="w0"), T0)
    hot.keep(b"d", folds[b"d"])
    assert [key in hot for key in folds] == [False, False, False, True], "five events, in room for three"
    hot.drop(b"d")
    hot.keep(b"a", folds[b"a"])
    hot.keep(b"b", folds[b"b"])
    assert [key in hot for key in folds] == [True, True, False, False], "what went gave its room back"


def test_a_known_event_does_not_keep_its_item_awake(crowded: Partition) -> None:
    for number in range(10):
        crowded.fold(item(number), T0)
    assert awake(crowded) == 2
    assert said(crowded) == []


def test_a_known_event_of_an_item_that_is_being_said_does_not_split_it(crowded: Partition) -> None:
    """The rows of an item are written while events come in: there is one fold of it, not two."""
    key = event_key(item(0))
    crowded.fold(worked(2, "ward", subject="w0"), T0)
    for saying in crowded.take_changes(at(3)):
        assert saying[0] == key
        crowded.fold(item(0), T0)
        crowded.fold(worked(3, "ward", subject="w0"), T0)
    crowded.take_states(at(3))
    assert len(crowded.folds[key].history) == 3


def test_deadlines_of_items_at_rest_pass(crowded: Partition) -> None:
    crowded.tick(at(60))
    assert crowded.unsaid() == 10, "all were offered at minute 0 with an hour to accept"


def test_restored_items_rest_until_something_happens_to_them(crowded: Partition) -> None:
    for number in range(10):
        crowded.fold(worked(2, "ward", subject=f"w{number}"), T0)
    said(crowded)
    after = Partition(0, policy_book())
    for _, value in crowded.take_states(at(3)):
        after.restore(decode_state(value))
    after.start(T0 - timedelta(days=1))
    assert (len(after.folds), awake(after)) == (10, 0)
    assert {len(after.folds[key].history) for key in after.folds} == {2}


def test_a_state_of_a_newer_version_ends_the_worker_and_refuses_no_event() -> None:
    from schemas.errors import ConfigError

    lines = list(unknown_lines())
    row = fold_of(item(0)).state_row(b"", T0)
    fold = WorkItemFold.restored(row, b"\n".join([b"1", *lines]))
    with pytest.raises(ConfigError, match="this version cannot read"):
        fold.add(worked(2, "ward", subject="w0"), T0)


def unknown_lines() -> Iterator[bytes]:
    raw = raw_event("handoff.offered", 0, handoff_id="h1", from_role="a", to_role="b")
    assert decode(json.dumps(raw).encode())
    yield json.dumps({**raw, "type": "tieline.handoff.teleported.v1"}).encode()
