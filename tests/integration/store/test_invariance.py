"""Rule 2: no published quality view depends on an unpublishable atom, whatever is altered inside one; nor does a
report, nor the difference of two runs.

The views are those that readers are granted: a view that is new is asked too. What it takes beside a period has to be
named in `ALSO`.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import pytest
from clickhouse_connect.driver.client import Client

from deploy.composition.reading import ServerReader
from deploy.composition.report import gather
from deploy.composition.run_diff import diff_runs
from deploy.composition.run_diff_page import to_html
from deploy.report import asked as report_asked
from deploy.report.report import report
from schemas.policy import Policy, PolicyBook
from schemas.rows import METHOD_VERSION, EvidenceRow, Row
from schemas.vocabulary import EventRef
from sinks.clickhouse.audiences import QUALITY
from sinks.clickhouse.insert import insert_rows
from sinks.clickhouse.records import RunRecord, process_records, process_row
from sinks.clickhouse.run_diff import Asked
from sinks.clickhouse.runs import write_run
from sinks.clickhouse.windows import reaggregate_all, refresh_priors
from streams.inference.atoms import AtomKey, atoms, publishable
from streams.inference.facts import facts
from streams.simulation.planted.people import simulated_people
from streams.simulation.planted.promised import matching_policy
from streams.simulation.planted.simulation import Simulation
from streams.simulation.planted.world import World
from tests.integration.store.rows import actor, put, with_details

WORLD = World.model_validate(
    {
        "start": "2026-01-05",
        "weeks": 22,
        "steady": True,
        "quality": {"sd": 0.1},
        "item": {"handoffs": 1, "questions": 0, "problems": 0},
        "rules": ["handoff_acceptance", "handoff_accuracy", "handoff_advanced", "contact"],  # one for each dimension
        "roles": {
            "nurse": {"people": 9},
            "ward": {"people": 8},
            "porter": {"people": 3},  # too few: all of their ties are hidden
            "chief": {"people": 9, "uneven": 3.0},  # one of them does most of the work
            "night": {},  # so rarely that some weeks have too few work items
        },
        "flows": [
            {"giver": "nurse", "taker": "ward", "items_per_week": 15},
            {"giver": "ward", "taker": "nurse", "items_per_week": 12},
            {"giver": "porter", "taker": "nurse", "items_per_week": 3},
            {"giver": "chief", "taker": "ward", "items_per_week": 10},
            {"giver": "night", "taker": "ward", "items_per_week": 5},
        ],
    }
)
POLICY: Policy = matching_policy(WORLD)
RUNS = ("live", "again")
PERIOD = {"run": "live", "from": "2025-12-01", "to": "2026-12-31", "process": "", "site": ""}
ALSO = {"compare": "again", "survey": "spring"}
ASKED = {"survey_beside_proxy": {"process": WORLD.process}}  # a survey is that of one process
SURVEY = "(process, survey, source, id, payload, payload_hash, at, rater_role, rated_role, dimension, mean, n)"
SCORES = (
    f"'{WORLD.process}', 'spring', '/survey', toString(number), '', toString(number), '2026-05-20 00:00:00',"
    " ['ward', 'nurse', 'nurse'][number % 3 + 1], ['nurse', 'ward', 'porter'][number % 3 + 1],"
    " ['timeliness', 'accuracy', 'problem_solving', 'shared_goals'][number % 4 + 1], 3 + number / 20, 9"
    " FROM numbers(12)"
)
BEGUN = datetime(2026, 7, 1, tzinfo=UTC)
TOLD = report_asked.Asked(WORLD.process, datetime(2025, 12, 1, tzinfo=UTC), BEGUN, compare="again")
_WINDOW = ", ".join(AtomKey._fields)
Alter = Callable[[list[EvidenceRow], random.Random], Iterator[EvidenceRow]]


def evidence() -> list[EvidenceRow]:
    """What the inference makes of the simulated log, with the details that charts need."""
    items: dict[str, list[Any]] = defaultdict(list)
    simulated = Simulation(WORLD, 5, simulated_people(5).hash_actor)
    for event in simulated.events():
        items[event.subject].append(event)
    policies, rng = PolicyBook((POLICY,)), random.Random(3)
    as_of = max(event.time for events in items.values() for event in events) + timedelta(days=30)
    rows: Iterable[Row] = (row for events in items.values() for row in facts(events, policies, as_of).rows.values())
    return [with_details(row, rng) for row in rows if isinstance(row, EvidenceRow) and row.ripe]


def store(client: Client, rows: list[EvidenceRow], runs: tuple[str, ...] = RUNS) -> None:
    """Evidence of runs, as the sink and a replay leave it."""
    for run in runs:
        put(client, "evidence", [row.model_copy(update={"run": run}) for row in rows])
    client.command(f"INSERT INTO tie_windows ({_WINDOW}) SELECT DISTINCT {_WINDOW} FROM evidence")
    for run in runs:
        reaggregate_all(client, run)
        refresh_priors(client, run)


def answers(client: Client) -> dict[str, bytes]:
    """Every quality view, the report and the difference of the runs, byte by byte."""
    found = {name: view_of(client, name) for name in QUALITY}
    found["report"] = report([gather(ServerReader(client), TOLD)]).encode()
    found["diff"] = to_html(diff_runs(client, Asked(*RUNS))).encode()
    return found


def view_of(client: Client, name: str) -> bytes:
    """What a quality view answers."""
    view = QUALITY[name]
    unknown = set(view.also_takes) - ALSO.keys()
    assert not unknown, f"{name} takes {unknown}: say in ALSO what this test asks with"
    given = {**PERIOD, **ASKED.get(name, {}), **{field: ALSO[field] for field in view.also_takes}}
    arguments = ", ".join(f"{field} = '{value}'" for field, value in given.items())
    asked = f"{name}({arguments})" if view.takes_period else name
    return client.raw_query(f"SELECT * FROM {asked} ORDER BY ALL", fmt="JSONCompactEachRow")


def atom_of(row: EvidenceRow) -> AtomKey:
    return AtomKey(*(getattr(row, field) for field in AtomKey._fields))


def published(rows: list[EvidenceRow]) -> set[AtomKey]:
    publish = POLICY.processes[WORLD.process].publish
    return {key for key, atom in atoms(rows).items() if publishable(atom, publish)}


def other_values(rows: list[EvidenceRow], rng: random.Random) -> Iterator[EvidenceRow]:
    """Outcomes, waits, hours and marks."""
    for row in rows:
        yield with_details(row.model_copy(update={"value": rng.choice([0.0, 0.5, 1.0])}), rng)


def more_observations(rows: list[EvidenceRow], rng: random.Random) -> Iterator[EvidenceRow]:
    """Of the same work items and people: some ripe, some pending."""
    for number, row in enumerate(rows):
        for again in range(rng.randrange(3)):
            ripe = rng.random() < 0.7
            ref = EventRef(f"/planted/more#{number}-{again}")
            pending = {"value": None, "known_at": None, "waited_s": None, "marks": (), "answered": False}
            yield row.model_copy(update={"episode_id": ref, "ripe": ripe, **({} if ripe else pending)})


def other_people(rows: list[EvidenceRow], rng: random.Random) -> Iterator[EvidenceRow]:
    """Each actor is somebody else, in every row of an unpublishable atom."""
    numbers: dict[str, int] = {}

    def other(ids: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(actor(1000 + numbers.setdefault(one, len(numbers)), "k9") for one in ids)

    for row in rows:
        sides = ("communicator_actors", "experiencer_actors")
        yield row.model_copy(update={side: other(getattr(row, side)) for side in sides})


def more_items(rows: list[EvidenceRow], rng: random.Random) -> Iterator[EvidenceRow]:
    """Of ties of which everything is hidden: nearly twice the work, by the same few people."""
    for row in rows:
        if "porter" in (row.communicator_role, row.experiencer_role) and rng.random() < 0.9:
            item = f"{row.work_item}-more"
            yield row.model_copy(update={"work_item": item, "episode_id": EventRef(f"/planted/more#{item}{row.part}")})


def fewer_items(rows: list[EvidenceRow], rng: random.Random) -> Iterator[EvidenceRow]:
    """Of ties of which everything is hidden: some work never happened."""
    for row in rows:
        if "porter" in (row.communicator_role, row.experiencer_role) and hash_free(row.work_item) % 4 == 0:
            yield row.model_copy(update={"is_deleted": 1})


def other_insides(rows: list[EvidenceRow], rng: random.Random) -> Iterator[EvidenceRow]:
    """All that leaves the number of work items as it is."""
    altered = list(other_people(list(other_values(rows, rng)), rng))
    yield from altered
    yield from more_observations(altered, rng)


def other_counts(rows: list[EvidenceRow], rng: random.Random) -> Iterator[EvidenceRow]:
    """Work items that come and go."""
    yield from more_items(rows, rng)
    yield from fewer_items(rows, rng)


ALTERATIONS: tuple[tuple[Alter, tuple[str, ...]], ...] = ((other_insides, RUNS), (other_counts, RUNS[1:]))
"""What is altered, and in which runs."""


SHOWING = {"ties", "tie_control", "tie_answers"}
"""Some in which other values are other figures."""


def hash_free(text: str) -> int:
    """The same number in every process."""
    return sum(map(ord, text))


@pytest.fixture(scope="module")
def rows() -> list[EvidenceRow]:
    return evidence()


@pytest.fixture
def stored(client: Client, rows: list[EvidenceRow]) -> Client:
    """Both runs in the store."""
    for run in RUNS:
        declared = process_records(PolicyBook((POLICY,)), run, {WORLD.process})
        insert_rows(client, "processes", [process_row(record) for record in declared])
        kind: Literal["live", "replay"] = "live" if run == "live" else "replay"
        write_run(
            client, RunRecord(run=run, kind=kind, status="finished", method_version=METHOD_VERSION, started_at=BEGUN)
        )
    client.command(f"INSERT INTO surveys {SURVEY} SELECT {SCORES}")
    store(client, rows)
    return client


@pytest.mark.timeout(600)
def test_quality_views_report_and_diff_depend_on_publishable_atoms_alone(
    stored: Client, rows: list[EvidenceRow]
) -> None:
    shown, before = published(rows), answers(stored)
    hidden = [row for row in rows if atom_of(row) not in shown]
    assert len(shown) > 100
    assert len({atom_of(row) for row in hidden}) > 100
    current = {(row.episode_id, row.rule, row.part): row for row in rows}
    for revision, (alter, runs) in enumerate(ALTERATIONS, start=2):
        altered = [row.model_copy(update={"revision": revision}) for row in alter(hidden, random.Random(1))]
        assert len(altered) > 50, alter
        current |= {(row.episode_id, row.rule, row.part): row for row in altered}
        assert published(list(current.values())) == shown, f"{alter} itself makes an atom publishable"
        store(stored, altered, runs)
    after = answers(stored)
    assert {name for name in before if after[name] != before[name]} == set()

    # And on those they do: a view that showed nothing would not change either.
    inside = [row for row in rows if atom_of(row) in shown]
    store(stored, [row.model_copy(update={"revision": 9}) for row in other_values(inside, random.Random(1))])
    assert {name for name in SHOWING if view_of(stored, name) != before[name]} == SHOWING
