"""One work item in a replay."""

from __future__ import annotations

from datetime import timedelta

from schemas.events import Event
from schemas.rows import HandoffRow, Row
from streams.inference.history import MAX_EVENTS
from streams.replay.encode import encoded
from streams.replay.fold import Folded, fold
from streams.replay.process import Tally, replay
from streams.replay.scope import Scope
from streams.replay.source import WorkItemEvents
from tests.builders import LONG_AFTER, T0, act, at, event, offered, policy_book, sent


def item(*events: Event, subject: str = "w1") -> WorkItemEvents:
    return WorkItemEvents("p", subject, [event.canonical() for event in events])


def scope(**fields: object) -> Scope:
    return Scope(**{"run": "r", "policies": policy_book(), "as_of": LONG_AFTER, **fields})  # type: ignore[arg-type]


def handoffs(folded: Folded) -> list[Row]:
    return [row for row in folded.rows.values() if isinstance(row, HandoffRow)]


class Held:
    """Keeps what it is given."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, int]] = []

    def add(self, table: str, rows: bytes, count: int) -> None:
        assert rows.startswith(b"{")
        assert rows.endswith(b"}")
        self.rows.append((table, count))


def test_rows_are_of_the_run() -> None:
    folded = fold(item(offered(0), act("accepted", 5, "ward")), scope())
    assert {row.run for row in folded.rows.values()} == {"r"}


def test_what_is_known_after_as_of_is_not_seen() -> None:
    events = offered(0), act("accepted", 50, "ward")
    (row,) = handoffs(fold(item(*events), scope(as_of=at(20))))
    assert isinstance(row, HandoffRow)
    assert row.state == "offered"
    assert fold(item(*events), scope(as_of=at(20))).events == 1


def test_an_item_without_an_event_in_the_period_is_not_of_the_scope() -> None:
    folded = fold(item(offered(0)), scope(from_at=at(10), to_at=at(20)))
    assert (folded.rows, folded.events) == ({}, 0)


def test_an_item_is_read_whole_for_an_episode_in_the_period() -> None:
    folded = fold(
        item(offered(0), offered(15, "h2"), act("accepted", 60, "ward", "h2")), scope(from_at=at(10), to_at=at(20))
    )
    (row,) = handoffs(folded)
    assert isinstance(row, HandoffRow)
    assert (row.handoff_id, row.state) == ("h2", "accepted")
    assert folded.events == 3


def test_a_role_keeps_every_row_it_has_a_part_in() -> None:
    events = [offered(0), offered(1, "h2", "lab", "icu"), sent(2, "m", "nurse", ["ward", "lab"], expects_reply=True)]
    folded = fold(item(*events), scope(role="lab"))
    assert {(key.table, key.part) for key in folded.rows if key.table != "evidence"} == {
        ("handoffs", 0),
        ("exchanges", 0),
    }
    assert all("lab" in row.model_dump_json() for row in folded.rows.values())


def test_payloads_that_are_no_events_are_counted_by_reason_and_left_out() -> None:
    whole = item(offered(0))
    damaged = whole._replace(payloads=[*whole.payloads, b"{", b'{"type": "tieline.x.y.v1"}', b"{"])
    folded = fold(damaged, scope())
    assert folded.rows == fold(whole, scope()).rows
    assert folded.unusable == {"not_json": 1, "unknown_type": 1}


def test_an_item_of_nothing_but_damage_is_no_item() -> None:
    folded = fold(WorkItemEvents("p", "w1", [b"\xff\x00"]), scope())
    assert (folded.rows, folded.events) == ({}, 0)


def test_interventions_are_not_work() -> None:
    started = event(
        "intervention.started", 0, name="Huddle", kind="process", ties=[], hypothesis="h", owner_role="nurse"
    )
    assert fold(item(started), scope()).events == 0


def test_an_oversize_item_has_no_rows_and_is_counted() -> None:
    payload = offered(0).canonical()
    many = [
        payload.replace(b'"sequence":0', b'"sequence":%d' % number, 1).replace(b'"id":"', b'"id":"%d' % number, 1)
        for number in range(MAX_EVENTS + 1)
    ]
    folded = fold(WorkItemEvents("p", "w1", many), scope())
    assert (folded.rows, folded.oversize, folded.events) == ({}, True, MAX_EVENTS)
    assert not fold(WorkItemEvents("p", "w1", many[:-1]), scope()).oversize


def test_a_replay_tells_how_much_went_through() -> None:
    passed: list[int] = []
    held = Held()
    items = [item(offered(0), offered(0)), WorkItemEvents("other", "w2", [b"{}"])]
    tally = replay(items, scope(process="p"), held, passed.append)
    assert (tally.events, tally.work_items, passed) == (1, 1, [2, 1])
    assert sum(count for _, count in held.rows) == tally.rows.total() > 1


def test_tallies_add_up() -> None:
    one, other = Tally(1, 2, 3), Tally(10, 20, 30)
    one.rows["handoffs"] = other.rows["handoffs"] = 4
    one.add(other)
    assert (one.events, one.work_items, one.oversize, one.rows["handoffs"]) == (11, 22, 33, 8)


def test_a_text_that_looks_like_a_revision_stays_as_it_is() -> None:
    (row,) = handoffs(fold(item(offered(0, '"revision":0,')), scope()))
    assert b'\\"revision\\":0,' in encoded([row], 7)
    assert b'"revision":7,' in encoded([row], 7)


def test_a_period_is_half_open() -> None:
    bounded = scope(from_at=T0, to_at=T0 + timedelta(hours=1))
    assert bounded.holds(T0)
    assert not bounded.holds(T0 + timedelta(hours=1))
