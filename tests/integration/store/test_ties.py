"""The quality views against the Python core, and what they must not depend on."""

from __future__ import annotations

import math
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from schemas.rows import EvidenceRow, ExchangeRow
from schemas.vocabulary import DIMENSIONS
from sinks.clickhouse.audiences import QUALITY
from sinks.clickhouse.windows import reaggregate_all, refresh_priors
from streams.inference.atoms import Tie, TieFigure, atoms, declared, publishable, tie_figures
from streams.inference.estimate import overall
from tests.integration.store.rows import (
    START,
    actor,
    declare,
    evidence,
    handoff,
    policies,
    put,
    random_evidence,
    with_details,
)

YEAR = ("2025-12-01 00:00:00", "2026-12-31 00:00:00")
SHOWN = ("n", "pending", "estimate", "low", "high", "work_items")


def select(client: Client, view: str, period: tuple[str, str] = YEAR, **asked: str) -> list[dict[str, Any]]:
    wanted = {"run": "live", "from": period[0], "to": period[1], "process": "", "site": ""} | asked
    arguments = ", ".join(f"{name} = '{value}'" for name, value in wanted.items())
    return list(client.query(f"SELECT * FROM {view}({arguments})").named_results())


def load(client: Client, rows: list[EvidenceRow]) -> None:
    """Evidence through re-aggregation and priors, as the sink does it."""
    put(client, "evidence", rows)
    keys = "run, process, site, communicator_role, experiencer_role, dimension, origin, period, period_start"
    client.command(f"INSERT INTO tie_windows ({keys}) SELECT DISTINCT {keys} FROM evidence")
    reaggregate_all(client, "live")
    refresh_priors(client, "live")


