"""What was planted is what the inference finds, and enough of it may be published."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable

import pytest

from schemas.events import Event
from schemas.policy import PolicyBook
from schemas.rows import EvidenceRow, HandoffRow, Row
from streams.inference.facts import facts
from streams.simulation import targets
from streams.simulation.people import ED_TO_WARD, INCIDENT, TEAM_SIZES
from streams.simulation.scenario import Scenario
from streams.simulation.truth import PlantedTie

WELL_KNOWN = {
    (ED_TO_WARD, "ed-nurse", "ward-nurse"),
    (ED_TO_WARD, "ward-nurse", "ed-nurse"),
    (ED_TO_WARD, "ed-physician", "ward-physician"),
    (ED_TO_WARD, "ward-physician", "ed-physician"),
    (INCIDENT, "level-1", "level-2"),
    (INCIDENT, "level-2", "level-1"),
    (INCIDENT, "level-3", "level-2"),
    (INCIDENT, "network", "level-2"),
}


@pytest.fixture(scope="module")
def rows(simulated: tuple[Event, ...], demo_policies: PolicyBook, scenario: Scenario) -> list[Row]:
    items: dict[tuple[str, str], list[Event]] = defaultdict(list)
    for event in simulated:
        items[event.process, event.subject].append(event)
    return [row for events in items.values() for row in facts(events, demo_policies, scenario.end).rows.values()]


@pytest.fixture(scope="module")
def ripe(rows: list[Row]) -> list[EvidenceRow]:
    return [row for row in rows if isinstance(row, EvidenceRow) and row.ripe]


@pytest.fixture(scope="module")
def truth(scenario: Scenario) -> tuple[PlantedTie, ...]:
    return scenario.truth()


def test_inference_finds_what_was_planted(ripe: list[EvidenceRow], truth: tuple[PlantedTie, ...]) -> None:
    found: dict[tuple[str, str, str, str], list[float]] = defaultdict(list)
    for row in ripe:
        assert row.value is not None
        found[row.process, row.communicator_role, row.experiencer_role, row.dimension].append(row.value)
    for tie in (tie for tie in truth if tie.n >= 60):
        values = found[tie[:4]]
        assert len(values) == pytest.approx(tie.n, rel=0.2), tie
        assert sum(values) / len(values) == pytest.approx(tie.drawn, abs=0.025), tie


def test_the_dice_are_fair(truth: tuple[PlantedTie, ...]) -> None:
    for tie in truth:
        chance_s = (tie.mean * (1 - tie.mean) / tie.n) ** 0.5
        assert abs(tie.drawn - tie.mean) < 4 * chance_s + 1e-9, tie


def test_the_well_known_ties_may_be_published_nearly_every_week(ripe: list[EvidenceRow]) -> None:
    atoms: dict[tuple[str, ...], list[EvidenceRow]] = defaultdict(list)
    for row in ripe:
        tie = (row.process, row.communicator_role, row.experiencer_role)
        if tie in WELL_KNOWN:
            atoms[*tie, row.site, row.dimension, str(row.period_start)].append(row)
    whole_weeks = [atom for atom in atoms.values() if len({row.work_item for row in atom}) >= 5]
    share = sum(map(_publishable, whole_weeks)) / len(whole_weeks)
    assert share >= 0.9


def _publishable(atom: list[EvidenceRow]) -> bool:
    sides = (
        Counter(actor for row in atom for actor in row.communicator_actors),
        Counter(actor for row in atom for actor in row.experiencer_actors),
    )
    enough = len({row.work_item for row in atom}) >= 10
    return enough and all(len(side) >= 5 and max(side.values()) <= len(atom) / 2 for side in sides)


def test_a_team_of_three_is_never_published(ripe: list[EvidenceRow]) -> None:
    managers = [row for row in ripe if row.communicator_role == "bed-manager" and row.experiencer_role != "bed-manager"]
    assert len(managers) > 500
    assert len(_actors(managers)) == TEAM_SIZES["bed-manager"] < 5


def _actors(rows: Iterable[EvidenceRow]) -> set[str]:
    return {actor for row in rows for actor in row.communicator_actors}


def test_cardiology_has_too_little_to_say(ripe: list[EvidenceRow]) -> None:
    weeks = Counter(
        (row.site, row.period_start, row.dimension) for row in ripe if row.communicator_role == "cardiology"
    )
    assert weeks
    assert max(weeks.values()) < 20


def test_the_incident_log_shows_neither_accuracy_nor_frequency(ripe: list[EvidenceRow]) -> None:
    assert {row.dimension for row in ripe if row.process == INCIDENT} == {"timeliness", "problem_solving"}
    assert len({row.dimension for row in ripe if row.process == ED_TO_WARD}) == 4


def test_some_handoffs_are_open_at_the_end_and_some_of_them_overdue(rows: list[Row], scenario: Scenario) -> None:
    waiting = [row for row in rows if isinstance(row, HandoffRow) and row.state == "offered"]
    overdue = [row for row in waiting if row.accept_due_at is not None and row.accept_due_at < scenario.end]
    assert len(waiting) >= 15
    assert 3 <= len(overdue) < len(waiting)


def test_every_ending_of_a_handoff_occurs(rows: list[Row]) -> None:
    states = {row.state for row in rows if isinstance(row, HandoffRow)}
    assert states == {"offered", "accepted", "declined", "returned", "withdrawn", "superseded", "passed_on"}
    assert any(row.planned_return for row in rows if isinstance(row, HandoffRow))
    assert any(row.bounced for row in rows if isinstance(row, HandoffRow))


def test_the_simulated_people_are_measured_by_the_policy_of_the_demonstration(demo_policies: PolicyBook) -> None:
    ward = demo_policies.newest(ED_TO_WARD).process
    assert {**ward.targets.accept_s, "routine": ward.targets.accept_s["default"]} == {
        **targets.ACCEPT_S,
        "default": targets.ACCEPT_S["routine"],
    }
    assert ward.targets.reply_s == {"default": targets.REPLY_S}
    assert ward.targets.respond_s == {"default": targets.RESPOND_S}
    assert ward.settle_s == targets.SETTLE_S
    assert ward.contact_band is not None
    assert (ward.contact_band.low, ward.contact_band.high) == (targets.CONTACT_LOW, targets.CONTACT_HIGH)
    assert ward.required_elements == set(targets.REQUIRED_ELEMENTS)
    desk = demo_policies.newest(INCIDENT)
    assert desk.process.targets.accept_s == {"default": targets.INCIDENT_ACCEPT_S}
    calendar = desk.calendar("change-desk")
    assert calendar is not None
    assert calendar.hours.mon == (f"{targets.OPENS_H:02}:00-{targets.CLOSES_H:02}:00",)
    assert {(day.month, day.day) for day in calendar.holidays} == targets.HOLIDAYS
