"""The laws of `facts`: what replays, restarts and late events rely on."""

from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from schemas.events import Event
from schemas.policy import PolicyBook
from schemas.rows import EvidenceRow, HandoffRow, Row
from schemas.vocabulary import MARK_MEANINGS
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
        for growing in ("communicator_actors", "experiencer_actors"):  # who answered late
            assert set(getattr(row, growing)) <= set(getattr(after[key], growing))


def said(row: EvidenceRow) -> EvidenceRow:
    """What never changes once it is ripe; what else is said of it follows the laws below."""
    growing = {"communicator_actors": (), "experiencer_actors": (), "event_ids": (), "marks": ()}
    return row.model_copy(update={**growing, "waited_s": None, "answered": False, "held_s": None})


@given(work_items, policy_books, as_ofs, as_ofs)
def test_a_later_as_of_never_shortens_a_wait_and_never_moves_an_answer(
    events: list[Event], book: PolicyBook, one: datetime, other: datetime
) -> None:
    earlier, later = sorted((one, other))
    before, after = ripe(facts(events, book, earlier).rows), ripe(facts(events, book, later).rows)
    for key, row in before.items():
        then = after[key]
        if row.answered:
            assert (then.answered, then.waited_s) == (True, row.waited_s)
        assert least_wait(row, earlier) <= least_wait(then, later)
        assert least_hold(row, earlier) <= least_hold(then, later)
        assert set(row.marks) - {"unanswered"} <= set(then.marks)


def least_wait(row: EvidenceRow, as_of: datetime) -> float:
    """The seconds that an episode has certainly waited."""
    return row.waited_s if row.waited_s is not None else (as_of - row.at).total_seconds()


def least_hold(row: EvidenceRow, as_of: datetime) -> float:
    """The seconds that the receiver has certainly held it."""
    if not row.answered or row.rule != "handoff_acceptance":
        return 0.0
    return row.held_s if row.held_s is not None else (as_of - row.at).total_seconds() - (row.waited_s or 0.0)


@given(work_items, policy_books, as_ofs)
def test_details_are_those_of_ripe_evidence_and_agree_with_its_value(
    events: list[Event], book: PolicyBook, as_of: datetime
) -> None:
    for row in facts(events, book, as_of).rows.values():
        if not isinstance(row, EvidenceRow):
            continue
        details = (row.waited_s, row.answered, row.held_s, row.hour_of_week, row.marks)
        assert row.ripe or details == (None, False, None, 0, ())
        assert not row.answered or row.waited_s is not None
        assert row.held_s is None or row.rule == "handoff_acceptance"
        assert min(row.waited_s or 0.0, row.held_s or 0.0) >= 0.0
        assert 0 <= row.hour_of_week < 168
        assert set(row.marks) <= MARK_MEANINGS.keys()
        assert row.marks == tuple(sorted(set(row.marks)))
        if row.ripe:
            assert row.value == 1.0 or row.marks, "what was not right has a reason"


@given(work_items, policy_books)
def test_of_what_was_answered_by_due_the_wait_and_the_value_say_the_same(events: list[Event], book: PolicyBook) -> None:
    for row in facts(events, book, LONG_AFTER).rows.values():
        if isinstance(row, EvidenceRow) and row.rule in ("handoff_acceptance", "reply"):
            assert row.known_at is not None
            by_due = row.waited_s is not None and row.at + timedelta(seconds=row.waited_s) <= row.known_at
            assert (row.answered and by_due) == (row.value == 1.0)
            assert row.answered or not by_due or row.at + timedelta(seconds=row.waited_s or 0.0) == row.known_at


@given(work_items, policy_books, as_ofs)
def test_what_ended_an_episode_is_among_the_events_it_cites(
    events: list[Event], book: PolicyBook, as_of: datetime
) -> None:
    times = {event.ref: event.time for event in events}
    for row in facts(events, book, as_of).rows.values():
        if isinstance(row, EvidenceRow) and row.waited_s is not None and row.known_at is not None:
            cited = {times[ref] for ref in row.event_ids}
            end = row.at + timedelta(seconds=row.waited_s)
            assert end in cited or row.waited_s == 0.0 or (not row.answered and end == row.known_at)
            if row.held_s is not None:
                assert end + timedelta(seconds=row.held_s) in cited


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
