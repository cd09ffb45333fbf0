"""Events of an imagined ward, in the process that the demo policy calls `ed-to-ward`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from kafka import KafkaProducer

from schemas.events import Event
from schemas.topics import event_key
from tests.builders import T0, act, assigned, offered, person, worked

PROCESS = "ed-to-ward"
SOURCE = "/test/ehr"


def minutes_ago(minutes: float) -> float:
    """As the builders count: minutes after `T0`."""
    return (datetime.now(UTC) - T0).total_seconds() / 60 - minutes


def offer(work_item: str, ago: float, a: str, b: str, site: str = "ward-a", who: int = 1, **fields: object) -> Event:
    return offered(
        minutes_ago(ago),
        f"h-{work_item}",
        a,
        b,
        process=PROCESS,
        subject=work_item,
        source=SOURCE,
        site=site,
        actor=person(who),
        id=f"offer-{work_item}",
        **fields,
    )


def history(roles: tuple[str, str], people: int, items: int, name: str) -> Iterator[Event]:
    """Answered handoffs of three weeks ago, among so many people on either side."""
    for number in range(items):
        ago = 60 * 24 * 21 - number * 3
        item = f"{name}-{number}"
        yield offer(item, ago, *roles, who=number % people)
        yield act(
            "accepted",
            minutes_ago(ago - 10),
            roles[1],
            f"h-{item}",
            process=PROCESS,
            subject=item,
            source=SOURCE,
            site="ward-a",
            actor=person(100 + number % people),
            id=f"accept-{item}",
        )


def tickets(items: int) -> Iterator[Event]:
    """A process whose system records ownership only: what communication was like cannot be seen."""
    for number in range(items):
        ago = 60 * 24 * 21 - number * 7
        for offset, role, verb in ((0, "level-1", assigned), (5, "level-2", assigned), (9, "level-2", worked)):
            yield verb(
                minutes_ago(ago - offset),
                role,
                process="incident",
                subject=f"ticket-{number}",
                source="/test/tickets",
                actor=person(number % 6 + (0 if role == "level-1" else 100)),
                id=f"ticket-{number}-{offset}",
            )


def send(broker: str, events: list[Event]) -> None:
    """Produce as an integrator would, and wait until the broker has them."""
    producer = KafkaProducer(bootstrap_servers=broker)
    try:
        for event in events:
            producer.send("tieline.events", key=event_key(event), value=event.canonical())
        producer.flush()
    finally:
        producer.close()
