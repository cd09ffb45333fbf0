"""What the receiver did with what it accepted: worked on it, gave it back, passed it on."""

from __future__ import annotations

from typing import Any

import pytest

from schemas.events import Event
from tests.builders import act, at, event, offered, person, policy_book, worked
from tests.unit.inference.outcomes import NOTHING, PENDING, evidence, handoff, only, tie, value

OFFER, ACCEPTED = offered(0), act("accepted", 10, "ward")
WORK = worked(20, "ward", actor=person(2))
CONTENT = ["missing", "wrong", "contradictory", "wrong_role"]


def advanced(*events: Event, **how: Any) -> float | str:
    return value("handoff_advanced", OFFER, ACCEPTED, *events, of=OFFER, **how)


def onward(minutes: float, b: str = "lab", handoff_id: str = "h2", **fields: Any) -> Event:
    return offered(minutes, handoff_id, "ward", b, **{"follows": "h1", **fields})


def taken(minutes: float, role: str = "lab", handoff_id: str = "h2") -> Event:
    return act("accepted", minutes, role, handoff_id, actor=person(3))


def returned(minutes: float, reason: str | None = "capacity") -> Event:
    return act("returned", minutes, "ward", reason=reason)


def test_work_by_the_receiver_advances_the_handoff() -> None:
    row = only("handoff_advanced", OFFER, ACCEPTED, WORK)
    assert row.value == 1.0
    assert tie(row) == ("ward", "nurse", "problem_solving")
    assert (row.communicator_actors, row.experiencer_actors) == ((person(2)["id"],), (person(1)["id"],))
    assert row.event_ids == (OFFER.ref, WORK.ref)
    assert handoff(OFFER, ACCEPTED, WORK).worked_at == at(20)


@pytest.mark.parametrize("reason", ["capacity", "not_ready", "other", None])
def test_returned_unworked_it_was_not_advanced(reason: str | None) -> None:
    assert advanced(returned(30, reason)) == 0.0
    assert handoff(OFFER, ACCEPTED, returned(30, reason)).state == "returned"


@pytest.mark.parametrize("reason", CONTENT)
def test_returned_for_its_content_it_says_nothing(reason: str) -> None:
    assert advanced(returned(30, reason)) == NOTHING


@pytest.mark.parametrize("reason", ["capacity", *CONTENT])
def test_what_was_worked_on_was_advanced_even_if_it_is_returned_later(reason: str) -> None:
    assert advanced(WORK, returned(30, reason)) == 1.0


@pytest.mark.parametrize("to", ["lab", "nurse"])
def test_given_on_unworked_it_was_not_advanced(to: str) -> None:
    assert advanced(onward(30, to), taken(40, to)) == 0.0


def test_a_plain_later_transfer_by_the_receiver_gives_it_on_too() -> None:
    assert advanced(onward(30, follows=None), taken(40)) == 0.0


def test_responsibility_leaves_with_an_acceptance_not_with_an_offer() -> None:
    assert advanced(onward(30)) == PENDING
    assert advanced(onward(30), act("declined", 40, "lab", "h2")) == PENDING
    assert advanced(onward(30), worked(40, "ward")) == 1.0
    assert advanced(onward(30), act("declined", 40, "lab", "h2"), worked(50, "ward")) == 1.0
    assert advanced(onward(30), taken(40), worked(50, "ward")) == 0.0


def test_it_also_leaves_when_the_next_passes_it_on_unanswered() -> None:
    further = offered(50, "h3", "lab", "imaging", follows="h2")
    assert advanced(onward(30), further) == 0.0


@pytest.mark.parametrize(
    "end", [act("withdrawn", 40, "ward", "h2"), offered(40, "h3", "ward", "x", follows="h2", intent="consult")]
)
def test_a_step_that_its_offerer_takes_back_took_nothing(end: Event) -> None:
    assert advanced(onward(30), end) == PENDING


