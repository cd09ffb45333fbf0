from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from typer.testing import CliRunner

from deploy.cli.commands.interventions import app
from deploy.composition.interventions import (
    InterventionRefused,
    Plan,
    ended,
    id_of,
    is_there,
    only_one,
    started,
    tie_of,
    unlisted_roles,
)
from schemas.policy import Policy, PolicyBook, ProcessPolicy

AT = datetime(2026, 3, 2, 8, tzinfo=UTC)
POLICY = PolicyBook(
    (
        Policy(
            version="p1",
            effective_from=AT - timedelta(days=99),
            aliases={"rn": "ward-nurse"},
            processes={"ed-to-ward": ProcessPolicy(roles=frozenset({"ed-nurse", "ward-nurse", "manager"}))},
        ),
    )
).newest("ed-to-ward")
PLAN = Plan("ed-to-ward", "Bedside handover", "relational", "less is missing", "manager", AT, (("ed-nurse", "rn"),))


class Known:
    """A reader that knows some interventions."""

    def __init__(self, *rows: Mapping[str, Any]) -> None:
        self._rows = list(rows)

    def rows(self, _: str) -> list[Mapping[str, Any]]:
        return self._rows


def row(**fields: Any) -> dict[str, Any]:
    return {
        **{"process": "ed-to-ward", "site": "", "intervention": "bedside-handover-2026-03-02"},
        **{"name": "Bedside handover", "kind": "relational", "hypothesis": "less is missing", "expected_loss": None},
        **{"worry": "", "owner_role": "manager", "started_at": AT, "ended_at": None, "registered_at": AT},
        **{"ties": [["ed-nurse", "ward-nurse"]]},
    } | fields


@pytest.mark.parametrize("text", ["a:b", "a -> b", "a→b", " a : b "])
def test_a_tie_names_two_roles(text: str) -> None:
    assert tie_of(text) == ("a", "b")


def test_role_with_a_colon_is_written_with_an_arrow() -> None:
    assert tie_of("group:a->group:b") == ("group:a", "group:b")


@pytest.mark.parametrize("text", ["", "a", "a:", ":b", "a:b:c", "a->b->c", "->"])
def test_what_is_no_tie_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(InterventionRefused, match="ed-nurse:ward-nurse"):
        tie_of(text)


def test_same_plan_is_the_same_event() -> None:
    assert started(PLAN, POLICY).canonical() == started(PLAN, POLICY).canonical()


def test_order_of_ties_and_repeated_ties_make_no_other_event() -> None:
    two = PLAN._replace(ties=(("a", "b"), ("c", "d"), ("a", "b")))
    assert started(two, POLICY) == started(PLAN._replace(ties=(("c", "d"), ("a", "b"))), POLICY)


def test_roles_are_registered_under_their_normal_names() -> None:
    (tie,) = started(PLAN, POLICY).data.ties
    assert tie.experiencer_role == "ward-nurse"


def test_id_holds_nothing_but_letters_digits_and_the_day() -> None:
    assert id_of("Übergabe: am Bett!", AT) == "ubergabe-am-bett-2026-03-02"
    assert id_of("交接", AT) == "intervention-2026-03-02"
    assert len(id_of("x" * 500, AT)) < 100


@pytest.mark.parametrize(
    "change", [{"name": ""}, {"hypothesis": "x" * 501}, {"process": "a/b"}, {"id": "a\nb"}, {"owner_role": ""}]
)
def test_what_the_contract_refuses_is_named_without_its_value(change: dict[str, Any]) -> None:
    with pytest.raises(InterventionRefused, match="not allowed in an event"):
        started(PLAN._replace(**change), POLICY)


def test_roles_that_the_policy_does_not_list_are_said() -> None:
    plan = PLAN._replace(ties=(("ed-nurse", "porter"),), owner_role="matron")
    assert unlisted_roles(started(plan, POLICY), POLICY) == ["matron", "porter"]
    assert unlisted_roles(started(PLAN, POLICY), POLICY) == []


def test_registering_again_sends_nothing() -> None:
    event = started(PLAN, POLICY)
    assert not is_there(Known(), event)
    assert is_there(Known(row()), event)


def test_what_was_expected_is_never_changed_afterwards() -> None:
    others: list[dict[str, Any]] = [{"hypothesis": "more"}, {"started_at": AT + timedelta(hours=1)}, {"ties": []}]
    for changed in others:
        with pytest.raises(InterventionRefused, match="never changed afterwards"):
            is_there(Known(row(**changed)), started(PLAN, POLICY))


def test_registering_again_without_a_start_is_no_contradiction() -> None:
    assert is_there(Known(row(started_at=AT - timedelta(minutes=1))), started(PLAN, POLICY), started_now=True)


def test_end_belongs_to_what_began() -> None:
    event = ended(row(site="north"), AT + timedelta(days=1))
    assert (event.subject, event.process, event.site) == ("bedside-handover-2026-03-02", "ed-to-ward", "north")


def test_what_has_ended_or_not_begun_cannot_end() -> None:
    with pytest.raises(InterventionRefused, match="has ended already"):
        ended(row(ended_at=AT), AT + timedelta(days=1))
    with pytest.raises(InterventionRefused, match="cannot end before"):
        ended(row(), AT)


def test_id_that_two_processes_have_needs_the_process() -> None:
    with pytest.raises(InterventionRefused, match="no intervention"):
        only_one(Known(), "x")
    with pytest.raises(InterventionRefused, match="a, b: say which with --process"):
        only_one(Known(row(process="b"), row(process="a")), "x")


ADD = [
    *("add", "--process", "ed-to-ward", "--name", "Bedside handover", "--kind", "relational"),
    *("--hypothesis", "less is missing", "--owner-role", "manager"),
]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([], "change costs people something"),
        (["--worry", "time", "--kind", "other"], "relational, process, structural"),
        (["--worry", "time", "--start", "2199-01-01"], "lies in the future"),
        (["--worry", "time", "--start", "yesterday"], "2h, 7d"),
        (["--expected-loss", "1.5"], "Error"),
    ],
)
def test_what_cannot_be_registered_is_said_before_anything_is_asked(given: list[str], said: str) -> None:
    done = CliRunner().invoke(app, [*ADD, *given])
    assert done.exit_code == 2
    assert said in done.output.replace("\n", " ").replace("  ", " ")
