"""The policy: what is in force when, for which names, and what is never allowed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from schemas.errors import PolicyError
from schemas.policy import Policy, PolicyBook, ProcessPolicy
from schemas.vocabulary import DIMENSIONS, RULE_DIMENSION

JANUARY, JULY = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC)
OFFICE = {"zone": "Europe/Amsterdam", "hours": {"mon": ["08:00-18:00"]}}
INSTANT = timedelta(microseconds=1)


def policy(version: str, start: datetime = JANUARY, **fields: Any) -> Policy:
    return Policy.model_validate({"version": version, "effective_from": start, **fields})


def process(**fields: Any) -> ProcessPolicy:
    return ProcessPolicy.model_validate(fields)


def test_without_a_policy_nothing_is_observed() -> None:
    built_in = PolicyBook().in_force("any", JANUARY)
    assert built_in.version == "built-in"
    assert built_in.process.observed_dimensions() == ()
    assert not built_in.process.observes_rule("reply", "/ehr")


def test_a_version_is_in_force_from_its_start_on() -> None:
    book = PolicyBook((policy("v2", JULY, processes={"p": {}}), policy("v1", JANUARY, processes={"p": {}})))
    found = [book.in_force("p", at).version for at in (JANUARY - INSTANT, JANUARY, JULY - INSTANT, JULY)]
    assert found == ["built-in", "v1", "v1", "v2"]
    assert book.newest("p").version == "v2"


def test_a_version_that_does_not_name_a_process_leaves_it_as_it_was() -> None:
    book = PolicyBook((policy("v1", JANUARY, processes={"p": {}}), policy("v2", JULY, processes={"q": {}})))
    assert (book.newest("p").version, book.newest("q").version) == ("v1", "v2")


def test_a_named_process_wins_over_the_star() -> None:
    parts = {"*": {"settle_s": 1}, "p": {"settle_s": 2}}
    book = PolicyBook((policy("v1", processes=parts),))
    assert [book.newest(name).process.settle_s for name in ("p", "other")] == [2, 1]


def test_versions_do_not_share_a_name() -> None:
    with pytest.raises(PolicyError, match="v1"):
        PolicyBook((policy("v1"), policy("v1", JULY)))
    with pytest.raises(PolicyError, match="built-in"):
        PolicyBook((policy("built-in"),))


def test_two_versions_of_a_process_do_not_start_together() -> None:
    with pytest.raises(PolicyError, match="effective_from"):
        PolicyBook((policy("v1", processes={"p": {}}), policy("v2", processes={"p": {}})))


def test_the_atoms_of_a_process_keep_their_period() -> None:
    weekly, monthly = {"p": {"period": "week"}}, {"p": {"period": "month"}}
    book = PolicyBook((policy("v1", processes=weekly), policy("v2", JULY, processes=weekly)))
    assert {book.in_force("p", at).process.period for at in (JANUARY - INSTANT, JANUARY, JULY)} == {"week"}
    with pytest.raises(PolicyError, match="period"):
        PolicyBook((policy("v1", processes=weekly), policy("v2", JULY, processes=monthly)))


def test_only_sources_that_a_pattern_names_observe_a_rule() -> None:
    part = process(observes=[{"source": "*/ehr", "rules": ["reply"]}])
    assert part.observes_rule("reply", "/north/ehr")
    assert not part.observes_rule("reply", "/north/EHR")
    assert not part.observes_rule("reply", "/north/ehr/2")
    assert not part.observes_rule("contact", "/north/ehr")


def test_what_several_entries_observe_adds_up() -> None:
    part = process(observes=[{"source": "*", "rules": ["reply"]}, {"source": "/ehr", "rules": ["contact"]}])
    assert part.observes_rule("reply", "/ehr")
    assert part.observes_rule("contact", "/ehr")
    assert part.observed_dimensions() == ("frequency", "timeliness")


def test_all_rules_together_observe_every_dimension() -> None:
    part = process(observes=[{"source": "*", "rules": sorted(RULE_DIMENSION)}])
    assert part.observed_dimensions() == DIMENSIONS


def test_an_alias_is_followed_once() -> None:
    book = PolicyBook((policy("v1", aliases={"ED RN": "ed-nurse"}, processes={"*": {}}),))
    found = book.newest("any")
    assert (found.role("ED RN"), found.role("ed-nurse"), found.role("other")) == ("ed-nurse", "ed-nurse", "other")
    with pytest.raises(ValidationError, match="itself an alias"):
        policy("v1", aliases={"a": "b", "b": "c"})


def test_a_role_has_its_own_calendar_or_that_of_the_star_or_none() -> None:
    part = {"p": {"calendars": {"desk": "office"}}, "q": {"calendars": {"*": "office"}}}
    book = PolicyBook((policy("v1", calendars={"office": OFFICE}, processes=part),))
    assert book.newest("p").calendar("desk") is not None
    assert book.newest("p").calendar("nurse") is None
    assert book.newest("q").calendar("nurse") is not None


def test_a_calendar_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValidationError, match="unknown calendar 'nights'"):
        policy("v1", processes={"p": {"calendars": {"desk": "nights"}}})


@pytest.mark.parametrize(
    "fields",
    [
        {"publish": {"min_actors": 2}},
        {"publish": {"min_work_items": 9}},
        {"publish": {"max_share": 0.51}},
        {"publish": {"max_share": 0}},
        {"settle_s": -1},
        {"settle_s": float("inf")},
        {"settle_s": float("nan")},
        {"contact_band": {"low": 2, "high": 1}},
        {"observes": [{"source": "", "rules": []}]},
        {"observes": [{"source": "*", "rules": ["kindness"]}]},
        {"period": "day"},
        {"secrets": {}},
    ],
)
def test_no_policy_allows(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        process(**fields)


@pytest.mark.parametrize("start", ["2026-01-01T00:00:00", "2026-01-01", 1767225600, "1767225600"])
def test_a_policy_starts_at_a_time_with_zone(start: Any) -> None:
    with pytest.raises(ValidationError):
        policy("v1", start)


def test_a_policy_survives_json() -> None:
    written = policy(
        "v1",
        calendars={"office": OFFICE},
        processes={"p": {"observes": [{"source": "*", "rules": ["reply"]}], "calendars": {"*": "office"}}},
    )
    assert Policy.model_validate_json(written.model_dump_json()) == written


def test_a_role_is_listed_under_its_normal_name() -> None:
    assert policy("v1", aliases={"L2": "level-2"}, processes={"p": {"roles": ["level-2"]}}).processes["p"].roles
    with pytest.raises(ValidationError, match=r"'p': roles has 'L2', an alias of 'level-2'"):
        policy("v1", aliases={"L2": "level-2"}, processes={"p": {"roles": ["level-2", "L2"]}})