def test_a_step_to_the_same_role_leaves_responsibility_where_it_is() -> None:
    assert advanced(onward(30, "ward"), taken(40, "ward")) == PENDING
    assert advanced(onward(30, "ward"), taken(40, "ward"), worked(50, "ward")) == 1.0


def test_nothing_is_taken_before_it_is_offered_whatever_the_clocks_say() -> None:
    assert advanced(onward(30), taken(29), worked(29.5, "ward")) == 1.0


def test_after_a_refused_step_the_next_one_counts() -> None:
    refused = onward(30), act("declined", 35, "lab", "h2")
    assert advanced(*refused, onward(40, "imaging", "h3"), taken(50, "imaging", "h3")) == 0.0


def test_the_first_to_take_it_ends_responsibility() -> None:
    slow, quick = onward(30), onward(35, "imaging", "h3")
    events = slow, quick, taken(40, "imaging", "h3"), worked(45, "ward"), taken(50)
    assert advanced(*events) == 0.0
    plain = (offered(30, "h2", "ward", "lab"), offered(35, "h3", "ward", "imaging"), *events[2:])
    assert advanced(*plain) == 0.0


def test_offers_made_before_the_handoff_do_not_go_on_with_it() -> None:
    assert advanced(offered(-20, "h2", "ward", "lab"), taken(20)) == PENDING
    assert not handoff(OFFER, ACCEPTED, offered(-20, "h2", "ward", "nurse")).bounced


def test_a_return_after_somebody_else_took_it_is_no_return() -> None:
    row = handoff(OFFER, ACCEPTED, onward(30), taken(40), returned(50))
    assert (row.state, row.returned_at) == ("accepted", None)


@pytest.mark.parametrize(
    "act_",
    [act("returned", 30, "nurse"), act("returned", 30, "lab"), act("returned", 30, "ward", actor=person(2, "bot"))],
)
def test_only_a_human_of_the_receiver_returns(act_: Event) -> None:
    assert advanced(act_) == PENDING
    assert not handoff(OFFER, ACCEPTED, act_).bounced


def test_who_worked_stands_behind_it_else_who_accepted() -> None:
    other = worked(20, "ward", actor=person(9))
    assert only("handoff_advanced", OFFER, ACCEPTED, other).communicator_actors == (person(9)["id"],)
    assert only("handoff_advanced", OFFER, ACCEPTED, returned(30)).communicator_actors == (person(2)["id"],)


def test_what_took_responsibility_away_is_cited() -> None:
    gone, step, took = returned(30), onward(30), taken(40)
    assert only("handoff_advanced", OFFER, ACCEPTED, gone).event_ids == (OFFER.ref, gone.ref)
    (row,) = evidence("handoff_advanced", OFFER, ACCEPTED, step, took, of=OFFER)
    assert row.event_ids == (OFFER.ref, step.ref, took.ref)
    assert handoff(OFFER, ACCEPTED, step, took).event_ids == (OFFER.ref, ACCEPTED.ref, step.ref, took.ref)


def test_unworked_it_stays_pending_however_long() -> None:
    assert advanced() == PENDING
    assert advanced(event("work_item.closed", 500)) == PENDING


def test_what_was_never_accepted_could_not_be_advanced() -> None:
    for answer in ([], [act("declined", 10, "ward", reason="capacity")], [returned(10)]):
        assert value("handoff_advanced", OFFER, *answer, WORK) == NOTHING


def test_a_router_is_not_asked_to_advance() -> None:
    assert advanced(returned(30), book=policy_book(routers=["ward"])) == NOTHING
    assert advanced(WORK, book=policy_book(routers=["ward"])) == NOTHING
    assert advanced(returned(30), book=policy_book(routers=["nurse"])) == 0.0


def test_withdrawn_unworked_it_says_nothing() -> None:
    withdrawn = act("withdrawn", 30, "nurse")
    assert advanced(withdrawn) == NOTHING
    assert handoff(OFFER, ACCEPTED, withdrawn).state == "withdrawn"
    assert handoff(OFFER, ACCEPTED, withdrawn).withdrawn_at == at(30)


