"""Whatever is lost, repeated or out of order: one id, one content."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from streams.gateway.connectors.connector import Context
from streams.gateway.connectors.fhir import Fhir
from streams.gateway.connectors.snapshots import SnapshotStore
from streams.gateway.edge.draft import Draft
from tests.unit.connectors.context import InMemorySnapshots, RoleMaps, delivery
from tests.unit.connectors.payloads_fhir import (
    ACTORS,
    ROLES,
    Json,
    at_location,
    encounter,
    own_task,
    reader,
    ref,
    service_request,
    task,
    verb,
)

STATUSES = ["draft", "requested", "received", "accepted", "rejected", "ready", "cancelled", "in-progress", "on-hold"]
ENDS = ["failed", "completed", "entered-in-error"]
OWNERS = [None, ref("Practitioner/ben"), ref("Organization/lab"), ref("Organization/ed"), ref("Practitioner/unknown")]
OWNER_REFS = st.sampled_from(OWNERS)


@st.composite
def lives(draw: st.DrawFn) -> list[Json]:
    """The versions of one resource, oldest first."""
    count = draw(st.integers(1, 8))
    kind = draw(st.sampled_from(["task", "own_task", "encounter", "service_request"]))
    return [_version(draw, kind, number) for number in range(1, count + 1)]


def _version(draw: st.DrawFn, kind: str, number: int) -> Json:
    clock = f"{8 + number // 2:02}:{30 * (number % 2):02}"
    if kind == "encounter":
        wards = [at_location(draw(st.sampled_from(["ed", "ward", "or"])), f"{8 + n:02}:00") for n in range(number % 4)]
        return encounter(draw(st.sampled_from(["in-progress", "onleave", "finished"])), number, clock, location=wards)
    if kind == "service_request":
        to = draw(st.sampled_from([ref("Organization/lab"), ref("Organization/ward")]))
        return service_request(draw(st.sampled_from(["active", "on-hold", "completed"])), number, clock, performer=[to])
    build = task if kind == "task" else own_task
    return build(draw(st.sampled_from(STATUSES + ENDS)), number, clock, owner=draw(OWNER_REFS))


class Forgetful(InMemorySnapshots):
    """Loses everything now and then."""

    def __init__(self, chance: random.Random) -> None:
        super().__init__()
        self._chance = chance

    def keep(self, resource: str, snapshot: Mapping[str, object]) -> None:
        if self._chance.random() < 0.3:
            self.kept.clear()
        # As the store does it, through JSON.
        super().keep(resource, json.loads(json.dumps(snapshot)))


def told(versions: list[Json], snapshots: InMemorySnapshots) -> list[Draft]:
    known = reader(snapshots=snapshots)
    return [
        draft for version in versions for draft in Fhir().read(delivery(json.dumps(version).encode()), known).drafts
    ]


@settings(max_examples=150, deadline=None)
@given(lives(), st.randoms(use_true_random=False))
def test_one_id_has_one_content_whatever_is_lost_repeated_or_late(versions: list[Json], chance: random.Random) -> None:
    jumbled = versions + chance.sample(versions, len(versions) // 2)
    chance.shuffle(jumbled)
    contents: dict[str, Draft] = {}
    for draft in (
        told(versions, InMemorySnapshots()) + told(jumbled, Forgetful(chance)) + told(versions, Forgetful(chance))
    ):
        assert contents.setdefault(draft.id, draft) == draft


@settings(max_examples=80, deadline=None)
@given(lives())
def test_delivery_that_was_not_made_durable_is_read_again_the_same(versions: list[Json]) -> None:
    once = told(versions, InMemorySnapshots())
    snapshots = InMemorySnapshots()
    again: list[Draft] = []
    for version in versions:
        before = dict(snapshots.kept)
        first = told([version], snapshots)
        snapshots.kept = before  # discarded
        assert told([version], snapshots) == first
        again += first
    assert again == once


@settings(max_examples=80, deadline=None)
@given(lives())
def test_repeating_the_newest_version_tells_nothing(versions: list[Json]) -> None:
    snapshots = InMemorySnapshots()
    told(versions, snapshots)
    assert told(versions[-1:], snapshots) == []


@settings(max_examples=80, deadline=None)
@given(lives(), st.randoms(use_true_random=False))
def test_late_version_tells_nothing_but_answers(versions: list[Json], chance: random.Random) -> None:
    snapshots = InMemorySnapshots()
    told(versions[-1:], snapshots)
    late = versions[:-1]
    chance.shuffle(late)
    assert {verb(draft) for draft in told(late, snapshots)} <= {"handoff.accepted", "handoff.declined"}


@settings(max_examples=80, deadline=None)
@given(lives())
def test_one_delivery_of_a_history_tells_what_single_versions_do(versions: list[Json]) -> None:
    entries = [{"resource": version, "request": {"method": "PUT", "url": "x"}} for version in reversed(versions)]
    history = {"resourceType": "Bundle", "type": "history", "entry": entries}
    at_once = told([history], InMemorySnapshots())
    one_by_one = told(versions, InMemorySnapshots())
    assert sorted(at_once, key=lambda draft: draft.id) == sorted(one_by_one, key=lambda draft: draft.id)


def test_restarted_gateway_knows_what_was_told(tmp_path: Path) -> None:
    heard: list[list[str]] = []
    for version in (task(), task("accepted", 2, "08:10"), task("accepted", 2, "08:10")):
        store = SnapshotStore(tmp_path / "snapshots.db")
        snapshots = store.of("ehr")
        known = Context("ed-to-ward", RoleMaps(ROLES, ACTORS), snapshots)
        heard.append([verb(draft) for draft in Fhir().read(delivery(json.dumps(version).encode()), known).drafts])
        assert snapshots.commit()
        store.close()
    assert heard == [["handoff.offered"], ["handoff.accepted"], []]
