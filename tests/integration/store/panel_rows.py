"""Two stores for panels: one with the whole scenario in it, one with a single row of everything."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from clickhouse_connect.driver.client import Client
from pydantic_core import to_json

from deploy.composition.effects import EffectOnTie, SeriesName, effect_record
from deploy.dashboards.macros import TimeRange
from schemas.decoding import decode
from schemas.events import Event
from sinks.clickhouse.insert import insert_rows
from streams.inference.effect.effect import effect_of
from streams.inference.effect.window import Window
from tests.integration.store.rows import START, actor, declare, evidence, handoff, put
from tests.integration.store.scenario import aggregate, fill, history
from tests.unit.signals.findings import doubtful, overdue, said, shifted

AS_OF = datetime.now(UTC).replace(microsecond=0)
WEEKS = 22
FULL = TimeRange(AS_OF - timedelta(weeks=WEEKS + 2), AS_OF + timedelta(days=1), 3600.0)
ONE = TimeRange(START - timedelta(days=40), AS_OF + timedelta(days=1), 86400.0)


def fill_full(client: Client) -> dict[str, str]:
    """The scenario twice (`live`, `again`), an intervention whose owner no policy lists, its effects, dead letters and
    measures."""
    events = [*history(AS_OF, WEEKS), _intervention()]
    fill(client, events, AS_OF)
    fill(client, events[:-1], AS_OF - timedelta(days=3), run="again")
    put_dead_letter(client, AS_OF - timedelta(hours=3))
    put_measure(client, AS_OF - timedelta(hours=1))
    put_signals(client, AS_OF - timedelta(hours=1))
    put_effects(client, AS_OF - timedelta(hours=2))
    return {"process": "ed-to-ward", "one_role": "ed-nurse", "other_role": "ward-nurse", "compare": "again"}


def fill_one(client: Client) -> dict[str, str]:
    """One open handoff; ten observations of one tie that just make one atom publishable; one dead letter."""
    declare(client)
    put(client, "handoffs", [handoff(at=AS_OF - timedelta(minutes=5), accept_due_at=AS_OF + timedelta(minutes=5))])
    put(
        client,
        "evidence",
        [
            evidence(
                f"w{number}",
                rule="handoff_acceptance",
                communicator_actors=(actor(number % 5),),
                experiencer_actors=(actor(100 + number % 5),),
            )
            for number in range(10)
        ],
    )
    aggregate(client, "live")
    put_dead_letter(client, AS_OF - timedelta(hours=3))
    put_signals(client, AS_OF, most=1)
    return {"process": "ed-to-ward", "one_role": "nurse", "other_role": "bed-manager"}


def put_dead_letter(client: Client, at: datetime) -> None:
    columns = ("id", "stage", "code", "field", "topic", "partition", "offset", "payload_sha256", "payload_bytes", "at")
    row = [f"{at.timestamp()}", "infer", "not_json", "", "tieline.events", 0, 1, "0" * 64, 3, at]
    client.insert("dead_letters", [row], column_names=columns)


def put_measure(client: Client, at: datetime) -> None:
    """What a worker of each app reports."""
    for app in ("infer", "sink"):
        line = (
            f'{{"worker":"w-{app}","app":"{app}","at":"{at:%Y-%m-%dT%H:%M:%SZ}","interval_s":10,"events":100,"batches":5,'
            '"batch_ms_mean":12.5,"batch_ms_max":40.0,"lag_s":0.4,"partitions":24}'
        )
        insert_rows(client, "measures", [line.encode()])


def put_signals(client: Client, at: datetime, most: int = 3) -> None:
    """An overdue handoff, a tie that has shifted, a source with many unknown actors; all of them open."""
    signals = [said(overdue()), said(shifted(process="incident")), said(doubtful())]
    put(client, "signals", [each.model_copy(update={"opened_at": at, "at": at}) for each in signals[:most]])


def put_effects(client: Client, at: datetime) -> None:
    """What was found of the intervention on two series: one with an estimate, one with too few windows."""
    windows = [Window(number, 0.8 + 0.02 * (number % 3) + 0.1 * (number >= 15), 40) for number in range(30)]
    for dimension, series in (("accuracy", windows), ("timeliness", windows[:9])):
        name = SeriesName("ed-nurse", "ward-nurse", dimension, "explicit")
        found = effect_of(series, 15)
        seen = EffectOnTie("live", "ed-to-ward", "", "int-1", "", "relational", name, None, at, found)
        insert_rows(client, "effects", [to_json(effect_record(seen, at))])


def _intervention() -> Event:
    return decode(
        f"""{{"specversion": "1.0", "id": "i1", "source": "team", "type": "tieline.intervention.started.v1",
        "time": "{AS_OF - timedelta(weeks=4):%Y-%m-%dT%H:%M:%SZ}", "subject": "int-1", "process": "ed-to-ward",
        "data": {{"name": "Huddle at shift change", "kind": "relational", "hypothesis": "fewer things missing",
        "owner_role": "quality-office"}}}}""".encode()
    )
