"""The diff of two runs: what it counts, and what it must not depend on."""

from __future__ import annotations

import random
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from deploy.composition.run_diff import RunDiff, diff_runs
from deploy.composition.run_diff_page import to_csv, to_html
from deploy.composition.runs import RunRefused
from schemas.policy import Policy, PolicyBook, ProcessPolicy, Targets
from schemas.rows import EvidenceRow
from sinks.clickhouse.run_diff import Asked, RowCounts, TieKey
from sinks.clickhouse.run_policy import policy_text
from sinks.clickhouse.runs import LIVE, write_run
from streams.inference.atoms import atoms, publishable
from tests.integration.store.rows import actor, evidence, handoff, policies, put, random_evidence
from tests.integration.store.test_promotions import PROMOTIONS, load
from tests.integration.store.test_runs import run_record

RUN = "replay-1"
ASKED = Asked(LIVE, RUN)
TIE = TieKey("ed-to-ward", "nurse", "bed-manager", "timeliness", "explicit")


def crowd(**fields: Any) -> list[EvidenceRow]:
    """One publishable atom of replies."""
    return [
        evidence(
            f"w{number}",
            communicator_actors=(actor(number % 6),),
            experiencer_actors=(actor(100 + number % 6),),
            event_ids=(f"src#{number}", f"src#{number}-answer"),
            **fields,
        )
        for number in range(20)
    ]


def book(accept_s: float) -> PolicyBook:
    part = ProcessPolicy(targets=Targets(reply_s={"default": accept_s}))
    return PolicyBook((Policy(version="1", effective_from="2020-01-01T00:00:00Z", processes={"ed-to-ward": part}),))


def diff(client: Client, live: list[EvidenceRow], replay: list[EvidenceRow], **asked: Any) -> RunDiff:
    for run, rows in ((LIVE, live), (RUN, replay)):
        load(client, run, rows, [])
        write_run(client, run_record(run, policy=policy_text(book(60.0 if run == LIVE else 120.0))))
    return diff_runs(client, ASKED, **asked)


def test_every_kind_of_difference_is_counted_by_tie_and_rule(client: Client) -> None:
    live = crowd()
    replay = live[1:]
    replay[0] = replay[0].model_copy(update={"value": 0.0})
    replay[1] = replay[1].model_copy(update={"ripe": False, "value": None})
    replay.append(live[5].model_copy(update={"episode_id": "src#new", "event_ids": ("src#new",)}))
    (each,) = diff(client, live, replay).changed
    assert each.tie == TIE
    assert each.rules == {"reply": RowCounts(only_a=1, only_b=1, other_value=1, other_ripeness=1, same=17)}
    assert (each.figures.n_a, each.figures.n_b) == (20, 19)
    assert each.figures.value_a == 1.0
    assert each.figures.value_b == pytest.approx(18 / 19)
    assert each.events == (2, 1)
    assert each.why == (
        "policy line 1: processes.ed-to-ward.targets.reply_s.default: 60.0 → 120.0",
        "2 events that only live has met",
        "1 events that only replay-1 has met",
    )


def test_an_event_that_the_other_run_met_in_any_episode_is_met(client: Client) -> None:
    live = crowd()
    put(client, "handoffs", [handoff("w0", run=RUN, event_ids=("src#0",))])
    (each,) = diff(client, live, live[1:], events=True).changed
    assert each.events == (1, 0)
    assert diff_runs(client, ASKED, events=True).events == [("ed-to-ward", LIVE, "src#0-answer")]


def test_two_runs_that_say_the_same_differ_in_nothing(client: Client) -> None:
    found = diff(client, crowd(), crowd())
    assert (found.changed, found.not_in_both, found.same) == ([], [], [TIE])
    assert [(effect.rows, effect.ties) for effect in found.lines] == [(0, ())]


def test_a_row_that_changes_its_tie_is_missed_in_the_one_and_new_in_the_other(client: Client) -> None:
    live = crowd() + crowd(experiencer_role="porter", episode_id="src#porter")
    moved = live[0].model_copy(update={"experiencer_role": "porter"})
    found = diff(client, live, [moved, *live[1:]])
    assert {each.tie.experiencer_role: each.rows for each in found.changed} == {
        "bed-manager": RowCounts(only_a=1, same=19),
        "porter": RowCounts(only_b=1, same=20),
    }


def test_what_is_promoted_plays_no_part(client: Client) -> None:
    from sinks.clickhouse.promotions import promote

    live = random_evidence(11, rows=1500)
    replay = [row.model_copy(update={"value": 0.0 if row.ripe else None}) for row in live]
    before = to_csv(diff(client, live, replay))
    promote(client, PROMOTIONS[0])
    # The spread that an interval is made with is that of the priors, which are of what live shows.
    kept = [line.split(",")[:12] for line in before.splitlines()]
    assert [line.split(",")[:12] for line in to_csv(diff_runs(client, ASKED)).splitlines()] == kept


def test_a_diff_does_not_depend_on_what_is_inside_unpublishable_atoms(client: Client) -> None:
    live = random_evidence(21, rows=3000)
    rng = random.Random(2)
    replay = [row.model_copy(update={"value": 0.0}) if row.ripe and rng.random() < 0.1 else row for row in live]
    found = diff(client, live, replay, events=True)
    before = to_csv(found), to_html(found)
    assert len(found.changed) > 5

    published = {key for key, atom in atoms(live).items() if publishable(atom, policies()[key.process].publish)}
    hidden = [row for row in live if next(iter(atoms([row]))) not in published]
    assert len(hidden) > 500
    for run in (LIVE, RUN):
        altered = [
            row.model_copy(
                update={
                    "revision": 9,
                    "value": rng.choice([0.0, 0.5, 1.0]) if row.ripe else None,
                    "event_ids": (f"other#{rng.random()}",),
                }
            )
            for row in hidden
        ]
        load(client, run, altered, [])
    again = diff_runs(client, ASKED, events=True)
    assert (to_csv(again), to_html(again)) == before


def test_what_cannot_be_compared_is_refused_and_said(client: Client) -> None:
    diff(client, crowd(), crowd())
    for asked, said in (
        (Asked(RUN, RUN), "the same run twice"),
        (Asked(RUN, "other"), "there is no run 'other'"),
        (Asked(LIVE, RUN, "other"), "neither run has a process 'other'"),
    ):
        with pytest.raises(RunRefused, match=said):
            diff_runs(client, asked)


def test_a_page_escapes_what_comes_from_outside(client: Client) -> None:
    role = "<script>alert(1)</script>"
    live = crowd(communicator_role=role)
    page = to_html(diff(client, live, live[1:]))
    assert role not in page
    assert "&lt;script&gt;" in page
    assert "http" not in page


def test_a_cell_is_no_formula(client: Client) -> None:
    live = crowd(communicator_role="=1+1")
    assert ",'=1+1," in to_csv(diff(client, live, live[1:]))
