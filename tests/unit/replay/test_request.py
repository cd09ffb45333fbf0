"""What may be asked of a replay, beside what there is already."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from deploy.composition.replay.request import Request, RunExistsError, scope_of
from schemas.errors import ConfigError, TielineError
from tests.builders import T0, policy_book

NOW = datetime(2026, 6, 1, tzinfo=UTC)
BOOK = policy_book()
ASKED = Request("r", policies=BOOK)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"run": "live"}, "live"),
        ({"run": "Live!"}, "--run"),
        ({"run": ""}, "--run"),
        ({"run": "x" * 65}, "--run"),
        ({"from_at": NOW, "to_at": NOW}, "--from"),
        ({"as_of": NOW + timedelta(seconds=1)}, "future"),
    ],
)
def test_what_can_be_no_replay_is_refused(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        replace(ASKED, **fields).check(NOW)


def test_as_of_is_the_newest_event_if_nobody_says_otherwise() -> None:
    assert ASKED.begun("archive", T0, NOW).as_of == T0
    assert replace(ASKED, as_of=NOW).begun("archive", T0, NOW).as_of == NOW


def test_as_of_is_never_in_the_future_whatever_the_clock_of_a_source_says() -> None:
    assert ASKED.begun("archive", NOW + timedelta(minutes=30), NOW).as_of == NOW


def test_a_new_run_has_the_usual_policy_if_none_is_given_and_a_continued_one_its_own() -> None:
    usual = Request("r", usual=policy_book(settle_s=1))
    assert (
        usual.begun("archive", T0, NOW).policy == replace(ASKED, policies=usual.usual).begun("archive", T0, NOW).policy
    )
    found = ASKED.begun("archive", T0, NOW)
    assert usual.continued(found, "archive", NOW).policy == found.policy


def test_no_event_is_no_replay() -> None:
    with pytest.raises(TielineError, match="no events"):
        ASKED.begun("archive", None, NOW)


def test_a_finished_run_is_not_continued() -> None:
    found = ASKED.begun("archive", T0, NOW).model_copy(update={"status": "finished"})
    with pytest.raises(RunExistsError, match="finished"):
        ASKED.continued(found, "archive", NOW)


def test_what_is_not_said_is_as_it_was() -> None:
    asked = replace(ASKED, from_at=T0, process="p", role="nurse", as_of=NOW)
    found = asked.begun("archive", T0, NOW)
    later = NOW + timedelta(days=1)
    assert Request("r").continued(found, "archive", later) == found.model_copy(update={"started_at": later})


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"from_at": T0}, "--from"),
        ({"to_at": T0}, "--to"),
        ({"as_of": NOW - timedelta(days=1)}, "--as-of"),
        ({"process": "q"}, "--process"),
        ({"role": "nurse"}, "--role"),
        ({"policies": policy_book(settle_s=1)}, "--policy"),
    ],
)
def test_a_run_is_not_continued_with_something_else(fields: dict[str, Any], said: str) -> None:
    found = ASKED.begun("archive", T0, NOW)
    with pytest.raises(RunExistsError, match=said):
        replace(ASKED, **fields).continued(found, "archive", NOW)


def test_a_run_is_not_continued_from_another_source() -> None:
    with pytest.raises(RunExistsError, match="--source"):
        ASKED.continued(ASKED.begun("archive", T0, NOW), "events.ndjson", NOW)


def test_what_is_computed_is_what_is_recorded() -> None:
    scope = scope_of(replace(ASKED, from_at=T0, process="p").begun("archive", T0, NOW))
    assert (scope.run, scope.process, scope.from_at, scope.as_of) == ("r", "p", T0, T0)
    assert scope.policies.policies == BOOK.policies
