"""Which lines of two policies differ, and what they govern."""

from __future__ import annotations

from typing import Any

import pytest

from schemas.policy import Policy, PolicyBook
from sinks.clickhouse.run_diff_policy import ALL_RULES, policy_lines

HOURS = {"zone": "Europe/Brussels", "hours": {"mon": ["09:00-17:00"]}}


def version(name: str = "1", since: str = "2026-01-01", top: dict[str, Any] | None = None, **process: Any) -> Policy:
    given = {"version": name, "effective_from": f"{since}T00:00:00Z", "processes": {"incident": process}}
    return Policy.model_validate(given | (top or {}))


def lines(a: Policy | tuple[Policy, ...], b: Policy | tuple[Policy, ...]) -> list[tuple[str, str, str]]:
    books = [PolicyBook(each if isinstance(each, tuple) else (each,)) for each in (a, b)]
    return [(line.path, line.a, line.b) for line in policy_lines(books[0], books[1], "incident")]


def test_a_line_has_the_path_of_the_file_and_both_values() -> None:
    a, b = version(targets={"accept_s": {"urgent": 60}}), version("2", targets={"accept_s": {"urgent": 90}})
    assert lines(a, b) == [("processes.incident.targets.accept_s.urgent", "60.0", "90.0")]


def test_what_is_set_in_one_policy_only_is_empty_in_the_other() -> None:
    assert lines(version(), version(targets={"reply_s": {"default": 60}})) == [
        ("processes.incident.targets.reply_s.default", "", "60.0")
    ]


def test_equal_policies_have_no_lines_whatever_their_versions_are_called() -> None:
    assert lines(version("1", settle_s=60), version("2", settle_s=60)) == []


def test_a_default_that_is_written_out_is_no_line() -> None:
    assert lines(version(), version(settle_s=86400)) == []


def test_another_process_has_no_lines_here() -> None:
    other = Policy.model_validate(
        {
            "version": "2",
            "effective_from": "2026-01-01T00:00:00Z",
            "processes": {"incident": {}, "other": {"settle_s": 60}},
        }
    )
    assert lines(version(), other) == []


def test_a_version_that_only_one_policy_has_differs_from_its_start_on() -> None:
    first = version(settle_s=60)
    books = PolicyBook((first,)), PolicyBook((first, version("2", "2026-03-01", settle_s=90)))
    (line,) = policy_lines(*books, "incident")
    assert line.since is not None
    assert (line.since.isoformat()[:10], line.until) == ("2026-03-01", None)


def test_a_difference_that_goes_on_through_versions_is_one_line() -> None:
    a = (version(settle_s=60), version("2", "2026-03-01", settle_s=60, linger_s=5))
    b = (version(settle_s=90), version("2", "2026-03-01", settle_s=90, linger_s=5))
    assert lines(a, b) == [("processes.incident.settle_s", "60.0", "90.0")]


@pytest.mark.parametrize(
    ("process", "rules"),
    [
        ({"targets": {"accept_s": {"default": 1}}}, {"handoff_acceptance"}),
        ({"targets": {"respond_s": {"default": 1}}}, {"problem_response"}),
        ({"routers": ["desk"]}, {"handoff_advanced"}),
        ({"observes": [{"source": "*", "rules": ["reply", "contact"]}]}, {"reply", "contact"}),
        ({"publish": {"min_actors": 9}}, set()),
        ({"required_elements": ["summary"]}, set()),
        ({"period": "week"}, set(ALL_RULES)),
    ],
)
def test_a_line_governs_the_rules_that_read_it(process: dict[str, Any], rules: set[str]) -> None:
    (line,) = policy_lines(PolicyBook((version(),)), PolicyBook((version(**process),)), "incident")
    assert set(line.rules) == rules
    assert {rule for rule in ALL_RULES if line.governs(rule, "anybody")} == rules


def test_a_calendar_governs_what_its_role_answers() -> None:
    top = {"calendars": {"office": HOURS}}
    book = PolicyBook((version(top=top, calendars={"desk": "office"}),))
    found = {line.path: line for line in policy_lines(PolicyBook((version(),)), book, "incident")}
    line = found["processes.incident.calendars.desk"]
    assert line.governs("reply", "desk")
    assert not line.governs("reply", "ward")
    assert found["calendars.office.zone"].b == '"Europe/Brussels"'


def test_an_alias_governs_every_rule() -> None:
    (line,) = policy_lines(
        PolicyBook((version(),)), PolicyBook((version(top={"aliases": {"ER": "ed"}}),)), "incident"
    )  # fmt: skip
    assert (line.path, line.b, line.rules) == ("aliases.ER", '"ed"', ALL_RULES)
