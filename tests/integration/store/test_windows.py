"""tie_windows always equals what the evidence adds up to, whatever was written, replaced or interrupted before."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from schemas.rows import EvidenceRow
from sinks.clickhouse.windows import reaggregate_all
from streams.inference.atoms import Atom, AtomKey, atoms
from streams.inference.estimate import TieSums
from tests.integration.store.rows import START, actor, encoded, evidence, random_evidence, sink_of


def stored(client: Client) -> dict[AtomKey, Atom]:
    rows = client.query(
        f"SELECT {', '.join(AtomKey._fields)}, (s, n, work_items, ss, sn, nn), pending, communicator_actors,"
        " experiencer_actors, largest_share, n_by_rule FROM tie_windows FINAL"
    ).result_rows
    return {AtomKey(*row[:9]): Atom(TieSums(*row[9]), *row[10:]) for row in rows}


def assert_same(left: dict[AtomKey, Atom], right: dict[AtomKey, Atom]) -> None:
    assert left.keys() == right.keys()
    for key, atom in left.items():
        other = right[key]
        assert list(atom.sums) == pytest.approx(list(other.sums), abs=1e-9), key
        assert atom.largest_share == pytest.approx(other.largest_share, abs=1e-12), key
        assert atom[1:4] == other[1:4], key
        assert atom.n_by_rule == other.n_by_rule, key


def newest(rows: list[EvidenceRow]) -> list[EvidenceRow]:
    found: dict[Any, EvidenceRow] = {}
    for row in sorted(rows, key=lambda row: row.revision):
        found[row.run, row.process, row.work_item, row.episode_id, row.rule, row.part] = row
    return list(found.values())


async def write(client: Client, rows: list[EvidenceRow]) -> None:
    sink = sink_of(client)
    await sink.writer.add("evidence", encoded(rows))
    await sink.writer.flush()
    await sink.windows.refresh()
    assert sink.refused == []


async def test_windows_after_a_flush_are_the_atoms_of_the_evidence(client: Client) -> None:
    rows = random_evidence(1)
    await write(client, rows)
    assert_same(stored(client), atoms(rows))


async def test_flush_after_flush_equals_all_at_once(client: Client) -> None:
    rows = random_evidence(2, rows=600)
    random.Random(2).shuffle(rows)
    for start in range(0, len(rows), 150):
        await write(client, rows[start : start + 150])
    assert_same(stored(client), atoms(rows))


async def test_a_row_that_changes_its_tie_leaves_the_old_window(client: Client) -> None:
    before = evidence(communicator_role="porter")
    await write(client, [before, evidence("w2", communicator_role="porter")])
    after = before.model_copy(update={"communicator_role": "nurse", "site": "north", "revision": 2})
    await write(client, [after])
    assert_same(stored(client), atoms([after, evidence("w2", communicator_role="porter")]))


async def test_a_window_without_evidence_is_gone(client: Client) -> None:
    row = evidence()
    await write(client, [row])
    gone = EvidenceRow(
        **row.model_dump(include={"run", "process", "work_item", "episode_id", "rule", "at", "period_start"}),
        revision=2,
        is_deleted=1,
    )
    await write(client, [gone])
    assert stored(client) == {}


async def test_an_older_version_that_comes_late_changes_nothing(client: Client) -> None:
    new = evidence(revision=5, value=0.0)
    await write(client, [new])
    await write(client, [evidence(revision=2, communicator_role="porter")])
    assert_same(stored(client), atoms([new]))


async def test_a_crash_before_the_refresh_leaves_no_old_window(client: Client) -> None:
    before = evidence(communicator_role="porter")
    await write(client, [before])
    after = before.model_copy(update={"communicator_role": "nurse", "revision": 2})
    interrupted = sink_of(client)
    await interrupted.writer.add("evidence", encoded([after]))
    await interrupted.writer.flush()
    # The process ends here. Its offset is not committed: the restarted one reads the same rows again.
    restarted = sink_of(client)
    assert await restarted.windows.recover() == 1
    await write(client, [after])
    assert_same(stored(client), atoms([after]))


async def test_nothing_is_left_to_recover_after_a_refresh(client: Client) -> None:
    before = evidence(communicator_role="porter")
    await write(client, [before])
    await write(client, [before.model_copy(update={"communicator_role": "nurse", "revision": 2})])
    assert await sink_of(client).windows.recover() == 0


async def test_random_replacements_leave_what_the_newest_rows_add_up_to(client: Client) -> None:
    rng = random.Random(7)
    written = random_evidence(3, rows=300)
    await write(client, written)
    for revision in range(2, 6):
        replaced = [
            row.model_copy(
                update={
                    "revision": revision,
                    "communicator_role": rng.choice(["nurse", "porter"]),
                    "site": rng.choice(["", "south"]),
                    "is_deleted": int(rng.random() < 0.2),
                    "value": rng.choice([0.0, 1.0]),
                    "ripe": True,
                }
            )
            for row in rng.sample(written, 40)
        ]
        await write(client, replaced)
        written += replaced
        assert_same(stored(client), atoms(newest(written)))


async def test_reaggregating_a_run_finds_nothing_to_correct(client: Client) -> None:
    rows = random_evidence(4, rows=400)
    await write(client, rows)
    client.command("INSERT INTO tie_windows SELECT * REPLACE ('ghost' AS site) FROM tie_windows FINAL LIMIT 3")
    reaggregate_all(client, "live")
    assert_same(stored(client), atoms(rows))


async def test_reaggregating_a_run_leaves_other_runs_alone(client: Client) -> None:
    other = evidence(run="replay-1")
    await write(client, [evidence(), other])
    client.command("INSERT INTO tie_windows SELECT * REPLACE (9 AS n, now64(6) AS version) FROM tie_windows FINAL")
    reaggregate_all(client, "live")
    assert {key.run: atom.sums.n for key, atom in stored(client).items()} == {"live": 1, "replay-1": 9}


async def test_names_with_quotes_and_backslashes_survive(client: Client) -> None:
    rows = [
        evidence("it's", communicator_role="nurse\\' OR 1", site='a "b" \\n {x:String} %s'),
        evidence("w\\", experiencer_role="日本 'x'"),
    ]
    await write(client, rows)
    await write(client, [row.model_copy(update={"revision": 2, "experiencer_role": "o'hara\\"}) for row in rows])
    assert_same(stored(client), atoms([row.model_copy(update={"experiencer_role": "o'hara\\"}) for row in rows]))


async def test_names_of_any_length_and_number_fit_into_the_statements(client: Client) -> None:
    rows = [
        evidence(f"{number}".rjust(250, "日"), episode_id=f"{'€' * 250}#{number}", communicator_role=f"{number:0128}")
        for number in range(400)
    ]
    await write(client, rows[:190])
    await write(client, rows)
    assert_same(stored(client), atoms(rows))


async def test_actors_of_two_keys_are_never_added_up(client: Client) -> None:
    rows = [
        evidence(f"w{number}", communicator_actors=(actor(number, "k1"), actor(number % 2, "k2")))
        for number in range(4)
    ]
    await write(client, rows)
    (atom,) = stored(client).values()
    assert atom.communicator_actors == 4


async def test_a_window_of_another_month_is_not_read(client: Client) -> None:
    early, late = evidence("w1"), evidence("w2", at=START + timedelta(days=60))
    await write(client, [early, late])
    client.command("ALTER TABLE evidence DELETE WHERE work_item = 'w1'", settings={"mutations_sync": 2})
    await write(client, [late.model_copy(update={"revision": 2, "value": 0.0})])
    assert sorted(atom.sums.n for atom in stored(client).values()) == [1, 1]