def test_work_before_a_withdrawal_advanced_it_and_work_after_it_did_not() -> None:
    withdrawn = act("withdrawn", 30, "nurse")
    assert advanced(WORK, withdrawn) == 1.0
    assert handoff(OFFER, ACCEPTED, WORK, withdrawn).state == "accepted"
    assert advanced(withdrawn, worked(40, "ward")) == NOTHING
    late = handoff(OFFER, ACCEPTED, withdrawn, worked(40, "ward"))
    assert (late.state, late.worked) == ("withdrawn", False)


def test_a_withdrawal_after_responsibility_left_changes_nothing() -> None:
    tidied = returned(30), act("withdrawn", 40, "nurse")
    assert advanced(*tidied) == 0.0
    assert handoff(OFFER, ACCEPTED, *tidied).state == "returned"
    assert advanced(onward(30), taken(35), act("withdrawn", 40, "nurse")) == 0.0


@pytest.mark.parametrize("kind", ["bot", "system", "unknown"])
def test_only_humans_work(kind: str) -> None:
    assert advanced(worked(20, "ward", actor=person(2, kind)), returned(30)) == 0.0


@pytest.mark.parametrize(
    "work",
    [worked(20, "nurse"), worked(20, "lab"), worked(40, "ward"), worked(-5, "ward")],
    ids=["offerer", "third", "after", "before"],
)
def test_only_the_receivers_work_while_responsible_counts(work: Event) -> None:
    assert advanced(work, returned(30)) == 0.0


def test_it_is_ripe_when_decided_and_settled() -> None:
    assert advanced(WORK, as_of=at(119.9)) == PENDING
    assert advanced(WORK, as_of=at(120)) == 1.0
    late = worked(300, "ward")
    assert advanced(late, as_of=at(299)) == PENDING
    assert only("handoff_advanced", OFFER, ACCEPTED, late).known_at == at(300)


BOUNCES: list[tuple[str, list[Event], str, bool, bool]] = [
    ("offered back", [onward(30, "nurse")], "transfer", True, False),
    ("offered back worked", [WORK, onward(30, "nurse")], "transfer", True, False),
    ("offered back, no follows", [WORK, onward(30, "nurse", follows=None)], "transfer", True, False),
    ("returned", [returned(30)], "transfer", True, False),
    ("offered to a third", [onward(30)], "transfer", False, False),
    ("kept", [WORK], "transfer", False, False),
    ("a consult returned worked", [WORK, returned(30)], "consult", False, True),
    ("a consult offered back worked", [WORK, onward(30, "nurse")], "consult", False, True),
    ("a consult offered back, then worked", [onward(30, "nurse"), worked(40, "ward")], "consult", True, False),
    (
        "a consult offered back unworked, then returned",
        [onward(30, "nurse"), worked(35, "ward"), returned(40)],
        "consult",
        True,
        False,
    ),
    ("a consult returned unworked", [returned(30)], "consult", True, False),
    ("a consult, then a transfer of its own", [WORK, onward(30, "nurse", follows=None)], "consult", False, False),
    ("back only after a third", [onward(30), onward(50, "nurse", "h3")], "transfer", False, False),
    (
        "offered elsewhere by the offerer, then back",
        [offered(20, "h2", "nurse", "lab", follows="h1"), onward(30, "nurse", "h3")],
        "transfer",
        True,
        False,
    ),
]


@pytest.mark.parametrize(
    ("events", "intent", "bounced", "planned"), [case[1:] for case in BOUNCES], ids=[case[0] for case in BOUNCES]
)
def test_a_bounce_goes_back_to_the_offerer_and_a_worked_consult_was_meant_to(
    events: list[Event], intent: str, bounced: bool, planned: bool
) -> None:
    row = handoff(offered(0, intent=intent), ACCEPTED, *events)
    assert (row.bounced, row.planned_return) == (bounced, planned)
