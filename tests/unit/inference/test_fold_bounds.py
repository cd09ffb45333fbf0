"""What one work item may hold in memory and in its state, and what becomes of one with too many events."""

from __future__ import annotations

from datetime import timedelta

import pytest

from schemas.events import Event
from schemas.rows import Row
from streams.inference import history as history_module
from streams.inference.facts import facts, row_key
from streams.inference.fold import WorkItemFold
from streams.inference.history import MAX_EVENTS, History
from streams.replay import known as known_module
from streams.replay.known import known
from tests.builders import LONG_AFTER, T0, act, assigned, at, event, offered, raised, responded, sent, worked
from tests.unit.inference.outcomes import HOUR_FOR_ALL

FULL = [worked(n / 100, "ward", id=str(n)) for n in range(MAX_EVENTS - 1)]
DAY = timedelta(days=1)


def folded(*events: Event) -> WorkItemFold:
    fold = WorkItemFold("p", "w1", T0)
    for each in events:
        fold.add(each, T0)
    return fold


def live(rows: list[Row]) -> list[Row]:
    return [row for row in rows if not row.is_deleted]


@pytest.fixture(scope="module")
def full() -> History:
    history = History()
    for each in (offered(0), *FULL):
        history.add(each)
    return history


def test_an_item_may_have_as_many_events_as_the_limit(full: History) -> None:
    assert (len(full), full.oversize) == (MAX_EVENTS, False)
    assert full.add(FULL[0]).outcome == "known"
    assert not full.oversize


def test_one_more_makes_it_oversize_and_it_takes_no_other(full: History) -> None:
    history = History()
    history.merge(full.encode())
    assert history.add(act("accepted", 10, "ward")).outcome == "oversize"
    assert (history.oversize, len(history)) == (True, MAX_EVENTS)


def test_contents_that_lost_count_too(full: History) -> None:
    history = History()
    history.merge(full.encode())
    assert history.add(worked(5, "lab", id="0")).outcome == "oversize"