def when(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def assert_agree(found: list[dict[str, Any]], expected: dict[tuple[Tie, str], TieFigure]) -> None:
    by_key = {
        (Tie(row["process"], row["origin"], row["communicator_role"], row["experiencer_role"]), row["dimension"]): row
        for row in found
    }
    assert len(by_key) == len(found)
    assert by_key.keys() == expected.keys()
    for key, figure in expected.items():
        row = by_key[key]
        assert (row["status"], row["hidden_share"]) == (figure.status, figure.hidden_share), key
        assert [row[name] for name in ("n", "pending", "work_items")] == [
            figure.n,
            figure.pending,
            figure.work_items,
        ], key
        assert row["n_by_rule"] == (figure.n_by_rule or {}), key
        numbers = list(figure.estimate)[:3] if figure.estimate else [None] * 3
        assert [row["estimate"], row["low"], row["high"]] == pytest.approx(numbers, abs=1e-9), key


@pytest.mark.parametrize("seed", [11, 12, 13])
@pytest.mark.parametrize("rows", [400, 4000])
def test_ties_agree_with_the_python_core(client: Client, seed: int, rows: int) -> None:
    declare(client)
    written = random_evidence(seed, rows=rows)
    load(client, written)
    for period in (
        YEAR,
        ("2026-01-20 10:00:00", "2026-02-03 00:00:00"),
        ("2026-02-01 00:00:00", "2026-02-01 00:00:00"),
    ):
        for site in ("", "north"):
            expected = tie_figures(atoms(written), (), policies(), when(period[0]), when(period[1]), site=site)
            assert_agree(select(client, "ties", period, site=site), expected)


def test_random_evidence_tries_every_status(client: Client) -> None:
    expected = tie_figures(atoms(random_evidence(11, rows=4000)), (), policies(), when(YEAR[0]), when(YEAR[1]))
    statuses = {figure.status for figure in expected.values()}
    assert statuses == {"shown", "hidden: too few people", "not enough data", "not observed"}
    assert any(figure.hidden_share not in (None, 0.0, 1.0) and figure.status == "shown" for figure in expected.values())


def test_a_process_is_picked_by_name(client: Client) -> None:
    declare(client)
    load(client, random_evidence(11))
    all_rows = select(client, "ties")
    assert {row["process"] for row in all_rows} == {"ed-to-ward", "incident", "surgery"}
    picked = select(client, "ties", process="incident")
    assert sorted(map(str, picked)) == sorted(str(row) for row in all_rows if row["process"] == "incident")


def test_overall_needs_every_declared_dimension(client: Client) -> None:
    declare(client)
    written = random_evidence(11, rows=6000)
    load(client, written)
    figures = tie_figures(atoms(written), (), policies(), when(YEAR[0]), when(YEAR[1]))
    rows = select(client, "overall")
    assert any(row["status"] == "shown" for row in rows)
    for row in rows:
        tie = Tie(row["process"], row["origin"], row["communicator_role"], row["experiencer_role"])
        wanted = [d for d in DIMENSIONS if declared(policies()[tie.process], d, tie.origin)]
        assert sorted(row["dimensions"]) == sorted(wanted)
        parts = [figures[tie, dimension].estimate for dimension in wanted]
        if wanted and all(parts):
            expected = overall([part for part in parts if part])
            assert [row["estimate"], row["low"], row["high"]] == pytest.approx(list(expected)[:3], abs=1e-9)
        else:
            assert row["status"] != "shown"
            assert (row["estimate"], row["low"], row["high"]) == (None, None, None)


def test_tie_periods_are_the_publishable_atoms(client: Client) -> None:
    declare(client)
    written = random_evidence(11, rows=4000)
    load(client, written)
    rows = select(client, "tie_periods")
    expected = {}
    for atom_key, atom in atoms(written).items():
        if publishable(atom, policies()[atom_key.process].publish):
            pair = (atom_key.communicator_role, atom_key.experiencer_role)
            for a, b in {pair, pair[::-1]} if atom_key.dimension == "frequency" else {pair}:
                named = atom_key._replace(communicator_role=a, experiencer_role=b)
                expected[(*named[1:7], named.period_start)] = atom.sums
    place = ("process", "site", "communicator_role", "experiencer_role", "dimension", "origin", "period_start")
    found = {tuple(row[name] for name in place): row for row in rows}
    assert found.keys() == expected.keys()
    assert expected
    for key, sums in expected.items():
        assert math.isclose(found[key]["value"], sums.s / sums.n, abs_tol=1e-9)
        assert found[key]["n"] == sums.n


def test_a_named_tie_shows_all_four_dimensions_in_both_directions(client: Client) -> None:
    declare(client)
    put(client, "handoffs", [handoff(process="surgery")])
    put(client, "exchanges", [ExchangeRow(run="live", process="surgery", work_item="w", episode_id="s#e", from_role="a",
                                          to_roles=("b", "c"), sent_at=START)])  # fmt: skip
    rows = select(client, "ties")
    pairs = {("nurse", "bed-manager"), ("a", "b"), ("a", "c")}
    both = pairs | {(b, a) for a, b in pairs}
    assert {(row["communicator_role"], row["experiencer_role"]) for row in rows} == both
    assert len(rows) == 4 * len(both)
    assert {row["dimension"]: row["status"] for row in rows} == {
        "frequency": "not observed",
        "timeliness": "not enough data",
        "accuracy": "not enough data",
        "problem_solving": "not enough data",
    }
    assert all(row[name] is None for row in rows for name in (*SHOWN, "hidden_share"))


def test_ownership_logs_show_two_dimensions_at_most(client: Client) -> None:
    declare(client)
    put(client, "handoffs", [handoff(origin="inferred")])
    statuses = {row["dimension"]: row["status"] for row in select(client, "ties")}
    assert statuses["frequency"] == statuses["accuracy"] == "not observed"
    assert statuses["timeliness"] == statuses["problem_solving"] == "not enough data"


def test_a_handoff_of_another_atom_names_no_tie(client: Client) -> None:
    declare(client)
    put(client, "handoffs", [handoff(at=START + timedelta(days=31))])
    assert select(client, "ties", ("2026-01-10 00:00:00", "2026-02-01 00:00:00")) == []
    assert len(select(client, "ties", ("2026-01-10 00:00:00", "2026-02-01 00:00:01"))) == 8


def test_only_the_newest_version_of_a_row_names_a_tie(client: Client) -> None:
    declare(client)
    moved = handoff("moved", to_role="ghost")
    gone = handoff("gone", from_role="spirit")
    put(client, "handoffs", [moved, gone])
    assert {row["experiencer_role"] for row in select(client, "ties")} >= {"ghost", "spirit"}
    put(client, "handoffs", [moved.model_copy(update={"to_role": "bed-manager", "revision": 2})])
    put(client, "handoffs", [gone.model_copy(update={"is_deleted": True, "revision": 2})])
    assert {row["experiencer_role"] for row in select(client, "ties")} == {"nurse", "bed-manager"}


def test_what_evidence_names_already_hides_no_other_tie(client: Client) -> None:
    declare(client)
    load(client, random_evidence(11, rows=400))
    before = select(client, "ties")
    named = {(row["communicator_role"], row["experiencer_role"]) for row in before}
    put(client, "handoffs", [handoff(from_role="nurse", to_role="courier", at=START + timedelta(days=70))])
    after = select(client, "ties")
    assert {(row["communicator_role"], row["experiencer_role"]) for row in after} - named == {
        ("nurse", "courier"),
        ("courier", "nurse"),
    }
    assert [row for row in after if "courier" not in (row["communicator_role"], row["experiencer_role"])] == before


def crowd(count: int, actors: int, **fields: Any) -> list[EvidenceRow]:
    """`count` items in turn among as many people on each side."""
    return [
        evidence(
            f"{fields.get('communicator_role', 'nurse')}{number}",
            communicator_actors=(actor(number % actors),),
            experiencer_actors=(actor(100 + number % actors),),
            **fields,
        )
        for number in range(count)
    ]


@pytest.mark.parametrize(
    ("count", "actors", "status"),
    [
        (10, 5, "shown"),
        (9, 5, "not enough data"),
        (40, 4, "hidden: too few people"),
        (9, 3, "hidden: too few people"),
    ],
)
def test_publishing_needs_five_people_and_ten_items(client: Client, count: int, actors: int, status: str) -> None:
    declare(client)
    load(client, crowd(count, actors))
    shown = [
        row
        for row in select(client, "ties")
        if row["dimension"] == "timeliness" and row["communicator_role"] == "nurse"
    ]
    assert [row["status"] for row in shown] == [status]


def test_nobody_may_be_behind_more_than_half(client: Client) -> None:
    declare(client)
    busy = [row.model_copy(update={"experiencer_actors": (actor(999),)}) for row in crowd(11, 11)[:6]]
    load(client, [*busy, *crowd(11, 11)[6:]])
    assert "shown" not in {row["status"] for row in select(client, "ties")}


@pytest.mark.parametrize("view", QUALITY)
def test_quality_views_do_not_depend_on_values_of_unpublishable_atoms(client: Client, view: str) -> None:
    declare(client)
    written = random_evidence(21, rows=4000)
    load(client, written)
    published = {key for key, atom in atoms(written).items() if publishable(atom, policies()[key.process].publish)}
    before = raw(client, view)
    rng = random.Random(1)
    changed = [
        with_details(row.model_copy(update={"value": rng.choice([0.0, 0.5, 1.0]), "revision": 2}), rng)
        for row in written
        if row.ripe and next(iter(atoms([row]))) not in published
    ]
    assert len(changed) > 200
    put(client, "evidence", changed)
    reaggregate_all(client, "live")
    refresh_priors(client, "live")
    assert raw(client, view) == before


def raw(client: Client, view: str) -> bytes:
    arguments = "run = 'live', from = '2025-12-01', to = '2026-12-31', process = '', site = ''"
    arguments += "".join(f", {name} = 'live'" for name in QUALITY[view].also_takes)
    asked = f"{view}({arguments})" if QUALITY[view].takes_period else view
    return client.raw_query(f"SELECT * FROM {asked} ORDER BY ALL", fmt="JSONCompactEachRow")
