"""tie_windows always equals what the evidence adds up to, whatever was written, replaced or interrupted before."""

from __future__ import annotations

import math
import random
from datetime import timedelta
from typing import Any, NamedTuple

import pytest
from clickhouse_connect.driver.client import Client

from schemas.rows import EvidenceRow
from sinks.clickhouse.content_hash import content_hash
from sinks.clickhouse.details_sql import bin_start_s, waiting_bin
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


class Details(NamedTuple):
    """What a window keeps of its evidence beside the values."""

    marks: dict[str, int]
    answered: dict[int, int]
    unanswered: dict[int, int]
    open_since: dict[int, int]
    hours: dict[int, int]
    flow: tuple[int, float, float]


def stored_details(client: Client) -> dict[AtomKey, Details]:
    rows = client.query(
        f"SELECT {', '.join(AtomKey._fields)}, marks, answered, unanswered, open_since, hours,"
        " (flow_handoffs, flow_waited_s, flow_held_s) FROM tie_windows FINAL"
    ).result_rows
    return {AtomKey(*row[:9]): Details(*row[9:14], tuple(row[14])) for row in rows}


def details(evidence: list[EvidenceRow]) -> dict[AtomKey, Details]:
    """The definition that the store's statement is tested against."""
    found = {key: Details({}, {}, {}, {}, {}, (0, 0.0, 0.0)) for key in atoms(evidence)}
    for row in evidence:
        key = AtomKey(*(getattr(row, field) for field in AtomKey._fields))
        if row.ripe and not row.is_deleted:
            for mark in row.marks:
                _count(found[key].marks, mark)
            if row.rule == "handoff_acceptance":
                found[key] = _with_handoff(found[key], row)
    return found


def _with_handoff(sums: Details, row: EvidenceRow) -> Details:
    _count(sums.hours, row.hour_of_week)
    if row.waited_s is None:
        _count(sums.open_since, int(row.at.timestamp()) // 60)
    else:
        _count(sums.answered if row.answered else sums.unanswered, math.floor(4 * math.log2(1 + row.waited_s / 15)))
    if row.held_s is None:
        return sums
    handoffs, waited_s, held_s = sums.flow
    return sums._replace(flow=(handoffs + 1, waited_s + (row.waited_s or 0.0), held_s + row.held_s))


def _count(counts: dict[Any, int], what: Any) -> None:
    counts[what] = counts.get(what, 0) + 1


def assert_same_details(left: dict[AtomKey, Details], right: dict[AtomKey, Details]) -> None:
    assert left.keys() == right.keys()
    for key, found in left.items():
        assert found[:5] == right[key][:5], key
        assert found.flow == pytest.approx(right[key].flow), key


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


async def test_windows_keep_the_details_of_their_evidence(client: Client) -> None:
    rows = random_evidence(1)
    await write(client, rows)
    expected = details(rows)
    assert_same_details(stored_details(client), expected)
    for field in Details._fields[:5]:
        assert any(getattr(found, field) for found in expected.values()), field


async def test_replaced_evidence_takes_its_details_with_it(client: Client) -> None:
    rows = random_evidence(6, rows=300)
    await write(client, rows)
    changed = [row.model_copy(update={"revision": 2, "marks": (), "waited_s": 30.0, "answered": True}) for row in rows]
    gone = [row.model_copy(update={"revision": 2, "is_deleted": 1}) for row in rows[:100]]
    await write(client, [*gone, *changed[100:]])
    assert_same_details(stored_details(client), details(changed[100:]))


def test_a_bin_starts_where_the_method_says(client: Client) -> None:
    starts = [15 * (2 ** (number / 4) - 1) for number in range(128)]
    times = [seconds for start in starts for seconds in (start * (1 + 1e-9) + 1e-9, start * (1 - 1e-9) - 1e-9)]
    sql = f"SELECT groupArray({waiting_bin('greatest(0, seconds)')}) FROM (SELECT arrayJoin({times}) AS seconds)"
    assert client.query(sql).result_rows[0][0] == [
        found for number in range(128) for found in (number, max(0, number - 1))
    ]
    edges = f"SELECT groupArray({bin_start_s('number')}) FROM numbers(128)"
    assert client.query(edges).result_rows[0][0] == pytest.approx(starts)


async def test_the_same_evidence_in_any_order_gives_the_same_bits(client: Client) -> None:
    rows = random_evidence(8, rows=400)
    hashes = set()
    for seed in range(3):
        client.command("TRUNCATE TABLE evidence")
        client.command("TRUNCATE TABLE tie_windows")
        random.Random(seed).shuffle(rows)
        for start in range(0, len(rows), 170 + seed):
            await write(client, rows[start : start + 170 + seed])
        hashes.add(content_hash(client)["tie_windows"])
    assert len(hashes) == 1


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
