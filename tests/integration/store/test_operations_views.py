"""What operations and data engineers see, asked as dashboards ask: as a user who may read views and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client
from pydantic import BaseModel

from schemas.dead_letter import DeadLetter
from schemas.policy import Policy, PolicyBook, ProcessPolicy
from sinks.clickhouse.insert import insert_rows
from sinks.clickhouse.migrate import migrations
from sinks.clickhouse.records import process_records, process_row
from streams.apps.meter import Meter
from tests.integration.store.arrivals import arrive, event
from tests.integration.store.rows import START, handoff, put

NOW = datetime.now(UTC)
MINUTE = timedelta(minutes=1)
ALIASES = {"RN": "nurse"}
COUNT, TEXT, HOUR = "UInt64", "LowCardinality(String)", "DateTime('UTC')"
COLUMNS: dict[str, dict[str, str]] = {
    "handoff_flow": {
        **{"run": TEXT, "process": TEXT, "site": TEXT, "minute": HOUR},
        **dict.fromkeys(("offered", "accepted", "declined", "returned"), COUNT),
    },
    "freshness": {
        "process": TEXT,
        "newest_event_at": "DateTime64(6, 'UTC')",
        "newest_received_at": "DateTime64(6, 'UTC')",
        "received_age_s": "Float64",
        "written_age_s": "Nullable(Float64)",
    },
    "pipeline_sources": {
        **{"process": TEXT, "source": TEXT, "hour": HOUR},
        **dict.fromkeys(("events", "late", "human", "bot", "system", "unknown"), COUNT),
        **dict.fromkeys(("skew_s_median", "skew_s_p99"), "Nullable(Float64)"),
        "ahead": COUNT,
    },
    "pipeline_roles": {
        **{"process": TEXT, "source": TEXT, "role": "String", "events": COUNT, "known": "Nullable(Bool)"},
        "newest_event_at": "DateTime64(6, 'UTC')",
    },
    "pipeline_dead_letters": {"hour": HOUR, "stage": TEXT, "code": TEXT, "letters": COUNT},
    "pipeline_measures": {
        **{"at": HOUR, "app": TEXT, "worker": TEXT, "interval_s": "Float64", "events": COUNT, "batches": COUNT},
        **dict.fromkeys(("batch_ms_mean", "batch_ms_max", "lag_s"), "Nullable(Float64)"),
        "partitions": "UInt32",
    },
    "pipeline_tables": {"table": "String", **dict.fromkeys(("rows", "bytes", "parts", "detached_parts"), COUNT)},
}


def rows(reader: Client, sql: str) -> list[dict[str, Any]]:
    return list(reader.query(sql).named_results())


@pytest.mark.parametrize("view", COLUMNS)
def test_a_view_says_its_columns_whether_or_not_there_is_anything(reader: Client, view: str) -> None:
    described = {row["name"]: row["type"] for row in rows(reader, f"DESCRIBE TABLE {view}")}
    assert described == COLUMNS[view]
    if view != "pipeline_tables":
        assert rows(reader, f"SELECT * FROM {view}") == []


def test_flow_counts_what_happened_in_the_minute_in_which_it_happened(client: Client, reader: Client) -> None:
    at = (NOW - timedelta(hours=3)).replace(second=5)
    put(
        client,
        "handoffs",
        [
            handoff("a", at=at, site="north"),
            handoff("b", at=at, site="north", accepted_at=at + MINUTE, returned_at=at + 2 * MINUTE, state="returned"),
            handoff("c", at=at - timedelta(days=90), site="north", declined_at=at, state="declined"),
        ],
    )
    flow = rows(reader, "SELECT * EXCEPT (run, process, site) FROM handoff_flow WHERE site = 'north' ORDER BY minute")
    minute = at.replace(second=0, microsecond=0)
    assert flow == [
        {"minute": minute, "offered": 2, "accepted": 0, "declined": 1, "returned": 0},
        {"minute": minute + MINUTE, "offered": 0, "accepted": 1, "declined": 0, "returned": 0},
        {"minute": minute + 2 * MINUTE, "offered": 0, "accepted": 0, "declined": 0, "returned": 1},
    ]


def test_flow_believes_the_newest_version_only_and_counts_it_once(client: Client, reader: Client) -> None:
    at = NOW - timedelta(hours=1)
    accepted: dict[str, Any] = {"accepted_at": at, "state": "accepted"}
    put(client, "handoffs", [handoff("a", at=at, **accepted), handoff("b", at=at, **accepted), handoff("c", at=at)])
    put(client, "handoffs", [handoff("a", at=at, **accepted), handoff("a", at=at, **accepted, revision=2)])
    put(client, "handoffs", [handoff("b", at=at, revision=2), handoff("c", at=at, revision=2, is_deleted=1)])
    assert rows(reader, "SELECT sum(offered) AS o, sum(accepted) AS a FROM handoff_flow") == [{"o": 2, "a": 1}]


def test_flow_is_of_the_last_day_and_not_of_a_future(client: Client, reader: Client) -> None:
    now = datetime.now(UTC)
    old, ahead = now - timedelta(hours=24, minutes=1), now + timedelta(minutes=30)
    put(client, "handoffs", [handoff("a", at=old), handoff("b", at=ahead), handoff("c", at=now - timedelta(hours=23))])
    assert rows(reader, "SELECT sum(offered) AS n FROM handoff_flow") == [{"n": 1}]


def test_freshness_is_of_what_came_last_not_of_what_happened_last(client: Client, reader: Client) -> None:
    hour, now = timedelta(hours=1), datetime.now(UTC)
    arrive(client, [event("a", at=now - hour)], received_at=now - 2 * MINUTE)
    arrive(client, [event("b", at=now - 5 * hour)], received_at=now - MINUTE)
    arrive(client, [event("c", at=START, process="incident")], received_at=START)
    incident, ward = sorted(rows(reader, "SELECT * FROM freshness"), key=lambda row: row["newest_event_at"])
    assert (ward["process"], ward["newest_event_at"], ward["newest_received_at"]) == (
        "ed-to-ward",
        now - hour,
        now - MINUTE,
    )
    assert 60 <= ward["received_age_s"] < 360
    assert 0 <= incident["written_age_s"] < 300 < incident["received_age_s"]


def test_a_source_is_counted_by_actor_and_by_hour_of_event_time(client: Client, reader: Client) -> None:
    kinds = ["human", "human", "bot", "system", "unknown", None]
    events = [event(str(number), at=START + number * MINUTE, kind=kind) for number, kind in enumerate(kinds)]
    arrive(client, events, received_at=START + timedelta(hours=3))
    arrive(client, [event("next", at=START + timedelta(hours=1), kind="bot")], received_at=START + timedelta(hours=3))
    counted = rows(reader, "SELECT hour, events, human, bot, system, unknown, late, ahead FROM pipeline_sources")
    assert [list(row.values()) for row in counted] == [
        [START, 6, 2, 1, 1, 1, 0, 0],
        [START + timedelta(hours=1), 1, 0, 1, 0, 0, 0, 0],
    ]


def test_an_event_that_arrives_again_is_counted_once(client: Client, reader: Client) -> None:
    events = [event(str(number), kind="human") for number in range(500)]
    for later in (0, 1, 1, 3600):
        arrive(client, events, received_at=START + timedelta(seconds=later))
    client.command("OPTIMIZE TABLE source_hours FINAL")
    assert rows(reader, "SELECT events, human FROM pipeline_sources") == [{"events": 500, "human": 500}]


def test_skew_is_the_time_from_the_event_to_its_first_arrival(client: Client, reader: Client) -> None:
    events = [event(str(number)) for number in range(100)]
    for number, each in enumerate(events):
        arrive(client, [each], received_at=START + timedelta(seconds=number))
    arrive(client, events[:10], received_at=START + timedelta(days=9), topic="tieline.late")
    ((middle, most),) = reader.query("SELECT skew_s_median, skew_s_p99 FROM pipeline_sources").result_rows
    assert middle == pytest.approx(49.5, abs=1)
    assert most == pytest.approx(98, abs=1)


def test_an_event_is_late_or_ahead_without_being_two_events(client: Client, reader: Client) -> None:
    arrive(client, [event("a"), event("b")], received_at=START + MINUTE)
    arrive(client, [event("a")], received_at=START + MINUTE, topic="tieline.late")
    arrive(client, [event("c")], received_at=START - MINUTE)
    (found,) = rows(reader, "SELECT events, late, ahead, skew_s_median FROM pipeline_sources")
    assert (found["events"], found["late"], found["ahead"]) == (3, 1, 1)


def test_an_upgrade_brings_the_history_along_and_twice_is_as_good_as_once(client: Client, reader: Client) -> None:
    arrive(client, [event(str(number), kind="bot") for number in range(40)], received_at=START + MINUTE)
    views = ("pipeline_sources", "freshness", "pipeline_roles")
    sql = {view: f"SELECT * EXCEPT (process) FROM {view}" for view in views}
    sql["freshness"] = "SELECT process, newest_event_at, newest_received_at FROM freshness"
    written = {view: rows(reader, sql[view]) for view in views}
    assert all(written.values())
    for table in ("source_hours", "role_months"):
        client.command(f"TRUNCATE TABLE {table}")
    (ours,) = [migration for migration in migrations() if migration.number == 11]
    for _ in range(2):
        for statement in ours.statements:
            client.command(statement)
        assert {view: rows(reader, sql[view]) for view in views} == written
    assert rows(reader, "SELECT written_age_s FROM freshness") == [{"written_age_s": None}]


def listing(client: Client, run: str = "live", **fields: Any) -> None:
    """Has a policy with these fields declared for ed-to-ward."""
    policy = Policy(
        version="p1", effective_from=START, processes={"ed-to-ward": ProcessPolicy(**fields)}, aliases=ALIASES
    )
    records = process_records(PolicyBook((policy,)), run, ["ed-to-ward", "incident"])
    insert_rows(client, "processes", [process_row(record) for record in records])


def roles(reader: Client) -> dict[str, tuple[int, bool | None]]:
    found = rows(reader, "SELECT role, events, known FROM pipeline_roles WHERE process = 'ed-to-ward'")
    return {row["role"]: (row["events"], row["known"]) for row in found}


def test_roles_are_counted_wherever_events_name_them_and_each_event_once(client: Client, reader: Client) -> None:
    offer: dict[str, Any] = {"handoff_id": "h", "from_role": "nurse", "to_role": "porter"}
    message: dict[str, Any] = {"message_id": "m", "role": "nurse", "to_roles": ("porter", "registrar")}
    events = [
        event("a", type="tieline.handoff.offered.v1", **offer),
        event("b", type="tieline.communication.sent.v1", **message),
        event("c", role="nurse"),
        event("d", type="tieline.work_item.opened.v1", role=None),
    ]
    for _ in range(2):
        arrive(client, events, received_at=START)
    assert roles(reader) == {"nurse": (3, None), "porter": (2, None), "registrar": (1, None)}


def test_a_role_is_known_if_the_policy_lists_its_normal_name(client: Client, reader: Client) -> None:
    listing(client, roles=frozenset({"nurse"}))
    arrive(client, [event(name, role=name) for name in ("nurse", "RN", "Matron")], received_at=START)
    arrive(client, [event("x", role="nurse", process="incident", source="test/tickets")], received_at=START)
    assert roles(reader) == {"nurse": (2, True), "Matron": (1, False)}
    assert rows(reader, "SELECT known FROM pipeline_roles WHERE process = 'incident'") == [{"known": None}]


def test_without_a_list_no_role_is_unknown(client: Client, reader: Client) -> None:
    listing(client, run="replay", roles=frozenset({"nurse"}))
    listing(client)
    arrive(client, [event("a", role="RN")], received_at=START)
    assert roles(reader) == {"nurse": (1, None)}


def letter(number: int, **fields: Any) -> BaseModel:
    given = {
        "id": str(number),
        "stage": "infer",
        "code": "schema",
        "payload_sha256": "0",
        "payload_bytes": 1,
        "at": START,
    }
    return DeadLetter.model_validate(given | fields)


def test_dead_letters_are_counted_once_by_hour_and_reason(client: Client, reader: Client) -> None:
    later = START + timedelta(minutes=59)
    put(client, "dead_letters", [letter(1), letter(1), letter(2, at=later), letter(3, code="future")])
    put(client, "dead_letters", [letter(1), letter(4, at=later + MINUTE, stage="sink")])
    found = rows(reader, "SELECT * FROM pipeline_dead_letters ORDER BY hour, stage, code")
    assert [tuple(row.values()) for row in found] == [
        (START, "infer", "future", 1),
        (START, "infer", "schema", 2),
        (START + timedelta(hours=1), "sink", "schema", 1),
    ]


def test_a_measure_written_twice_is_one(client: Client, reader: Client) -> None:
    worked = Meter("infer").take(24)
    idle = worked.model_copy(update={"at": worked.at - timedelta(days=1), "worker": "another", "lag_s": 2.5})
    for _ in range(2):
        put(client, "measures", [worked, idle])
    found = rows(reader, "SELECT at, app, worker, events, lag_s, partitions FROM pipeline_measures ORDER BY at")
    assert [tuple(row.values()) for row in found] == [
        (idle.at.replace(microsecond=0), "infer", "another", 0, 2.5, 24),
        (worked.at.replace(microsecond=0), "infer", worked.worker, 0, None, 24),
    ]


def test_measures_go_after_thirty_days(client: Client, reader: Client) -> None:
    measure = Meter("infer").take(24)
    put(client, "measures", [measure.model_copy(update={"at": NOW - timedelta(days=31)}), measure])
    client.command("OPTIMIZE TABLE measures FINAL")
    assert rows(reader, "SELECT count() AS n FROM pipeline_measures") == [{"n": 1}]


def test_tables_are_those_of_the_views_own_database(client: Client, reader: Client) -> None:
    put(client, "handoffs", [handoff("a"), handoff("b")])
    known = {row[0] for row in client.query("SHOW TABLES").result_rows}
    found = {row["table"]: row for row in rows(reader, "SELECT * FROM pipeline_tables")}
    assert set(found) < known
    assert (found["handoffs"]["rows"], found["handoffs"]["parts"], found["exchanges"]["rows"]) == (2, 1, 0)
    assert found["handoffs"]["bytes"] > 0
    view = f"`{client.database}`.pipeline_tables"
    reader.database = "default"
    assert {row["table"] for row in rows(reader, f"SELECT * FROM {view}")} == set(found)


def test_a_part_that_the_store_put_aside_is_counted(client: Client, reader: Client) -> None:
    put(client, "handoffs", [handoff("a")])
    client.command("ALTER TABLE handoffs DETACH PARTITION tuple()")
    (found,) = rows(reader, "SELECT rows, parts, detached_parts FROM pipeline_tables WHERE table = 'handoffs'")
    assert found == {"rows": 0, "parts": 0, "detached_parts": 1}
