"""Atoms, and which of them may be published. The store's views are tested against this module."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from schemas.policy import Observes, ProcessPolicy, Publish
from schemas.rows import EvidenceRow, period_start
from streams.inference.atoms import Tie, atoms, declared, priors, publishable, tie_figures
from streams.inference.estimate import NO_PRIOR, estimate

AT = datetime(2026, 1, 15, 12, tzinfo=UTC)
JANUARY = (datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC))
POLICIES = {
    "p": ProcessPolicy(observes=(Observes(source="*", rules=frozenset({"reply", "contact", "handoff_advanced"})),))
}
TIE = Tie("p", "explicit", "a", "b")
BACK = Tie("p", "explicit", "b", "a")


def actor(number: int, key: str = "k1") -> str:
    return f"{key}:{number:032x}"


def row(number: int = 0, people: int = 5, **fields: Any) -> EvidenceRow:
    """Evidence number `number` of a tie in which `people` on each side take turns."""
    given: dict[str, Any] = {
        "run": "live",
        "process": "p",
        "work_item": f"w{number}",
        "episode_id": f"s#{number}",
        "rule": "reply",
        "communicator_role": "a",
        "experiencer_role": "b",
        "communicator_actors": (actor(number % people),),
        "experiencer_actors": (actor(1000 + number % people),),
        "dimension": "timeliness",
        "origin": "explicit",
        "at": AT,
        "ripe": True,
        "value": float(number % 2),
        "period_start": period_start(fields.get("at", AT), "month"),
    }
    return EvidenceRow(**given | fields)


def crowd(count: int = 10, people: int = 5, **fields: Any) -> list[EvidenceRow]:
    return [row(number, people, **fields) for number in range(count)]


def only(rows: list[EvidenceRow]) -> Any:
    (atom,) = atoms(rows).values()
    return atom


def figure(rows: list[EvidenceRow], tie: Tie = TIE, dimension: str = "timeliness", **asked: Any) -> Any:
    return tie_figures(atoms(rows), (), POLICIES, *JANUARY, **asked)[tie, dimension]


def test_atoms_do_not_depend_on_the_order_of_evidence() -> None:
    rows = [*crowd(30), *crowd(20, value=1 / 3, site="north")]
    shuffled = random.Random(1).sample(rows, len(rows))
    assert atoms(shuffled) == atoms(rows)


def test_a_tombstone_is_no_evidence() -> None:
    assert atoms([row(is_deleted=1)]) == {}


def test_evidence_that_is_not_ripe_is_pending_and_brings_no_people() -> None:
    atom = only([row(1), row(2, ripe=False, value=None)])
    assert (atom.sums.n, atom.sums.items, atom.pending, atom.communicator_actors) == (1, 1, 1, 1)


@pytest.mark.parametrize(("count", "people", "shown"), [(10, 5, True), (9, 5, False), (10, 4, False)])
def test_an_atom_needs_ten_items_and_five_people(count: int, people: int, shown: bool) -> None:
    assert publishable(only(crowd(count, people)), Publish()) is shown


def test_many_observations_of_one_item_are_one_item() -> None:
    assert not publishable(only([row(number, work_item="w") for number in range(50)]), Publish())


def test_half_of_the_items_is_the_most_that_one_person_may_be_behind() -> None:
    half = [row(number, 10, **({"communicator_actors": (actor(77),)} if number < 5 else {})) for number in range(10)]
    more = [row(number, 10, **({"communicator_actors": (actor(77),)} if number < 6 else {})) for number in range(10)]
    assert publishable(only(half), Publish())
    assert not publishable(only(more), Publish())


def test_people_of_two_keys_are_counted_as_the_larger_crowd() -> None:
    rows = crowd(12, 3) + [row(50 + n, communicator_actors=(actor(n, "k2"),)) for n in range(4)]
    assert only(rows).communicator_actors == 4


def test_a_share_split_over_two_keys_is_added_up() -> None:
    rows = [row(n, 20, communicator_actors=(actor(77, "k1" if n < 4 else "k2"),)) for n in range(8)]
    assert only(rows + [row(n, 20, communicator_actors=(actor(n),)) for n in range(8, 14)]).largest_share == 8 / 14


def test_an_unpublishable_atom_changes_no_figure_but_the_hidden_share() -> None:
    shown = crowd(20)
    few = crowd(6, 2, site="north")
    with_few, alone = figure([*shown, *few]), figure(shown)
    assert with_few._replace(hidden_share=None) == alone._replace(hidden_share=None)
    assert (alone.hidden_share, with_few.hidden_share) == (0.0, 0.2)
    changed = figure([*shown, *crowd(6, 2, site="north", value=0.25)])
    assert changed == with_few


def test_one_row_per_dimension_in_both_directions_of_a_named_tie() -> None:
    figures = tie_figures({}, [TIE], POLICIES, *JANUARY)
    assert {tie for tie, _ in figures} == {TIE, BACK}
    assert {dimension: figures[TIE, dimension].status for _, dimension in figures} == {
        "frequency": "not enough data",
        "timeliness": "not enough data",
        "accuracy": "not observed",
        "problem_solving": "not enough data",
    }


def test_contact_is_shown_on_both_directions_and_counted_once_in_the_prior() -> None:
    rows = crowd(12, rule="contact", dimension="frequency")
    assert figure(rows, TIE, "frequency") == figure(rows, BACK, "frequency")
    assert priors(atoms(rows), POLICIES)["p", "frequency", "explicit"].k == 1


def test_explicit_and_inferred_are_never_pooled() -> None:
    rows = [*crowd(12), *crowd(12, origin="inferred", rule="handoff_acceptance")]
    assert figure(rows).n == 12
    assert set(priors(atoms(rows), POLICIES)) == {("p", "timeliness", "explicit"), ("p", "timeliness", "inferred")}


def test_ownership_logs_declare_what_they_can_show() -> None:
    assert declared(POLICIES["p"], "problem_solving", "inferred")
    assert not declared(POLICIES["p"], "timeliness", "inferred")
    assert declared(POLICIES["p"], "timeliness", "explicit")


def test_a_period_takes_in_every_atom_that_it_touches() -> None:
    rows = [*crowd(10), *crowd(10, at=AT + timedelta(days=31))]
    found = atoms(rows)
    for start, end, n in ((AT, AT + timedelta(seconds=1), 10), (AT, AT + timedelta(days=17), 20), (AT, AT, None)):
        figures = tie_figures(found, [TIE], POLICIES, start, end)
        assert figures[TIE, "timeliness"].n == n


def test_the_estimate_shrinks_towards_the_prior_of_the_whole_run() -> None:
    rows = [row for tie in range(6) for row in crowd(20, experiencer_role=f"b{tie}", value=0.1 * tie + 0.2)]
    common = priors(atoms(rows), POLICIES)["p", "timeliness", "explicit"]
    assert common.k == 6
    shown = figure(rows, Tie("p", "explicit", "a", "b3"))
    assert shown.estimate == estimate(common, 20 * (0.1 * 3 + 0.2), 20)
    assert shown.estimate != estimate(NO_PRIOR, 20 * (0.1 * 3 + 0.2), 20)
