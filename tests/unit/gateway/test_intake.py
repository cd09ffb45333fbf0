"""The way in of a source: what its connector remembers is kept only with what it told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from schemas.errors import TransientError
from streams.gateway.connectors.connector import Context, Delivery
from streams.gateway.edge.draft import Draft, Reading
from streams.gateway.intake import Feeding, Intake, Taken
from tests.builders import T0
from tests.unit.gateway.gateways import Lines, World


class Remembered:
    """Snapshots of one delivery, and what became of them."""

    def __init__(self) -> None:
        self.pending: dict[str, Mapping[str, object]] = {}
        self.committed: dict[str, Mapping[str, object]] = {}

    def last(self, resource: str) -> Mapping[str, object] | None:
        return self.committed.get(resource)

    def keep(self, resource: str, snapshot: Mapping[str, object]) -> None:
        self.pending[resource] = snapshot

    def commit(self) -> bool:
        self.committed |= self.pending
        return True

    def discard(self) -> None:
        self.pending = {}


class Remembering(Lines):
    """Remembers that it has read."""

    def read(self, delivery: Delivery, context: Context) -> Reading:
        context.snapshots.keep("read", {"at": "now"})
        return super().read(delivery, context)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def intake(world: World, remembered: Remembered, **feeding: str) -> Intake:
    known = replace(Feeding("lines", "urn:lines", "p"), **feeding)  # type: ignore[arg-type]
    breaker = world.add_source().intake.breaker
    return Intake(known, Remembering(), world.edge, world.log, breaker, world.metrics, lambda: remembered)


async def take(one: Intake, body: bytes) -> Taken:
    return await one.take(Delivery(body, received_at=T0))


async def test_snapshots_are_kept_with_the_events(world: World) -> None:
    remembered = Remembered()
    assert (await take(intake(world, remembered), b"open w1 Roe")).outcome == "kept"
    assert remembered.committed


@pytest.mark.parametrize("body", [b"open w1 Roe", b"nonsense"])
async def test_snapshots_are_not_kept_while_nothing_can_be_kept(world: World, body: bytes) -> None:
    remembered = Remembered()
    world.log.state = "full"
    with pytest.raises(TransientError):
        await take(intake(world, remembered), body)
    assert not remembered.committed


async def test_snapshots_of_an_unreadable_delivery_are_not_kept(world: World) -> None:
    remembered = Remembered()
    assert (await take(intake(world, remembered), b"nonsense")).outcome == "unreadable"
    assert not remembered.committed


async def test_site_of_the_settings_stands_in_where_the_source_tells_none(world: World) -> None:
    await take(intake(world, Remembered(), site="north"), b"open w1 Roe")
    assert world.log.events[0]["site"] == "north"


@pytest.mark.parametrize(
    ("body", "outcome"),
    [(b"open w1 Roe", "kept"), (b"skip", "unused"), (b"open  Roe", "invalid"), (b"nonsense", "unreadable")],
)
async def test_outcome_is_counted(world: World, body: bytes, outcome: str) -> None:
    assert (await take(intake(world, Remembered()), body)).outcome == outcome
    line = f'tieline_gateway_deliveries_total{{outcome="{outcome}",source="lines"}} 1.0'
    assert line in world.metrics.text().decode()


async def test_delivery_from_the_future_is_no_event(world: World) -> None:
    early = T0.replace(year=T0.year - 1)
    taken = await intake(world, Remembered()).take(Delivery(b"open w1 Roe", received_at=early))
    assert [error.code for error in taken.invalid] == ["future"]


class Responding:
    """Tells of a response and what it said, not what kind of response it was."""

    name = "responding"

    def read(self, delivery: Delivery, context: Context) -> Reading:
        data = {"problem_id": "p1", "role": "desk"}
        return Reading((Draft("tieline.problem.responded.v1", "r1", T0, "w1", data, text="we are on it"),))


async def test_a_response_that_no_word_rule_knows_is_of_no_use_and_no_fault(world: World) -> None:
    one = intake(world, Remembered())
    one.connector = Responding()
    taken = await take(one, b"{}")
    assert (taken.outcome, taken.unused, world.log.letters) == ("unused", 1, [])
    assert 'tieline_gateway_unused_total{reason="unclassified",source="lines"} 1.0' in world.metrics.text().decode()
