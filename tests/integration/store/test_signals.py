"""What the store says is worth acting on, and what it remembers of what was said."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from deploy.composition.signals import listed
from schemas.dead_letter import DeadLetter
from schemas.rows import ProblemRow, WorkItemRow
from schemas.signal import Delivery, Finding
from sinks.clickhouse.queries import signals as queries
from sinks.clickhouse.queries.signals import ShareLimits
from sinks.clickhouse.settings import ClickHouseSettings
from tests.integration.grafana.test_tie_shift import BARELY, USUAL, put_weeks, weeks
from tests.integration.store.arrivals import arrive, event
from tests.integration.store.rows import START, handoff, put
from tests.unit.signals.findings import ended, overdue, said

NOW = datetime.now(UTC).replace(microsecond=0)
MINUTE, HOUR, DAY, WEEK = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1), timedelta(weeks=1)
NOTHING = ShareLimits(None, None, None, None, 20)


def waiting(item: str, due: datetime | None, **fields: Any) -> Any:
    return handoff(item, at=START, accept_due_at=due, **fields)


def overdue_items(client: Client, since: datetime = START) -> list[str]:
    return [finding.work_item for finding in queries.overdue_handoffs(client, "live", since, NOW)]


def test_an_open_handoff_past_due_is_overdue(client: Client) -> None:
    put(
        client,
        "handoffs",
        [
            waiting("late", NOW - MINUTE, site="north", urgency="urgent"),
            waiting("in-time", NOW + MINUTE),
            waiting("long-ago", START - DAY),
            waiting("no-target", None),
            waiting("accepted", NOW - MINUTE, state="accepted", accepted_at=NOW),
            waiting("closed", NOW - MINUTE, closed_at=NOW),
            waiting("another-run", NOW - MINUTE, run="replay"),
        ],
    )
    (found,) = queries.overdue_handoffs(client, "live", START, NOW)
    assert found == Finding(
        kind="handoff_overdue",
        process="ed-to-ward",
        site="north",
        work_item="late",
        episode_id="src#late",
        communicator_role="bed-manager",
        experiencer_role="nurse",
        to_roles=("bed-manager",),
        dimension="timeliness",
        origin="explicit",
        urgency="urgent",
        at=NOW - MINUTE,
        event_ids=("src#late",),
    )


def test_only_the_newest_version_of_a_handoff_is_believed(client: Client) -> None:
    put(client, "handoffs", [waiting("accepted", NOW - MINUTE), waiting("gone", NOW - MINUTE), waiting("a", None)])
    put(client, "handoffs", [waiting("accepted", NOW - MINUTE, state="accepted", accepted_at=NOW, revision=2)])
    put(client, "handoffs", [waiting("gone", NOW - MINUTE, is_deleted=1, revision=2)])
    put(client, "handoffs", [waiting("a", NOW - MINUTE, revision=2)])
    assert overdue_items(client) == ["a"]


def test_a_handoff_ended_when_it_was_answered_and_goes_on_while_it_waits(client: Client) -> None:
    answered = [
        waiting("accepted", NOW - HOUR, state="accepted", accepted_at=NOW - 2 * MINUTE, returned_at=NOW),
        waiting("passed-on", NOW - HOUR, state="passed_on", left_at=NOW - MINUTE),
        waiting("closed", NOW - HOUR, closed_at=NOW - MINUTE),
        waiting("waits", NOW - HOUR),
        waiting("extended", NOW + HOUR),
    ]
    put(client, "handoffs", answered)
    names = [row.work_item for row in answered] + ["taken-away"]
    signals = {said(overdue(name)).signal: name for name in names}
    found = queries.handoff_endings(client, "live", [said(overdue(name)) for name in names], NOW)
    assert {signals[signal]: at for signal, at in found.items()} == {
        "accepted": NOW - 2 * MINUTE,
        "passed-on": NOW - MINUTE,
        "closed": NOW - MINUTE,
        "waits": None,
    }


def problem(item: str, **fields: Any) -> ProblemRow:
    given: dict[str, Any] = {
        "run": "live",
        "process": "ed-to-ward",
        "work_item": item,
        "episode_id": f"src#{item}",
        "problem_id": item,
        "from_role": "nurse",
        "to_roles": ("registrar",),
        "raised_at": START,
        "respond_by": NOW - MINUTE,
        "revision": 1,
    }
    return ProblemRow(**given | fields)


def item(name: str, closed: bool) -> WorkItemRow:
    return WorkItemRow(run="live", process="ed-to-ward", work_item=name, closed=closed, last_arrival_at=NOW, revision=1)


def test_a_problem_of_an_open_item_without_a_response_is_unanswered(client: Client) -> None:
    put(
        client,
        "problems",
        [
            problem("one"),
            problem("two-roles", to_roles=("porter", "registrar")),
            problem("answered", first_response_at=NOW),
            problem("resolved", resolved_at=NOW),
            problem("in-time", respond_by=NOW + MINUTE),
            problem("item-closed"),
        ],
    )
    put(client, "work_items", [item("item-closed", True), item("one", False)])
    found = {each.work_item: each for each in queries.unanswered_problems(client, "live", START, NOW)}
    assert found.keys() == {"one", "two-roles"}
    assert (found["one"].communicator_role, found["one"].experiencer_role) == ("registrar", "nurse")
    assert (found["two-roles"].communicator_role, found["two-roles"].to_roles) == ("", ("porter", "registrar"))


def test_a_problem_ended_when_it_was_answered_and_goes_on_while_it_waits(client: Client) -> None:
    put(client, "problems", [problem("waits"), problem("answered", first_response_at=NOW), problem("item-closed")])
    put(client, "work_items", [item("item-closed", True)])
    names = ["waits", "answered", "item-closed"]
    signals = {said(overdue(name, kind="problem_unanswered")): name for name in names}
    found = queries.problem_endings(client, "live", list(signals), NOW)
    by_id = {signal.signal: name for signal, name in signals.items()}
    assert {by_id[signal]: at for signal, at in found.items()} == {"waits": None, "answered": NOW}


def test_a_week_beyond_its_limits_is_a_shift_in_either_direction(client: Client) -> None:
    put_weeks(client, *weeks([*USUAL, 2]), *weeks([*USUAL, (40, 40)], role="porter"), *weeks(USUAL, role="registrar"))
    found = queries.shifted_ties(client, "live", NOW)
    assert [(each.communicator_role, each.experiencer_role, each.dimension) for each in found] == [
        ("nurse", "bed-manager", "timeliness"),
        ("porter", "bed-manager", "timeliness"),
    ]
    monday = (NOW - timedelta(days=NOW.weekday())).replace(hour=0, minute=0, second=0)
    assert {each.at for each in found} == {monday - WEEK}
    assert all(each.value is None for each in found)


def test_a_shift_that_few_people_stand_behind_is_not_said(client: Client) -> None:
    thin = [row.model_copy(update={"communicator_actors": row.experiencer_actors[:1]}) for row in weeks([*USUAL, 2])]
    few = [row.model_copy(update={"experiencer_actors": ("k1:" + "0" * 32,)}) for row in thin]
    put_weeks(client, *few)
    assert queries.shifted_ties(client, "live", NOW) == []


def test_among_many_ties_a_point_barely_beyond_its_limits_is_no_shift(client: Client) -> None:
    others = [row for number in range(60) for row in weeks([*USUAL, 10], role=f"role-{number}")]
    put_weeks(client, *weeks([*USUAL, BARELY]), *others)
    assert queries.shifted_ties(client, "live", NOW) == []


def letter(number: int, stage: Any = "infer") -> DeadLetter:
    return DeadLetter(
        id=f"{stage}{number}", stage=stage, code="schema", payload_sha256="0", payload_bytes=1, at=NOW - MINUTE
    )


def checked(client: Client, **limits: Any) -> list[tuple[str, str, str, float | None, int]]:
    found = queries.doubtful_data(client, "live", NOTHING._replace(**limits), NOW)
    return [(each.check, each.process, each.source, each.value, each.n) for each in found]


def test_too_many_dead_letters_are_told_but_not_those_of_webhooks_and_imports(client: Client) -> None:
    arrive(client, [event(str(number), at=NOW - 2 * MINUTE) for number in range(90)], received_at=NOW - MINUTE)
    put(client, "dead_letters", [letter(number, "webhook") for number in range(50)])
    put(client, "dead_letters", [letter(number, "import") for number in range(50)])
    assert checked(client, dead_letters=0.01) == []
    put(client, "dead_letters", [letter(number) for number in range(10)])
    assert checked(client, dead_letters=0.01) == [("dead_letters", "", "", 0.1, 100)]
    assert checked(client, dead_letters=0.2) == []


def test_of_few_events_no_share_is_told(client: Client) -> None:
    put(client, "dead_letters", [letter(number) for number in range(19)])
    assert checked(client, dead_letters=0.01) == []


def test_skewed_handoffs_are_counted_by_process(client: Client) -> None:
    put(client, "handoffs", [handoff(f"a{n}", at=NOW - HOUR, skewed=n < 4) for n in range(20)])
    put(client, "handoffs", [handoff(f"b{n}", at=NOW - HOUR, process="incident") for n in range(20)])
    put(client, "handoffs", [handoff(f"c{n}", at=NOW - 3 * DAY, skewed=True) for n in range(20)])
    assert checked(client, skewed_handoffs=0.05) == [("skewed_handoffs", "ed-to-ward", "", 0.2, 20)]


def test_unknown_actors_are_counted_by_source(client: Client) -> None:
    for source, kind in (("tickets", "unknown"), ("ehr", "human")):
        events = [event(f"{source}{n}", at=NOW - HOUR, source=source, kind=kind) for n in range(20)]
        arrive(client, events, received_at=NOW)
    assert checked(client, unknown_actors=0.5) == [("unknown_actors", "ed-to-ward", "tickets", 1.0, 20)]


def came(client: Client, hours_ago: list[float], each: int = 6, source: str = "tickets") -> None:
    events = [
        event(f"{source}{hours}-{number}", at=NOW - hours * HOUR, source=source)
        for hours in hours_ago
        for number in range(each)
    ]
    arrive(client, events, received_at=NOW)


def weeks_ago(hours: list[float], *which: int) -> list[float]:
    return [week * 168 + hour for week in which for hour in hours]


def test_a_source_is_quiet_if_the_same_hours_were_not_in_each_of_four_weeks(client: Client) -> None:
    came(client, [5.0, *weeks_ago([1, 2, 3, 4, 5], 1, 2, 3, 4)])
    came(client, [5.0, *weeks_ago([1, 2, 3, 4, 5], 1, 2, 3)], source="young")
    came(client, [5.0, *weeks_ago([5, 6, 7], 1, 2, 3, 4)], source="nights")
    came(client, [0.1, *weeks_ago([1, 2, 3, 4, 5], 1, 2, 3, 4)], source="running")
    (found,) = queries.doubtful_data(client, "live", NOTHING._replace(source_quiet=5), NOW)
    assert (found.check, found.source, found.at) == ("source_quiet", "tickets", NOW - 5 * HOUR)


def test_what_was_said_last_of_a_signal_counts(client: Client) -> None:
    signal, other = said(overdue()), said(overdue("w2"))
    put(client, "signals", [ended(signal, 5), other])
    put(client, "signals", [signal])
    assert queries.open_signals(client, "live") == [other]
    assert queries.said_signals(client, [signal]) == [ended(signal, 5)]
    assert queries.recent_signals(client, "live", signal.said_at) == [other, ended(signal, 5)]
    assert queries.recent_signals(client, "live", signal.said_at, 1) == [ended(signal, 5)]


def test_the_list_is_of_the_last_month_or_of_all_that_is_open(client: Client, migrated: ClickHouseSettings) -> None:
    old = said(overdue("old"), opened_at=NOW - 60 * DAY, said_at=NOW - 60 * DAY)
    new, over = said(overdue("new"), said_at=NOW), ended(said(overdue("over")), 0)
    put(client, "signals", [old, new, over.model_copy(update={"said_at": NOW - DAY})])
    assert [signal.work_item for signal in listed(migrated, False, 50)] == ["over", "new"]
    assert [signal.work_item for signal in listed(migrated, True, 50)] == ["old", "new"]
    assert [signal.work_item for signal in listed(migrated, True, 1)] == ["new"]


def test_readers_see_what_is_open_and_no_event_id(client: Client, reader: Client) -> None:
    put(client, "signals", [said(overdue()), ended(said(overdue("w2")), 5)])
    rows = list(reader.query("SELECT * FROM open_signals").named_results())
    assert [row["work_item"] for row in rows] == ["w1"]
    assert not {name for name in rows[0] if "event" in name or "actor" in name}


def test_the_record_with_the_most_attempts_counts_of_a_delivery(client: Client) -> None:
    first = Delivery(webhook="team", message="m", state="waiting", attempts=1, first_at=NOW, next_at=NOW, at=NOW)
    second = Delivery(webhook="team", message="m", state="delivered", attempts=2, first_at=NOW, http_status=204, at=NOW)
    mark = Delivery(webhook="team", message="since", state="since", at=NOW - 30 * DAY)
    queries.put_deliveries(client, [second, mark])
    queries.put_deliveries(client, [first])
    found = queries.deliveries(client, NOW - DAY)
    assert sorted(found, key=lambda each: each.message) == [second, mark]


@pytest.mark.parametrize("ask", ["overdue_handoffs", "unanswered_problems"])
def test_nothing_is_found_in_an_empty_store(client: Client, ask: str) -> None:
    assert getattr(queries, ask)(client, "live", START, NOW) == []
    assert queries.shifted_ties(client, "live", NOW) == []
    assert queries.doubtful_data(client, "live", ShareLimits(0.01, 0.05, 0.5, 5, 1), NOW) == []
