"""A replay says what `facts` says, whatever way the bytes of a work item lie in its source."""

from __future__ import annotations

from datetime import datetime

from hypothesis import given
from hypothesis import strategies as st

from schemas.events import Event
from schemas.policy import PolicyBook
from schemas.rows import revision
from streams.inference.facts import facts
from streams.inference.fold import WorkItemFold
from streams.inference.history import contents_of
from streams.replay.encode import encoded
from streams.replay.fold import fold
from streams.replay.known import known
from streams.replay.scope import Scope
from streams.replay.source import WorkItemEvents
from tests.builders import T0
from tests.property.work_items import as_ofs, policy_books, work_items


def item_of(events: list[Event]) -> WorkItemEvents:
    return WorkItemEvents("p", "w1", [event.canonical() for event in events])


@given(work_items, policy_books, as_ofs, st.data())
def test_a_replay_says_what_facts_say_in_any_order_and_with_repeats(
    events: list[Event], book: PolicyBook, as_of: datetime, data: st.DataObject
) -> None:
    repeated = events + data.draw(st.lists(st.sampled_from(events), max_size=5))
    shuffled = data.draw(st.permutations(repeated))
    assert fold(item_of(shuffled), Scope("r", book, as_of)).rows == facts(events, book, as_of, "r").rows


@given(work_items)
def test_what_is_known_is_what_a_history_holds(events: list[Event]) -> None:
    found = known(item_of(events).payloads)
    assert found.contents == contents_of(events)
    assert found.distinct == len({event.canonical() for event in events})


@given(work_items, policy_books, as_ofs)
def test_the_revision_is_that_of_a_live_fold_of_the_same_events(
    events: list[Event], book: PolicyBook, as_of: datetime
) -> None:
    live = WorkItemFold("p", "w1", as_of)
    for event in events:
        live.add(event, as_of)
    said = {row.revision for row in live.changes(book, as_of)}
    assert said <= {fold(item_of(events), Scope("r", book, as_of)).revision}


@given(work_items, policy_books, as_ofs, as_ofs, as_ofs)
def test_a_period_keeps_the_rows_of_episodes_that_start_in_it(
    events: list[Event], book: PolicyBook, as_of: datetime, one: datetime, other: datetime
) -> None:
    first, last = sorted((one, other))
    kept = fold(item_of(events), Scope("r", book, as_of, first, last)).rows
    whole = facts(events, book, as_of, "r").rows
    assert kept == {key: row for key, row in whole.items() if first <= key.at < last}


@given(work_items, policy_books, as_ofs)
def test_encoded_rows_are_the_rows_with_their_revision(events: list[Event], book: PolicyBook, as_of: datetime) -> None:
    number = revision(len(events), T0)
    for row in facts(events, book, as_of).rows.values():
        assert encoded([row], number) == row.model_copy(update={"revision": number}).model_dump_json().encode()
