"""Builders of derived rows for store tests, and the ways in which tests write them."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from clickhouse_connect.driver.client import Client
from pydantic import BaseModel

from schemas.errors import TransientError
from schemas.policy import Observes, Policy, PolicyBook, ProcessPolicy
from schemas.rows import EvidenceRow, HandoffRow, period_start
from schemas.vocabulary import RULE_DIMENSION, Mark, Period, Rule
from sinks.clickhouse.insert import insert_rows
from sinks.clickhouse.names import SOURCES, Names, names_of, put_names
from sinks.clickhouse.records import process_records, process_row
from sinks.clickhouse.retry import Retry
from sinks.clickhouse.store import before_inserts
from sinks.clickhouse.windows import Windows
from sinks.clickhouse.writer import Limits, Writer

START = datetime(2026, 1, 5, tzinfo=UTC)
PERIODS: dict[str, Period] = {"ed-to-ward": "month", "incident": "week", "surgery": "quarter"}
ALL_RULES: frozenset[Rule] = frozenset(RULE_DIMENSION)


def actor(number: int, key: str = "k1") -> str:
    return f"{key}:{number:032x}"


def evidence(
    item: str = "w1", *, at: datetime = START, rule: Rule = "reply", process: str = "ed-to-ward", **fields: Any
) -> EvidenceRow:
    given: dict[str, Any] = {
        "run": "live",
        "process": process,
        "work_item": item,
        "episode_id": f"src#{item}-{rule}",
        "event_ids": (f"src#{item}-{rule}",),
        "rule": rule,
        "communicator_role": "nurse",
        "experiencer_role": "bed-manager",
        "communicator_actors": (actor(1),),
        "experiencer_actors": (actor(101),),
        "dimension": RULE_DIMENSION[rule],
        "origin": "explicit",
        "at": at,
        "ripe": True,
        "value": 1.0,
        "period": PERIODS[process],
        "period_start": period_start(at, PERIODS[process]),
        "revision": 1,
    }
    return EvidenceRow(**given | fields)


def handoff(item: str = "w1", *, at: datetime = START, process: str = "ed-to-ward", **fields: Any) -> HandoffRow:
    given: dict[str, Any] = {
        "run": "live",
        "process": process,
        "work_item": item,
        "episode_id": f"src#{item}",
        "event_ids": (f"src#{item}",),
        "handoff_id": item,
        "from_role": "nurse",
        "to_role": "bed-manager",
        "origin": "explicit",
        "offered_at": at,
        "state": "offered",
        "revision": 1,
    }
    return HandoffRow(**given | fields)


def encoded(rows: Iterable[BaseModel]) -> list[bytes]:
    return [row.model_dump_json().encode() for row in rows]


def put(client: Client, table: str, rows: Sequence[BaseModel]) -> None:
    """Inserts rows, with the names of ties in them, and nothing else."""
    if rows:
        if table in SOURCES:
            put_names(client, set(names_of(table, encoded(rows))))
        insert_rows(client, table, encoded(rows))


def policies() -> dict[str, ProcessPolicy]:
    """Processes with three periods; `surgery` declares no frequency, and `incident` observes what ownership shows."""
    rules: dict[str, frozenset[Rule]] = {
        "ed-to-ward": ALL_RULES,
        "incident": frozenset({"handoff_acceptance", "handoff_advanced"}),
        "surgery": ALL_RULES - {"contact"},
    }
    return {
        process: ProcessPolicy(period=PERIODS[process], observes=(Observes(source="*", rules=rules[process]),))
        for process in PERIODS
    }


def declare(client: Client, run: str = "live") -> None:
    """Writes what the policies promise."""
    policy = Policy(version="p1", effective_from=START - timedelta(days=400), processes=policies())
    rows = process_records(PolicyBook((policy,)), run, PERIODS)
    insert_rows(client, "processes", [process_row(row) for row in rows])


def random_evidence(seed: int, rows: int = 1500, days: int = 80) -> list[EvidenceRow]:
    """Ties, sites and periods of very different size; clustered; some atoms publishable and some not."""
    rng = random.Random(seed)
    roles = ["nurse", "bed-manager", "porter", "registrar"]
    found = []
    for number in range(rows):
        process = rng.choice(["ed-to-ward", "ed-to-ward", "incident", "surgery"])
        rule: Rule = rng.choice(sorted(ALL_RULES if process != "surgery" else ALL_RULES - {"contact"}))
        pair = rng.choices([(a, b) for a in roles for b in roles], weights=[40, 30, 20] + [1] * 13)[0]
        communicator, experiencer = sorted(pair) if rule == "contact" else pair
        crowd = 12 if communicator != "porter" else 3
        key = rng.choice(["k1", "k1", "k2"])
        at = START + timedelta(days=rng.expovariate(1 / days) % days, seconds=rng.randrange(86400))
        inferred = rule in ("handoff_acceptance", "handoff_advanced") and rng.random() < 0.3
        found.append(
            evidence(
                f"w{rng.randrange(rows // 3)}",
                at=at,
                rule=rule,
                process=process,
                site=rng.choice(["", "", "", "north"]),
                episode_id=f"src#{number}",
                communicator_role=communicator,
                experiencer_role=experiencer,
                communicator_actors=tuple({actor(rng.randrange(crowd), key) for _ in range(rng.randrange(1, 3))}),
                experiencer_actors=(actor(100 + rng.randrange(crowd), key),),
                origin="inferred" if inferred else "explicit",
                ripe=rng.random() < 0.9,
                value=rng.choice([0.0, 1.0, 1.0, 1.0, 1 / 3, 0.7]),
            )
        )
    details = random.Random(seed)
    return [with_details(row, details) if row.ripe else row.model_copy(update={"value": None}) for row in found]


def with_details(row: EvidenceRow, rng: random.Random) -> EvidenceRow:
    """What a ripe row may say beside its value: waits over all bins, some unanswered, some still open or held."""
    late = row.value != 1.0
    ended, answered = rng.random() < 0.9, not late or rng.random() < 0.6
    timed = row.rule in ("handoff_acceptance", "reply")
    waited_s = (
        rng.choice([0.0, 15.0, 45.0, round(rng.lognormvariate(7, 2), 6)]) if timed and (answered or ended) else None
    )
    held_s = round(rng.expovariate(1 / 7200), 6) if row.rule == "handoff_acceptance" and answered and ended else None
    reason: Mark = "late" if timed and answered else rng.choice(["unanswered", "missing", "wrong", "blame"])
    return row.model_copy(
        update={
            "waited_s": waited_s,
            "answered": timed and answered,
            "held_s": held_s,
            "hour_of_week": rng.randrange(168),
            "marks": tuple(sorted({reason, *rng.choice([(), ("bounced",)])})) if late else (),
        }
    )


class Sink(NamedTuple):
    """A writer and its windows as the sink app combines them, and what the writer refused or complained about."""

    writer: Writer
    windows: Windows
    refused: list[tuple[str, bytes, str]]
    troubles: list[TransientError | None]


def sink_of(client: Client, limits: Limits | None = None, threads: int = 4) -> Sink:
    refused: list[tuple[str, bytes, str]] = []
    troubles: list[TransientError | None] = []
    retry = Retry(troubles.append, first_pause_s=0.01, longest_pause_s=0.05, threads=threads)
    windows = Windows(client, retry)

    async def note(table: str, row: bytes, code: str) -> None:
        refused.append((table, row, code))

    before = before_inserts(windows, Names(client, retry))
    writer = Writer(client, retry, on_refused=note, before=before, limits=limits)
    return Sink(writer, windows, refused, troubles)
