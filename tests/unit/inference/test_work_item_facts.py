"""The laws of a work item's facts on small examples; `tests/property` has them in general."""

from __future__ import annotations

from itertools import permutations

import pytest

from schemas.events import Event
from schemas.rows import EvidenceRow, HandoffRow, ProblemRow
from streams.inference.facts import RowKey, facts, possible_keys, tombstone
from streams.inference.fold import WorkItemFold
from streams.inference.history import contents_of
from tests.builders import LONG_AFTER, T0, act, asked, assigned, at, event, offered, person, raised, sent, worked
from tests.unit.inference.outcomes import HOUR_FOR_ALL, handoff, inferred, only, value, values

STORY: list[Event] = [offered(0), act("accepted", 10, "ward"), worked(20, "ward"), act("returned", 30, "ward")]


def test_order_and_repeats_change_nothing() -> None:
    expected = facts(STORY, HOUR_FOR_ALL, LONG_AFTER)
    assert all(facts([*order, *STORY[:2]], HOUR_FOR_ALL, LONG_AFTER) == expected for order in permutations(STORY))


def test_events_after_as_of_are_not_seen() -> None:
    early = facts(STORY, HOUR_FOR_ALL, at(9))
    assert early.rows == facts(STORY[:1], HOUR_FOR_ALL, at(9)).rows
    assert early.next_deadline_at == at(10)
    assert facts(STORY, HOUR_FOR_ALL, at(-1)).rows == {}
    assert facts(STORY, HOUR_FOR_ALL, at(-1)).next_deadline_at == at(0)


def test_an_event_at_as_of_is_seen() -> None:
    assert handoff(*STORY, as_of=at(10)).state == "accepted"


def test_the_next_deadline_is_the_first_instant_at_which_something_ripens() -> None:
    assert facts([offered(0)], HOUR_FOR_ALL, at(0)).next_deadline_at == at(60)
    assert facts(STORY[:2], HOUR_FOR_ALL, at(10)).next_deadline_at == at(60)
    assert facts(STORY[:2], HOUR_FOR_ALL, at(60)).next_deadline_at == at(130)
    assert facts(STORY[:2], HOUR_FOR_ALL, at(130)).next_deadline_at is None  # unworked: waits for no clock


def test_same_order_is_by_sequence_then_source_then_id() -> None:
    def owners(*events: Event) -> list[str]:
        return [row.to_role for row in inferred(assigned(0, "x"), *events)]

    assert owners(assigned(10, "a", sequence=2, id="1"), assigned(10, "b", sequence=1, id="2")) == ["b", "a"]
    assert owners(assigned(10, "a", source="urn:b", id="1"), assigned(10, "b", source="urn:a", id="2")) == ["b", "a"]
    assert owners(assigned(10, "a", id="2"), assigned(10, "b", id="1")) == ["b", "a"]


def test_of_two_contents_of_one_identity_the_smallest_bytes_win_whatever_came_first() -> None:
    one, other = offered(0, b="lab", id="x"), offered(0, b="ward", id="x")
    smaller = "lab" if one.canonical() < other.canonical() else "ward"
    assert handoff(one, other).to_role == handoff(other, one).to_role == smaller


def test_one_id_of_two_sources_is_two_events() -> None:
    events = offered(0, "h1", id="x", source="urn:a"), offered(0, "h2", id="x", source="urn:b")
    assert {handoff(*events, handoff_id=each).episode_id for each in ("h1", "h2")} == {"urn:a#x", "urn:b#x"}


def test_a_late_event_that_changes_who_handed_to_whom_leaves_tombstones() -> None:
    fold = WorkItemFold("p", "w1", T0)
    for each in (assigned(0, "a"), assigned(10, "b"), worked(20, "b")):
        fold.add(each, T0)
    said = fold.changes(HOUR_FOR_ALL, LONG_AFTER)
    assert {row.episode_id for row in said if isinstance(row, HandoffRow)} == {assigned(10, "b").ref}
    fold.add(assigned(5, "b"), T0)  # it was b's since 5, so nothing happened at 10
    changed = fold.changes(HOUR_FOR_ALL, LONG_AFTER)
    gone = {row.episode_id for row in changed if row.is_deleted}
    new = {row.episode_id for row in changed if not row.is_deleted}
    assert (gone, new) == ({assigned(10, "b").ref}, {assigned(5, "b").ref})
    assert all(row.revision > max(old.revision for old in said) for row in changed)


