"""Any bytes in: a reading or `InvalidEvent` out, soon, and never a name."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.errors import InvalidEvent
from streams.gateway.edge.draft import Reading
from tests.golden.connectors.golden import event
from tests.unit.connectors.payloads_fhir import (
    Json,
    bundle,
    communication,
    communication_request,
    encounter,
    notification_r4,
    notification_r5,
    practitioner_role,
    read,
    reader,
    ref,
    service_request,
    task,
)

SEEDS: list[Json] = [
    task("completed", executionPeriod={"start": "2026-03-02T08:01:00Z"}, statusReason={"coding": [{"code": "x"}]}),
    communication(payload=[{"contentString": "secret"}], inResponseTo=[ref("Communication/c0")]),
    communication_request(),
    service_request("on-hold"),
    encounter("onleave"),
    bundle(task(owner=ref("PractitionerRole/r1")), practitioner_role("r1", "nurse", period={"start": "2026"})),
    notification_r4("event-notification", task()),
    notification_r5("event-notification", task()),
]
WEIRD: list[Any] = [
    *(None, True, 0, -1, 10**30, 1.5),
    *(
        "",
        " ",
        "x" * 5000,
        "\ud800",
        "a\x00b",
        "#",
        "#x",
        "urn:uuid:",
        "Task/",
        "Patient/p?x=1",
        "http://" + "a/" * 400,
    ),
    *("2026", "2026-13-45", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00", "2026-03-02T08:00:60Z"),
    *([], {}, [[]], [None], [{}], {"coding": None}, {"coding": [{"code": {}}]}, {"start": 1, "end": []}),
    {"reference": {"reference": {"reference": "x"}}},
    [{"resourceType": "Task", "id": "x"}],
]


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Everywhere in a payload where something can be put instead."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in list(items):
        yield value, key
        yield from _places(inner)


def _read(payload: Any) -> Reading:
    with suppress(InvalidEvent):
        return read(json.dumps(payload).encode())
    return Reading()


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(SEEDS), st.randoms(use_true_random=False), st.integers(1, 4))
def test_anything_may_stand_anywhere(seed: Json, chance: random.Random, times: int) -> None:
    payload = json.loads(json.dumps(seed))
    for _ in range(times):
        holder, key = chance.choice(list(_places(payload)))
        holder[key] = deepcopy(chance.choice(WEIRD))
    for draft in _read(payload).drafts:
        event(draft, "ed-to-ward")


@settings(max_examples=100, deadline=None)
@given(
    st.recursive(
        st.sampled_from(WEIRD),
        lambda inner: st.dictionaries(
            st.sampled_from(["resourceType", "entry", "resource", "id", "x"]), inner, max_size=4
        ),
        max_leaves=10,
    )
)
def test_any_json_is_read_or_refused(payload: Any) -> None:
    _read(payload)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    with suppress(InvalidEvent):
        read(body)


MANY = 20_000
CONCEPT = {"coding": [{"code": f"c{n}"} for n in range(5_000)]}
STAY = {"location": ref("Location/ward"), "period": {"start": "2026-03-02T08:00:00Z"}}
LEAVE = {"status": "onleave", "period": {"start": "2026-03-02T08:00:00Z"}}
SIGNED = {"resourceType": "Provenance", "target": [ref("Task/t1")] * 50}
CARL = ref("Practitioner/carl")


def _reply(number: int) -> Json:
    return communication(id=f"c{number}", encounter=None, inResponseTo=[ref(f"Communication/c{number + 1}")])


def _unit(number: int, parent: int) -> Json:
    return {"resourceType": "Location", "id": f"l{number}", "partOf": ref(f"Location/l{parent}")}


LARGE: dict[str, Callable[[], Json]] = {
    "codes": lambda: task(performerType=[CONCEPT] * 5, owner=None, statusReason=CONCEPT),
    "recipients": lambda: communication(recipient=[ref(f"Organization/o{n}", display="x" * 200) for n in range(MANY)]),
    "locations": lambda: encounter(location=[STAY] * MANY),
    "leaves": lambda: encounter(statusHistory=[LEAVE] * MANY),
    "roles of one person": lambda: bundle(
        *(practitioner_role(f"r{n}", "nurse", practitioner=CARL) for n in range(1_000)),
        *(task(id=f"t{n}", owner=CARL) for n in range(1_000)),
    ),
    "a thread": lambda: bundle(*(_reply(n) for n in range(2_000))),
    "signatures inside": lambda: task(contained=[{**SIGNED, "id": f"p{n}"} for n in range(1_000)]),
    "signatures beside": lambda: bundle(task(), *({**SIGNED, "id": f"p{n}"} for n in range(1_000))),
    "a loop of units": lambda: bundle(
        *(_unit(n, (n + 1) % 9) for n in range(9)), encounter(location=[{"location": ref("Location/l0")}] * 1_000)
    ),
}


@pytest.mark.parametrize("name", LARGE)
def test_time_is_in_proportion_to_size(name: str) -> None:
    body = json.dumps(LARGE[name]()).encode()
    started = time.process_time()
    read(body)
    assert time.process_time() - started < 0.2 + len(body) * 5e-6  # seconds: five for a megabyte, on a busy machine


SECRETS = ("Anna", "Able", "Baker", "Chalmers", "potassium", "Peter")


def _named(value: Any) -> Any:
    """The payload with a name in every text that is free, and in every key nobody knows."""
    if isinstance(value, dict):
        return {
            **{key: _named(inner) for key, inner in value.items()},
            "display": "Dr Anna Able",
            "text": "Peter Chalmers' potassium",
            "Ben Baker": {"Anna Able": "Peter"},
        }
    return [_named(inner) for inner in value] if isinstance(value, list) else value


@pytest.mark.parametrize("seed", SEEDS, ids=range(len(SEEDS)))
def test_no_name_and_no_text_gets_out(seed: Json) -> None:
    payload = _named(seed)
    known = reader()
    reading = read(payload, known)
    assert reading.drafts
    told = json.dumps([event(draft, "ed-to-ward") for draft in reading.drafts]) + repr(reading)
    kept = json.dumps(known.snapshots.kept)  # type: ignore[attr-defined]
    for secret in (*SECRETS, "secret"):
        assert secret not in told
        assert secret not in kept
    assert "Practitioner" not in kept
    assert "Patient" not in told + kept


@pytest.mark.parametrize("seed", SEEDS, ids=range(len(SEEDS)))
def test_refusal_names_a_field_and_no_value(seed: Json) -> None:
    payload = json.loads(json.dumps(seed))
    refusals = []
    for holder, key in _places(payload):
        before, holder[key] = holder[key], "Dr Anna Able"
        try:
            refusals += read(payload).unused
        except InvalidEvent as invalid:
            refusals.append(str(invalid))
        holder[key] = before
    assert refusals
    assert not [refusal for refusal in refusals if "Able" in refusal]
