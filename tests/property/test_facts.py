"""The laws of `facts`: what replays, restarts and late events rely on."""

from __future__ import annotations

from datetime import datetime

from hypothesis import given
from hypothesis import strategies as st

from schemas.events import Event
from schemas.policy import PolicyBook
from schemas.rows import EvidenceRow, HandoffRow, Row
from streams.inference.facts import RowKey, facts, facts_of, possible_keys
from streams.inference.history import contents_of
from tests.builders import LONG_AFTER
from tests.property.work_items import as_ofs, policy_books, work_items


def ripe(rows: dict[RowKey, Row]) -> dict[RowKey, EvidenceRow]:
    return {key: row for key, row in rows.items() if isinstance(row, EvidenceRow) and row.ripe}


@given(work_items, policy_books, as_ofs, st.data())
def test_order_and_repeats_change_nothing(
    events: list[Event], book: PolicyBook, as_of: datetime, data: st.DataObject
) -> None:
    repeated = events + data.draw(st.lists(st.sampled_from(events), max_size=5))
    shuffled = data.draw(st.permutations(repeated))
    assert facts(shuffled, book, as_of) == facts(events, book, as_of)


@given(work_items, policy_books, as_ofs, as_ofs)
def test_a_later_as_of_only_adds_ripe_evidence(
    events: list[Event], book: PolicyBook, one: datetime, other: datetime
) -> None:
    earlier, later = sorted((one, other))
    before, after = ripe(facts(events, book, earlier).rows), ripe(facts(events, book, later).rows)
    assert before.keys() <= after.keys()
    for key, row in before.items():
        assert said(row) == said(after[key])
        for growing in ("communicator_actors", "experiencer_actors", "event_ids"):  # who answered late
            assert set(getattr(row, growing)) <= set(getattr(after[key], growing))


def said(row: EvidenceRow) -> EvidenceRow:
    return row.model_copy(update={"communicator_actors": (), "experiencer_actors": (), "event_ids": ()})


@given(work_items, policy_books, as_ofs)
def test_nothing_changes_between_deadlines(events: list[Event], book: PolicyBook, as_of: datetime) -> None:
    found = facts(events, book, as_of)
    until = found.next_deadline_at
    assert until is None or until > as_of
    just_before = LONG_AFTER if until is None else until.replace(microsecond=0)
    if until is None or just_before < until:
        assert facts(events, book, just_before).rows == found.rows


@given(work_items, policy_books, as_ofs)
def test_every_row_cites_events_that_exist(events: list[Event], book: PolicyBook, as_of: datetime) -> None:
    refs = {event.ref for event in events if event.time <= as_of}
    for row in facts(events, book, as_of).rows.values():
        assert set(row.event_ids) <= refs
        assert row.episode_id in row.event_ids


@given(work_items, policy_books, as_ofs)
def test_evidence_is_a_value_between_0_and_1_or_pending(events: list[Event], book: PolicyBook, as_of: datetime) -> None:
    for row in facts(events, book, as_of).rows.values():
        if isinstance(row, EvidenceRow):
            assert row.ripe == (row.value is not None) == (row.known_at is not None)
            assert row.value is None or 0.0 <= row.value <= 1.0
            assert row.known_at is None or row.known_at <= as_of


@given(work_items, policy_books, as_ofs, st.data())
def test_any_subset_of_the_events_leads_only_to_possible_keys(
    events: list[Event], book: PolicyBook, as_of: datetime, data: st.DataObject
) -> None:
    subset = data.draw(st.lists(st.sampled_from(events), unique_by=id))
    possible = set(possible_keys(contents_of(events)))
    assert set(facts(subset, book, as_of).rows) <= possible


@given(work_items, policy_books)
def test_a_handoff_never_waits_a_negative_time(events: list[Event], book: PolicyBook) -> None:
    for row in facts(events, book, LONG_AFTER).rows.values():
        if isinstance(row, HandoffRow):
            assert row.waited_s is None or row.waited_s >= 0
            assert (row.waited_s is not None) <= (row.accepted_at is not None)


@given(work_items, policy_books, as_ofs)
def test_contents_are_all_that_counts(events: list[Event], book: PolicyBook, as_of: datetime) -> None:
    assert facts_of(contents_of(events), book, as_of) == facts(events, book, as_of)
