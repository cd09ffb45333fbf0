"""Evidence only where the policy in force says that the source records both outcomes of the rule."""

from __future__ import annotations

from typing import Any

import pytest

from schemas.events import Event
from schemas.policy import PolicyBook
from schemas.rows import EvidenceRow
from streams.inference.facts import facts
from tests.builders import ALL_RULES, LONG_AFTER, T0, act, asked, assigned, at, offered, policy_book, raised, worked
from tests.unit.inference.outcomes import NOTHING, handoff, value

EVERYTHING: list[Event] = [
    offered(0, needed_at=at(5)),
    act("accepted", 10, "ward"),
    asked(20, "m1", "nurse", ["ward"]),
    raised(30, "p1", "nurse", ["ward"]),
    worked(40, "ward"),
]
EXPLICIT_AND_INFERRED = [*EVERYTHING, assigned(50, "a"), assigned(60, "b"), worked(70, "b")]


def observing(*observes: dict[str, Any], **process: Any) -> PolicyBook:
    return policy_book(observes=list(observes), **process)


def rules(events: list[Event], book: PolicyBook) -> set[str]:
    return {row.rule for row in facts(events, book, LONG_AFTER).rows.values() if isinstance(row, EvidenceRow)}


def test_everything_observed_yields_every_rule() -> None:
    assert rules(EXPLICIT_AND_INFERRED, policy_book()) == set(ALL_RULES)


@pytest.mark.parametrize("rule", ALL_RULES)
def test_a_rule_yields_evidence_only_where_it_is_listed(rule: str) -> None:
    assert rules(EXPLICIT_AND_INFERRED, observing({"source": "*", "rules": [rule]})) == {rule}
    others = [other for other in ALL_RULES if other != rule]
    assert rules(EXPLICIT_AND_INFERRED, observing({"source": "*", "rules": others})) == set(others)


def test_nothing_listed_nothing_observed_but_handoffs_are_still_shown() -> None:
    assert rules(EVERYTHING, observing()) == set()
    assert rules(EVERYTHING, PolicyBook()) == set()
    assert handoff(*EVERYTHING, book=PolicyBook()).state == "accepted"


def test_what_counts_is_the_source_of_the_event_that_starts_the_episode() -> None:
    book = observing({"source": "urn:ehr*", "rules": ["handoff_acceptance"]})
    by_ehr, by_pager = offered(0, source="urn:ehr/7"), offered(0, source="urn:pager")
    assert value("handoff_acceptance", by_ehr, act("accepted", 10, "ward", source="urn:pager"), book=book) == 1.0
    assert value("handoff_acceptance", by_pager, act("accepted", 10, "ward", source="urn:ehr/7"), book=book) == NOTHING


def test_entries_for_one_source_add_up() -> None:
    book = observing({"source": "*", "rules": ["reply"]}, {"source": "urn:t*", "rules": ["contact"]})
    assert rules(EVERYTHING, book) == {"reply", "contact"}


def two_versions(**second: Any) -> PolicyBook:
    """`strict` from minute 100 on; an hour to accept before, a minute since."""
    (first,) = policy_book().policies
    part = first.processes["p"]
    targets = part.targets.model_copy(update={"accept_s": {"default": 60.0}})
    strict = first.model_copy(
        update={
            "version": "strict",
            "effective_from": at(100),
            "processes": {"p": part.model_copy(update={"targets": targets, **second})},
        }
    )
    return PolicyBook((first, strict))


@pytest.mark.parametrize(
    ("first_event", "version", "due"), [(0, "test", 260), (99.9, "test", 260), (100, "strict", 201)]
)
def test_an_item_uses_the_policy_in_force_at_its_first_event(first_event: float, version: str, due: float) -> None:
    row = handoff(worked(first_event, "nurse"), offered(200), book=two_versions())
    assert (row.policy_version, row.accept_due_at) == (version, at(due))


def test_a_late_first_event_switches_the_policy_of_the_whole_item() -> None:
    events = [offered(200), act("accepted", 230, "ward")]
    assert value("handoff_acceptance", *events, book=two_versions()) == 0.0
    assert value("handoff_acceptance", worked(50, "nurse"), *events, book=two_versions()) == 1.0


def test_what_is_still_to_come_does_not_choose_the_policy() -> None:
    assert handoff(offered(0), worked(150, "ward"), book=two_versions(), as_of=T0).policy_version == "test"