def test_an_item_may_have_as_many_bytes_as_the_limit_in_whatever_order_they_come(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its state has to fit into one record."""
    events = [worked(n, "ward" * n, id=str(n)) for n in range(1, 6)]
    size = sum(len(each.canonical()) for each in events)
    for limit, oversize in ((size, False), (size - 1, True)):
        monkeypatch.setattr(history_module, "MAX_BYTES", limit)
        for order in (events, events[::-1]):
            history = History()
            for each in (*order, *order):
                history.add(each)
            assert history.oversize is oversize
            halves = [History(), History()]
            for half, part in zip(halves, (order[:3], order[2:]), strict=True):
                for each in part:
                    half.add(each)
            united = History.encoded(halves[0].encode())
            united.merge(halves[1].encode())
            assert united.oversize is oversize


def test_what_is_said_to_many_roles_counts_for_each_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """10,000 messages to 32 roles would be 640,000 rows of evidence."""
    roles = [f"r{number}" for number in range(32)]
    events = [offered(0), sent(1, "m1", "nurse", roles), raised(2, "b1", "nurse", roles), worked(3, "ward")]
    for limit, oversize in ((66, False), (65, True)):
        monkeypatch.setattr(history_module, "MAX_EVENTS", limit)
        monkeypatch.setattr(known_module, "MAX_EVENTS", limit)
        for order in (events, events[::-1]):
            history = History()
            for each in order:
                history.add(each)
            assert history.oversize is oversize
            assert known([each.canonical() for each in order]).oversize is oversize
            woken = History.encoded(b"\n".join([b"1", *(each.canonical() for each in order[:3])]))
            woken.add(order[3])
            assert woken.oversize is oversize


def test_a_state_of_a_version_that_allowed_more_is_oversize_once_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    fold = folded(sent(1, "m1", "nurse", ["a", "b", "c"], expects_reply=True), worked(3, "ward"))
    said = fold.changes(HOUR_FOR_ALL, LONG_AFTER)
    row, encoded = fold.state_row(b"", LONG_AFTER), fold.history.encode()
    monkeypatch.setattr(history_module, "MAX_EVENTS", 3)
    restored = WorkItemFold.restored(row, encoded)
    gone = restored.changes(HOUR_FOR_ALL, LONG_AFTER)
    assert {row_key(each) for each in gone} >= {row_key(each) for each in said}
    assert all(each.is_deleted for each in gone)
    assert restored.history.oversize


@pytest.mark.parametrize("name", ["x" * 256, "\U0001f468" * 128])
def test_a_row_of_however_many_events_fits_into_a_record(name: str) -> None:
    answers = [responded(2 + n / 100, "b1", "ward", "act", id=f"{n}{name}"[:256]) for n in range(3_000)]
    rows = facts([raised(0, "b1", "nurse", ["ward"], id=name), *answers], HOUR_FOR_ALL, LONG_AFTER).rows.values()
    assert {row.table for row in rows} == {"problems", "evidence"}
    assert all(len(row.model_dump_json().encode()) < 512 * 1024 for row in rows)
    assert all(len(row.event_ids) > 100 for row in rows)


def test_an_oversize_items_rows_are_taken_back_for_good() -> None:
    fold = folded(offered(0), *FULL)
    said = live(fold.changes(HOUR_FOR_ALL, LONG_AFTER))
    assert said
    fold.add(act("accepted", 10, "ward"), T0)
    gone = fold.changes(HOUR_FOR_ALL, at(1000))
    assert {row_key(row) for row in gone} == {row_key(row) for row in said}
    assert all(row.is_deleted and row.revision > max(old.revision for old in said) for row in gone)
    assert (len(fold.history), fold.history.oversize) == (0, True)
    assert fold.add(act("accepted", 10, "ward"), T0).outcome == "oversize"
    assert fold.changes(HOUR_FOR_ALL, LONG_AFTER) == []
    row = fold.state_row(b"", LONG_AFTER)
    assert row.oversize
    restored = WorkItemFold.restored(row, fold.history.encode())
    assert restored.add(offered(1, "h2"), T0).outcome == "oversize"
    assert live(restored.changes(HOUR_FOR_ALL, LONG_AFTER)) == []


def test_an_oversize_item_leaves_memory_when_it_is_quiet() -> None:
    fold = folded(offered(0))
    fold.history.oversize = True
    assert not fold.settled(T0 + DAY - timedelta(seconds=1), DAY)
    assert fold.settled(T0 + DAY, DAY)


def test_recomputing_an_oversize_item_takes_back_what_any_of_its_events_had_led_to() -> None:
    last = assigned(200, "b")
    fold = WorkItemFold.recomputed("p", "w1", [assigned(-1, "a"), offered(0), *FULL, last], LONG_AFTER)
    gone = {row.episode_id for row in fold.changes(HOUR_FOR_ALL, LONG_AFTER) if row.is_deleted}
    assert gone == {assigned(-1, "a").ref, offered(0).ref, last.ref}


def test_uniting_two_halves_beyond_the_limit_takes_back_what_either_may_have_said() -> None:
    one, other = (
        folded(offered(0), *FULL[:6000]),
        folded(assigned(0, "a"), assigned(150, "b"), *FULL[6000:], worked(199, "b")),
    )
    restored = WorkItemFold.restored(one.state_row(b"", T0), one.history.encode())
    restored.unite(other.state_row(b"", T0), other.history.encode())
    gone = {row.episode_id for row in restored.changes(HOUR_FOR_ALL, LONG_AFTER) if row.is_deleted}
    assert restored.history.oversize
    assert gone == {offered(0).ref, assigned(0, "a").ref, assigned(150, "b").ref}


@pytest.mark.parametrize("restored", [True, False])
def test_what_a_dead_worker_said_of_an_event_that_finds_no_room_is_taken_back(restored: bool) -> None:
    fold = folded(offered(0), *FULL)
    if restored:
        fold = WorkItemFold.restored(fold.state_row(b"", T0), fold.history.encode())
    fold.changes(HOUR_FOR_ALL, T0)
    fold.may_have_been_told()
    fold.add(assigned(200, "b"), T0)
    gone = {row.episode_id for row in fold.changes(HOUR_FOR_ALL, T0) if row.is_deleted}
    assert assigned(200, "b").ref in gone


def test_a_cool_fold_says_the_same() -> None:
    warm, cool = folded(offered(0)), folded(offered(0))
    warm.changes(HOUR_FOR_ALL, T0)
    cool.changes(HOUR_FOR_ALL, T0)
    cool.cool()
    assert cool._contents is None
    for fold in (warm, cool):
        fold.add(act("accepted", 10, "ward"), T0)
    assert cool.changes(HOUR_FOR_ALL, LONG_AFTER) == warm.changes(HOUR_FOR_ALL, LONG_AFTER)


def test_events_sorted_in_one_by_one_are_those_of_a_fresh_look() -> None:
    events = [act("accepted", 10, "ward"), offered(0), worked(5, "ward"), act("returned", 30, "ward")]
    fold = folded(*events)
    said = {row_key(row): row.model_copy(update={"revision": 0}) for row in fold.changes(HOUR_FOR_ALL, LONG_AFTER)}
    assert said == facts(events, HOUR_FOR_ALL, LONG_AFTER).rows


def test_a_second_content_of_one_identity_is_resolved_in_a_fold_at_work_too() -> None:
    one, other = offered(0, b="lab", id="x"), offered(0, b="ward", id="x")
    for events in ((one, other), (other, one)):
        fold = folded(events[0])
        fold.changes(HOUR_FOR_ALL, LONG_AFTER)
        assert fold.add(events[1], T0).outcome == "conflict"
        fold.changes(HOUR_FOR_ALL, LONG_AFTER)
        fold.may_have_been_told()
        fold.add(worked(1, "x"), T0)
        said = {
            row_key(row): row.model_copy(update={"revision": 0}) for row in live(fold.changes(HOUR_FOR_ALL, LONG_AFTER))
        }
        assert said == facts(events, HOUR_FOR_ALL, LONG_AFTER).rows


def test_united_states_keep_the_later_arrival() -> None:
    early, late = folded(offered(0)), WorkItemFold("p", "w1", T0 + DAY)
    for one, other in ((early, late), (late, early)):
        fold = WorkItemFold.restored(one.state_row(b"", T0), one.history.encode())
        fold.unite(other.state_row(b"", T0), other.history.encode())
        assert fold.last_arrival_at == T0 + DAY


def test_an_event_known_already_changes_only_when_it_last_arrived() -> None:
    fold = folded(offered(0))
    fold.changes(HOUR_FOR_ALL, T0)
    assert fold.add(offered(0), T0 + DAY).outcome == "known"
    assert fold.last_arrival_at == T0 + DAY
    assert fold.changes(HOUR_FOR_ALL, T0) == []
    fold.add(offered(0), T0)
    assert fold.last_arrival_at == T0 + DAY


def test_it_leaves_memory_closed_settled_and_quiet_and_not_before() -> None:
    closed = event("work_item.closed", 20)
    fold = folded(offered(0), act("declined", 10, "ward"), closed)
    fold.changes(HOUR_FOR_ALL, at(30))
    assert not fold.settled(T0 + 2 * DAY, DAY)  # the offer's evidence is still to ripen
    fold.changes(HOUR_FOR_ALL, LONG_AFTER)
    assert fold.settled(T0 + DAY, DAY)
    assert not fold.settled(T0 + DAY - timedelta(seconds=1), DAY)
    open_fold = folded(offered(0), act("declined", 10, "ward"))
    open_fold.changes(HOUR_FOR_ALL, LONG_AFTER)
    assert not open_fold.settled(LONG_AFTER, DAY)


def test_after_a_restore_everything_is_said_again() -> None:
    fold = folded(offered(0), assigned(5, "a"))
    said = live(fold.changes(HOUR_FOR_ALL, LONG_AFTER))
    restored = WorkItemFold.restored(fold.state_row(b"", LONG_AFTER), fold.history.encode())
    again = restored.changes(HOUR_FOR_ALL, LONG_AFTER)
    assert live(again) == said
    assert {row.episode_id for row in again if row.is_deleted} == {offered(0).ref, assigned(5, "a").ref}
    assert restored.changes(HOUR_FOR_ALL, LONG_AFTER) == []


def test_an_evicted_item_leaves_a_stub_without_its_history() -> None:
    row = folded(offered(0)).state_row(b"state", T0, evicted=True)
    assert (row.state, row.evicted, row.events) == (b"", True, 1)


def test_more_events_win_over_a_later_look() -> None:
    few, more = folded(offered(0)), folded(offered(0), act("accepted", 10, "ward"))
    assert more.state_row(b"", T0).revision > few.state_row(b"", LONG_AFTER).revision
    assert few.state_row(b"", LONG_AFTER).revision > few.state_row(b"", T0).revision


def test_equal_histories_have_equal_bytes_and_uniting_forgets_nothing() -> None:
    events = [offered(0), act("accepted", 10, "ward"), offered(0, b="lab", id=offered(0).id)]
    one, other, both = History(), History(), History()
    for each in events:
        one.add(each)
    for each in reversed(events):
        other.add(each)
    assert one.encode() == other.encode()
    both.add(worked(3, "ward"))
    both.merge(one.encode())
    both.merge(one.encode())
    assert len(both) == 4
    assert len(both.contents().losers) == 1


@pytest.mark.parametrize("encoded", [b"2", b"", b"10", b"2 oversize\n{}", b"x"])
def test_a_state_of_an_unknown_version_is_refused_and_changes_nothing(encoded: bytes) -> None:
    history = History()
    history.add(offered(0))
    before = history.encode()
    with pytest.raises(ValueError, match="unknown version"):
        history.merge(encoded)
    assert history.encode() == before


def test_being_oversize_survives_encoding_and_is_never_taken_back() -> None:
    oversize, small = History(), History()
    oversize.oversize = True
    small.merge(oversize.encode())
    assert small.oversize
    oversize.merge(History().encode())
    assert oversize.oversize
