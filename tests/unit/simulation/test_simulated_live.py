"""Live time goes on where the history stopped."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import islice, pairwise

import pytest

from schemas.events import Event, HandoffAccepted, HandoffDeclined, HandoffOffered
from streams.simulation.scenario import Scenario

Sent = list[tuple[datetime, Event]]


@pytest.fixture(scope="module")
def start(scenario: Scenario) -> datetime:
    return scenario.end + timedelta(seconds=25)


@pytest.fixture(scope="module")
def sent(scenario: Scenario, start: datetime) -> Sent:
    return list(islice(scenario.live(start, rate=2.0), 1200))


def test_live_events_come_in_order_from_the_start_on(sent: Sent, start: datetime) -> None:
    assert all(earlier[0] <= later[0] for earlier, later in pairwise(sent))
    assert start <= sent[0][0] < start + timedelta(seconds=30)


def test_an_event_is_sent_at_its_own_time(sent: Sent) -> None:
    assert all(at == event.time for at, event in sent)


def test_the_rate_is_about_what_was_asked_for(sent: Sent) -> None:
    settled = [at for at, _ in sent[200:]]
    rate = len(settled) / (settled[-1] - settled[0]).total_seconds()
    assert 1.4 < rate < 2.8


def test_open_handoffs_of_the_history_are_answered_live(sent: Sent, simulated: tuple[Event, ...]) -> None:
    offered = {(e.subject, e.data.handoff_id) for e in simulated if isinstance(e, HandoffOffered)}
    answers = [e for e in simulated if isinstance(e, HandoffAccepted | HandoffDeclined)]
    still_open = offered - {(e.subject, e.data.handoff_id) for e in answers}
    accepted = {(e.subject, e.data.handoff_id) for _, e in sent if isinstance(e, HandoffAccepted)}
    assert len(still_open & accepted) >= 10


def test_new_work_items_arrive_with_short_due_times(sent: Sent, simulated: tuple[Event, ...]) -> None:
    known = {event.subject for event in simulated}
    offers = [e for _, e in sent if isinstance(e, HandoffOffered) and e.subject not in known]
    assert offers
    assert all(offer.data.due_at and offer.data.due_at - offer.time < timedelta(minutes=5) for offer in offers)


def test_every_live_offer_says_when_it_is_due(sent: Sent) -> None:
    assert all(event.data.due_at for _, event in sent if isinstance(event, HandoffOffered))


def test_live_never_repeats_an_identity_of_the_history(sent: Sent, simulated: tuple[Event, ...]) -> None:
    assert not {event.ref for _, event in sent} & {event.ref for event in simulated}


def test_two_starts_of_live_time_share_no_identity(sent: Sent, scenario: Scenario, start: datetime) -> None:
    again = islice(scenario.live(start + timedelta(hours=1)), 300)
    assert not {event.ref for _, event in sent} & {event.ref for _, event in again}
