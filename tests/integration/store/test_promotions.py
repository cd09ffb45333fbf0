"""Promotion: live shows another run in some periods of a process, and nothing else changes."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from schemas.rows import EvidenceRow, HandoffRow
from sinks.clickhouse.audiences import QUALITY
from sinks.clickhouse.promotions import Promotion, PromotionRefused, demote, list_promotions, promote
from sinks.clickhouse.runs import LIVE, delete_run, write_run
from sinks.clickhouse.windows import reaggregate_all, refresh_priors
from tests.integration.store.rows import PERIODS, START, declare, handoff, put, random_evidence
from tests.integration.store.test_runs import run_record

RUN = "replay-1"
FEBRUARY, MARCH, APRIL = date(2026, 2, 1), date(2026, 3, 1), date(2026, 4, 1)
PROMOTIONS = [
    Promotion("ed-to-ward", RUN, FEBRUARY, MARCH),
    Promotion("incident", RUN, date(2026, 1, 12), date(2026, 2, 2)),
    Promotion("surgery", RUN, APRIL, date(2026, 7, 1)),
]
VIEWS = [name for name, view in QUALITY.items() if view.takes_period and set(view.also_takes) <= {"compare"}]
NAMING = ("ties", "tie_periods")
_WINDOW = "run, process, site, communicator_role, experiencer_role, dimension, origin, period, period_start"


def of_run(rows: list[Any], run: str) -> list[Any]:
    return [row.model_copy(update={"run": run}) for row in rows]


def load(client: Client, run: str, evidence: list[EvidenceRow], handoffs: list[HandoffRow]) -> None:
    put(client, "evidence", of_run(evidence, run))
    put(client, "handoffs", of_run(handoffs, run))
    declare(client, run)
    client.command(f"INSERT INTO tie_windows ({_WINDOW}) SELECT DISTINCT {_WINDOW} FROM evidence WHERE run = '{run}'")
    reaggregate_all(client, run)
    refresh_priors(client, run)


def names(run: str) -> list[HandoffRow]:
    """Handoffs between roles that no evidence knows: their ties exist by name only. One a month, and at every seam."""
    days = [date(2026, 1, 20), date(2026, 1, 31), FEBRUARY, date(2026, 2, 28), MARCH, date(2026, 3, 31), APRIL]
    return [
        handoff(f"{run}-{process}-{day}", at=midnight(day), process=process, run=run, to_role=f"{run}-{day}")
        for process in PERIODS
        for day in days
    ]


def midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def promoted(process: str, at: datetime) -> bool:
    return any(
        promotion.process == process and midnight(promotion.first) <= at < midnight(promotion.after)
        for promotion in PROMOTIONS
    )


def merged(live: list[Any], replay: list[Any], at: str) -> list[Any]:
    kept = [row for row in live if not promoted(row.process, getattr(row, at))]
    return kept + [row for row in replay if promoted(row.process, getattr(row, at))]


def says(client: Client, view: str, run: str = LIVE, first: str = "2025-12-01", after: str = "2026-12-31") -> bytes:
    compare = ", compare = 'empty'" if view == "run_changes" else ""
    asked = f"run = '{run}', from = '{first}', to = '{after}', process = '', site = ''{compare}"
    return client.raw_query(f"SELECT * FROM {view}({asked}) ORDER BY ALL", fmt="JSONCompactEachRow")


def all_say(client: Client, **asked: str) -> dict[str, bytes]:
    return {view: says(client, view, **asked) for view in VIEWS}


@pytest.fixture
def two_runs(client: Client) -> Client:
    load(client, LIVE, random_evidence(11, rows=1500), names(LIVE))
    load(client, RUN, random_evidence(12, rows=1500), names(RUN))
    write_run(client, run_record(RUN))
    return client


def test_live_says_what_it_would_if_the_promoted_rows_were_its_own(two_runs: Client) -> None:
    for promotion in PROMOTIONS:
        promote(two_runs, promotion)
    seam = {"first": "2026-01-28", "after": "2026-02-05"}
    found, at_seam = all_say(two_runs), {view: says(two_runs, view, **seam) for view in NAMING}
    for table in ("evidence", "handoffs", "tie_names", "tie_windows", "priors", "promotions"):
        two_runs.command(f"TRUNCATE TABLE {table}")
    evidence = merged(random_evidence(11, rows=1500), random_evidence(12, rows=1500), "at")
    load(two_runs, LIVE, evidence, merged(names(LIVE), names(RUN), "offered_at"))
    for view, text in found.items():
        assert text == says(two_runs, view), view
    for view, text in at_seam.items():
        assert text == says(two_runs, view, **seam), view
    assert all(found[view] for view in VIEWS if view not in ("run_changes", "tie_answers", "tie_hours", "tie_flow"))


def test_taking_a_promotion_back_leaves_no_trace_in_any_view(two_runs: Client) -> None:
    before, of_the_other = all_say(two_runs), {view: says(two_runs, view, run=RUN) for view in NAMING}
    for promotion in PROMOTIONS:
        promote(two_runs, promotion)
    changed = all_say(two_runs)
    assert {view: says(two_runs, view, run=RUN) for view in NAMING} == of_the_other, "any other run shows itself alone"
    assert {view for view in VIEWS if changed[view] != before[view]} >= {"ties", "tie_periods", "tie_control"}
    assert demote(two_runs, RUN) == 1 + 3 + 1
    assert all_say(two_runs) == before
    assert demote(two_runs, RUN) == 0


def test_new_events_of_live_show_outside_of_what_is_promoted_and_not_inside(two_runs: Client) -> None:
    promote(two_runs, PROMOTIONS[0])
    before = says(two_runs, "tie_periods")
    inside = [row for row in random_evidence(13) if row.process == "ed-to-ward" and promoted(row.process, row.at)]
    outside = [row for row in random_evidence(13) if row.process == "ed-to-ward" and row.at >= midnight(MARCH)]
    load(two_runs, LIVE, [row.model_copy(update={"episode_id": f"{row.episode_id}i"}) for row in inside], [])
    assert says(two_runs, "tie_periods") == before
    load(two_runs, LIVE, [row.model_copy(update={"episode_id": f"{row.episode_id}o"}) for row in outside], [])
    assert says(two_runs, "tie_periods") != before


def test_an_atom_is_judged_by_what_its_own_run_promises(two_runs: Client) -> None:
    column = "run, process, period, 90 AS min_actors, min_work_items, max_share, observed_dimensions, observed_rules,"
    into = column.replace("90 AS ", "") + " policy_version"
    two_runs.command(
        f"INSERT INTO processes ({into}) SELECT {column} policy_version FROM processes FINAL WHERE run = '{RUN}'"
    )
    promote(two_runs, PROMOTIONS[0])
    sql = "SELECT DISTINCT period_start FROM tie_periods(run = 'live', from = '2026-01-01', to = '2026-04-01',"
    rows = two_runs.query(f"{sql} process = 'ed-to-ward', site = '') ORDER BY period_start").result_rows
    assert [row[0] for row in rows] == [date(2026, 1, 1), MARCH]


def test_priors_of_live_are_of_what_live_shows(two_runs: Client) -> None:
    sql = "SELECT process, dimension, origin, mu, tau2, phi, k, n_eff FROM priors FINAL WHERE run = 'live' ORDER BY ALL"
    before = two_runs.query(sql).result_rows
    promote(two_runs, PROMOTIONS[0])
    during = two_runs.query(sql).result_rows
    assert {row[0] for row in set(during).symmetric_difference(before)} == {"ed-to-ward"}
    demote(two_runs, RUN)
    assert two_runs.query(sql).result_rows == before


def test_promoting_twice_is_promoting_once(two_runs: Client) -> None:
    first = promote(two_runs, PROMOTIONS[1])
    assert promote(two_runs, PROMOTIONS[1]) == first == [PROMOTIONS[1]]
    assert list_promotions(two_runs) == [PROMOTIONS[1]]


def test_part_of_a_promotion_can_be_taken_back(two_runs: Client) -> None:
    promote(two_runs, PROMOTIONS[1])
    assert demote(two_runs, RUN, "incident", date(2026, 1, 19), date(2026, 1, 26)) == 1
    assert list_promotions(two_runs) == [
        Promotion("incident", RUN, date(2026, 1, 12), date(2026, 1, 19)),
        Promotion("incident", RUN, date(2026, 1, 26), date(2026, 2, 2)),
    ]


@pytest.mark.parametrize(
    ("promotion", "said"),
    [
        (PROMOTIONS[0]._replace(run="other"), "there is no run 'other'"),
        (PROMOTIONS[0]._replace(process="other"), "has no process 'other'"),
        (PROMOTIONS[0]._replace(first=date(2026, 2, 3)), "nearest starts are 2026-02-01 and 2026-03-01"),
        (PROMOTIONS[0]._replace(after=date(2026, 3, 31)), "nearest starts are 2026-03-01 and 2026-04-01"),
        (PROMOTIONS[1]._replace(first=date(2026, 1, 11)), "nearest starts are 2026-01-05 and 2026-01-12"),
        (PROMOTIONS[2]._replace(after=date(2026, 5, 1)), "nearest starts are 2026-04-01 and 2026-07-01"),
        (PROMOTIONS[0]._replace(after=FEBRUARY), "an earlier and a later day"),
        (PROMOTIONS[0]._replace(after=date(9999, 1, 1)), "an earlier and a later day"),
    ],
)
def test_what_cannot_be_promoted_is_refused_and_said(client: Client, promotion: Promotion, said: str) -> None:
    declare(client, LIVE)
    declare(client, RUN)
    write_run(client, run_record(RUN))
    with pytest.raises(PromotionRefused, match=said):
        promote(client, promotion)
    assert list_promotions(client) == []


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"status": "running"}, "only a finished one"),
        ({"role": "nurse"}, "of one role only"),
        ({"from_at": START + timedelta(days=30)}, "holds only what is from"),
        ({"to_at": midnight(FEBRUARY)}, "holds only what is from"),
        ({"as_of": START}, "knows nothing after"),
    ],
)
def test_a_run_that_lacks_something_is_not_promoted(client: Client, fields: dict[str, Any], said: str) -> None:
    declare(client, LIVE)
    declare(client, RUN)
    write_run(client, run_record(RUN, **fields))
    with pytest.raises(PromotionRefused, match=said):
        promote(client, PROMOTIONS[0])


def test_a_period_shows_one_run_at_most(client: Client) -> None:
    for run in (LIVE, RUN, "replay-2"):
        declare(client, run)
        write_run(client, run_record(run))
    promote(client, PROMOTIONS[0])
    with pytest.raises(
        PromotionRefused, match="run 'replay-1' is shown from 2026-02-01 to 2026-03-01; undo that first"
    ):
        promote(client, Promotion("ed-to-ward", "replay-2", date(2026, 1, 1), APRIL))
    with pytest.raises(PromotionRefused, match="is what is shown where nothing is promoted"):
        promote(client, PROMOTIONS[1]._replace(run=LIVE))
    promote(client, Promotion("ed-to-ward", "replay-2", MARCH, APRIL))
    assert [promotion.run for promotion in list_promotions(client)] == [RUN, "replay-2"]


def test_a_run_that_is_not_finished_or_deleted_cannot_be_chosen(client: Client) -> None:
    for run, status in ((LIVE, "running"), (RUN, "finished"), ("busy", "running"), ("gone", "finished")):
        declare(client, run)
        write_run(client, run_record(run, status=status))
    write_run(client, run_record("gone", is_deleted=1))
    chosen = {row[0] for row in client.query("SELECT DISTINCT run FROM quality_processes").result_rows}
    assert chosen == {LIVE, RUN}
    delete_run(client, "gone")
    assert chosen == {row[0] for row in client.query("SELECT DISTINCT run FROM quality_processes").result_rows}
