"""When an answer to a handoff is due: the event's own time, else counted time on the receiver's calendar."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from schemas.events import Event
from schemas.policy import PolicyBook
from tests.builders import act, assigned, at, event, offered, paused, policy_book, resumed
from tests.unit.inference.outcomes import HOUR_FOR_ALL, NOTHING, handoff, value

WEEKDAYS = {day: ["09:00-17:00"] for day in ("mon", "tue", "wed", "thu", "fri")}  # T0 is a Monday, 08:00


def due(*events: Event, book: PolicyBook = HOUR_FOR_ALL) -> datetime | None:
    return handoff(*events, book=book).accept_due_at


def pausing(**process: Any) -> PolicyBook:
    return policy_book(pauses={"reasons": ["patient"], **process})


def office(roles: dict[str, str], **calendar: Any) -> PolicyBook:
    return policy_book(calendars_by_name={"office": {"zone": "UTC", "hours": WEEKDAYS, **calendar}}, calendars=roles)


def test_the_policy_target_counts_from_the_offer() -> None:
    assert due(offered(10)) == at(70)


def test_an_own_due_time_is_absolute() -> None:
    book = policy_book(pauses={"reasons": ["patient"]}, calendars_by_name={"o": {"zone": "UTC", "hours": WEEKDAYS}})
    assert due(offered(0, due_at=at(20)), paused(5, "nurse"), resumed(15), book=book) == at(20)


def test_without_a_target_there_is_no_due_and_no_timeliness() -> None:
    book = policy_book(targets={})
    assert due(offered(0), book=book) is None
    assert value("handoff_acceptance", offered(0), act("accepted", 10, "ward"), book=book) == NOTHING
    assert value("handoff_acceptance", offered(0, due_at=at(20)), act("accepted", 10, "ward"), book=book) == 1.0


@pytest.mark.parametrize(("urgency", "minutes"), [("stat", 10), ("odd", 60), (None, 60)])
def test_the_target_depends_on_urgency_with_the_default_for_the_rest(urgency: str | None, minutes: float) -> None:
    book = policy_book(targets={"accept_s": {"default": 3600, "stat": 600}})
    assert due(offered(0, urgency=urgency), book=book) == at(minutes)


REVISIONS = [
    # (sent at, new due, due that then counts), the old due being 60
    (30, 90, 90),
    (30, 40, 40),
    (30, 30, 60),
    (30, 20, 60),
    (59.9, 90, 90),
    (60, 90, 60),
    (70, 90, 60),
]


@pytest.mark.parametrize(("sent_at", "new", "counts"), REVISIONS)
@pytest.mark.parametrize("own", [True, False])
def test_a_revision_counts_only_before_both_the_old_and_the_new_due(
    sent_at: float, new: float, counts: float, own: bool
) -> None:
    offer = offered(0, due_at=at(60) if own else None)
    assert due(offer, offered(sent_at, due_at=at(new))) == at(counts)


def test_revisions_build_on_one_another() -> None:
    assert due(offered(0), offered(30, due_at=at(90)), offered(80, due_at=at(120))) == at(120)
    assert due(offered(0), offered(30, due_at=at(40)), offered(50, due_at=at(120))) == at(40)


def test_a_revision_may_set_the_first_due() -> None:
    assert due(offered(0), offered(30, due_at=at(90)), book=policy_book(targets={})) == at(90)
    assert due(offered(0), offered(30, due_at=at(20)), book=policy_book(targets={})) is None


def test_only_the_offerer_revises() -> None:
    assert due(offered(0), offered(30, a="ward", b="nurse", due_at=at(90))) == at(60)


def test_a_revision_that_names_no_due_changes_none() -> None:
    assert due(offered(0, due_at=at(20)), offered(10)) == at(20)


def test_a_revision_starts_no_handoff() -> None:
    row = handoff(offered(0), offered(30, due_at=at(90), b="lab"))
    assert (row.offered_at, row.to_role) == (at(0), "ward")


@pytest.mark.parametrize("roles", [{"ward": "office"}, {"*": "office"}])
def test_the_receivers_hours_count(roles: dict[str, str]) -> None:
    assert due(offered(0), book=office(roles)) == at(120)
    friday_1630 = 4 * 1440 + 510
    assert due(offered(friday_1630), book=office(roles)) == at(7 * 1440 + 90)


def test_the_offerers_hours_do_not_count() -> None:
    assert due(offered(0), book=office({"nurse": "office"})) == at(60)


def test_holidays_do_not_count() -> None:
    assert due(offered(0), book=office({"ward": "office"}, holidays=["2026-01-05"])) == at(1440 + 120)


def test_hours_are_local() -> None:
    assert due(offered(0), book=office({"ward": "office"}, zone="Europe/Berlin")) == at(60)


PAUSES: list[tuple[str, list[Event], float]] = [
    ("by the offerer", [paused(20, "nurse"), resumed(50)], 90),
    ("by a third role", [paused(20, "lab"), resumed(50)], 90),
    ("by nobody known", [paused(20), resumed(50)], 90),
    ("by the receiver", [paused(20, "ward"), resumed(50)], 60),
    ("by the owner, which is the receiver", [assigned(-5, "ward"), paused(20), resumed(50)], 60),
    ("for a reason that is not listed", [paused(20, "nurse", "lunch"), resumed(50)], 60),
    ("after due", [paused(61, "nurse"), resumed(80)], 60),
    ("at due", [paused(60, "nurse"), resumed(80)], 60),
    ("just before due", [paused(59, "nurse"), resumed(80)], 81),
    ("begun before the offer", [paused(-20, "nurse"), resumed(10)], 70),
    ("ended before the offer", [paused(-20, "nurse"), resumed(-10)], 60),
    ("overlapping", [paused(10, "nurse"), paused(30, "lab"), resumed(50)], 100),
    ("by offerer and receiver at once", [paused(10, "nurse"), paused(20, "ward"), resumed(50)], 100),
    ("by receiver and offerer at once", [paused(10, "ward"), paused(20, "nurse"), resumed(50)], 90),
    ("one after another", [paused(10, "nurse"), resumed(20), paused(30, "lab"), resumed(40)], 80),
    ("in the time that another added", [paused(20, "nurse"), resumed(50), paused(70, "nurse"), resumed(80)], 100),
    ("ended by closing", [paused(20, "nurse"), event("work_item.closed", 50)], 90),
    ("of no length", [paused(20, "nurse"), resumed(20)], 60),
]


@pytest.mark.parametrize(("events", "minutes"), [case[1:] for case in PAUSES], ids=[case[0] for case in PAUSES])
def test_only_listed_pauses_by_others_begun_before_due_count(events: list[Event], minutes: float) -> None:
    row = handoff(offered(0), *events, book=pausing())
    assert row.accept_due_at == at(minutes)
    assert row.accept_due_unpaused_at == at(60)


@pytest.mark.parametrize(
    "events",
    [
        [paused(20, "nurse")],
        [paused(20, "nurse"), resumed(55)],
        [paused(10, "nurse"), resumed(30), paused(40, "nurse"), resumed(60)],
    ],
    ids=["open", "long", "several"],
)
def test_pauses_together_count_up_to_the_maximum(events: list[Event]) -> None:
    assert due(offered(0), *events, book=pausing(max_s=1800)) == at(90)


def test_a_pause_is_the_same_whatever_it_is_called_by() -> None:
    book = policy_book(pauses={"reasons": ["patient"]}, aliases={"ward 7": "ward"})
    assert due(offered(0), paused(20, "ward 7"), resumed(50), book=book) == at(60)


def test_pauses_count_on_the_receivers_calendar_only() -> None:
    book = policy_book(
        pauses={"reasons": ["patient"]},
        calendars_by_name={"office": {"zone": "UTC", "hours": WEEKDAYS}},
        calendars={"ward": "office"},
    )
    assert due(offered(0), paused(30, "nurse"), resumed(90), book=book) == at(150)  # 30 of 60 lie in hours


@pytest.mark.parametrize(("accepted_at", "timely"), [(90, 1.0), (91, 0.0)])
def test_a_counted_pause_gives_the_receiver_more_time(accepted_at: float, timely: float) -> None:
    events = offered(0), paused(20, "nurse"), resumed(50), act("accepted", accepted_at, "ward")
    assert value("handoff_acceptance", *events, book=pausing()) == timely
