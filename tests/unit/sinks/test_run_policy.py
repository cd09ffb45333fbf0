"""The policy of a run as text."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.policy_files import load_policy_book
from schemas.policy import Observes, Policy, PolicyBook, ProcessPolicy
from sinks.clickhouse.run_policy import policy_book, policy_text

POLICIES = sorted((Path(__file__).parents[3] / "deploy" / "policies").glob("*.yaml"))


def of(**process: object) -> PolicyBook:
    part = ProcessPolicy.model_validate(process)
    return PolicyBook((Policy(version="1", effective_from="2026-01-01T00:00:00Z", processes={"incident": part}),))


@pytest.mark.parametrize("path", POLICIES, ids=lambda path: path.stem)
def test_a_policy_read_back_has_the_same_text(path: Path) -> None:
    text = policy_text(load_policy_book([path]))
    assert policy_text(policy_book(text)) == text


@pytest.mark.parametrize("path", POLICIES, ids=lambda path: path.stem)
def test_a_policy_read_back_decides_the_same(path: Path) -> None:
    book = load_policy_book([path])
    again = policy_book(policy_text(book))
    for process in book.policies[0].processes:
        first, second = book.newest(process), again.newest(process)
        assert second._replace(role_maps=first.role_maps) == first._replace(
            process=first.process.model_copy(update={"words": ()})
        )


def test_the_order_of_a_set_does_not_matter() -> None:
    rules = ["handoff_acceptance", "reply", "contact", "message_accuracy", "problem_response"]
    texts = {
        policy_text(of(observes=[Observes(source="*", rules=frozenset(order))], routers=order))
        for order in (rules, rules[::-1], rules[2:] + rules[:2])
    }
    assert len(texts) == 1


def test_a_default_and_the_same_written_out_are_one_policy() -> None:
    assert policy_text(of()) == policy_text(of(period="month", settle_s=86400))


def test_what_acts_at_the_edge_is_not_kept() -> None:
    spoken = of(words=[{"any": ["can you"], "means": "question"}])
    assert policy_text(spoken) == policy_text(of())
    assert "role_maps" not in policy_text(spoken)


def test_no_policy_is_the_empty_book() -> None:
    assert policy_book("").policies == ()
    assert policy_book(policy_text(PolicyBook())).policies == ()