def test_a_late_offer_takes_evidence_away_and_keeps_its_row() -> None:
    fold = WorkItemFold("p", "w1", T0)
    fold.add(offered(0), T0)
    fold.changes(HOUR_FOR_ALL, LONG_AFTER)
    fold.add(act("withdrawn", 30, "nurse"), T0)
    changed = {(type(row), row.is_deleted) for row in fold.changes(HOUR_FOR_ALL, LONG_AFTER)}
    assert changed == {(HandoffRow, 0), (EvidenceRow, 1)}


def test_no_start_event_no_episode() -> None:
    strays = [
        act("accepted", 1, "ward"),
        sent(2, "m2", "ward", ["nurse"], in_reply_to="m1"),
        event("problem.responded", 3, problem_id="p1", role="ward", kind="act"),
        event("communication.corrected", 4, message_id="m1", role="nurse", reported_by="ward"),
        event("problem.resolved", 5, problem_id="p1", role="ward"),
    ]
    rows = facts(strays, HOUR_FOR_ALL, LONG_AFTER).rows.values()
    assert not any(isinstance(row, HandoffRow | ProblemRow) for row in rows)
    assert {row.episode_id for row in rows} == {strays[1].ref}  # the reply is a message of its own


def test_rows_have_the_site_of_the_event_that_starts_the_episode() -> None:
    events = offered(0, site="ward-7"), act("accepted", 10, "ward", site="ward-8")
    assert handoff(*events).site == "ward-7"
    assert only("handoff_acceptance", *events).site == "ward-7"


def test_two_handoffs_of_one_item_do_not_mix() -> None:
    events = offered(0), offered(5, "h2", "nurse", "lab"), act("accepted", 30, "ward"), act("accepted", 90, "lab", "h2")
    assert values("handoff_acceptance", *events) == [1.0, 0.0]


@pytest.mark.parametrize("closing", [True, False])
def test_closed_is_what_the_last_words_say(closing: bool) -> None:
    closed = event("work_item.closed", 40)
    after = [] if closing else [event("work_item.reopened", 50)]
    assert facts([*STORY, closed, *after], HOUR_FOR_ALL, LONG_AFTER).closed == closing
    assert handoff(*STORY, closed, *after).closed_at == (at(40) if closing else None)


@pytest.mark.parametrize(
    "again", [assigned(50, "ward"), worked(50, "ward"), offered(50, "h2"), event("work_item.opened", 50)]
)
def test_whatever_goes_on_reopens(again: Event) -> None:
    assert not facts([*STORY, event("work_item.closed", 40), again], HOUR_FOR_ALL, LONG_AFTER).closed


def test_a_machines_work_does_not_reopen() -> None:
    work = worked(50, "ward", actor=person(1, "bot"))
    assert facts([*STORY, event("work_item.closed", 40), work], HOUR_FOR_ALL, LONG_AFTER).closed


def test_a_tombstone_stands_under_the_key_of_the_row_it_takes_back() -> None:
    events = [
        offered(0),
        assigned(1, "a"),
        assigned(2, "b"),
        asked(3, "m1", "nurse", ["ward", "lab"]),
        raised(4, "p1", "nurse", ["ward"]),
    ]
    for key in possible_keys(contents_of(events)):
        row = tombstone(key, "live", "p", "w1")
        assert (row.table, row.episode_id, row.is_deleted) == (key.table, key.episode_id, 1)
        at_of_row = next(
            getattr(row, name) for name in ("offered_at", "sent_at", "raised_at", "at") if hasattr(row, name)
        )
        assert RowKey(row.table, at_of_row, row.episode_id, getattr(row, "rule", ""), getattr(row, "part", 0)) == key


def test_the_loser_of_a_conflict_may_have_been_said_and_is_taken_back() -> None:
    one, other = offered(0, id="x"), assigned(0, "b", id="x")
    tables = {(key.table, key.rule) for key in possible_keys(contents_of([one, other]))}
    assert ("evidence", "handoff_accuracy") in tables
    assert ("evidence", "handoff_advanced") in tables


def test_a_later_look_keeps_what_was_ripe() -> None:
    for early, late in ((60, 130), (130, 1000)):
        before = facts(STORY, HOUR_FOR_ALL, at(early)).rows
        after = facts(STORY, HOUR_FOR_ALL, at(late)).rows
        ripe = {key: row for key, row in before.items() if isinstance(row, EvidenceRow) and row.ripe}
        assert ripe.items() <= after.items()


def test_unseen_is_unknown_not_wrong() -> None:
    assert value("handoff_accuracy", *STORY, as_of=at(5)) == "nothing"
