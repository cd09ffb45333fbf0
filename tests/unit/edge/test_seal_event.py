"""Posted events: the contract, actors that are still named, and keys that are known."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from schemas.decoding import MAX_EVENT_BYTES, decode
from schemas.errors import InvalidEvent
from streams.gateway.edge import Marks
from tests.unit.edge.edges import KEY, NOW, OLD_KEY, edge
from tests.unit.schemas.examples import encoded, example, examples

HEX = "0" * 32


def posted(actor: Any, **changes: Any) -> bytes:
    return encoded(example("work_item.worked", data={"actor": actor}, **changes))


def refusal(raw: bytes) -> tuple[str, str]:
    with pytest.raises(InvalidEvent) as refused:
        edge().seal_event(raw)
    return refused.value.code, refused.value.field


@pytest.mark.parametrize("event", examples(), ids=lambda event: str(event["type"]))
def test_every_event_of_the_contract_is_sealed_as_it_is(event: dict[str, Any]) -> None:
    found = edge().seal_event(encoded(event))
    assert found.value == decode(encoded(event)).canonical()
    assert found.key == f"{event['process']}/{event['subject']}".encode()
    assert found[2:] == (event["type"], event["id"], event["source"])


@pytest.mark.parametrize("key_id", ["k1", "k0", "north"])
def test_hashes_of_registered_keys_stay(key_id: str) -> None:
    actor = {"id": f"{key_id}:{HEX}", "kind": "human"}
    assert json.loads(edge().seal_event(posted(actor)).value)["data"]["actor"] == actor


def test_a_hash_of_an_unknown_key_is_refused() -> None:
    assert refusal(posted({"id": f"south:{HEX}"})) == ("unknown_key", "data.actor.id")


def test_a_name_becomes_a_hash_of_the_current_key() -> None:
    for name in ("Ann Example", "ann@example.org", "K1:" + HEX, f"k1:{HEX}\n", "k1:" + HEX.replace("0", "A")):
        found = json.loads(edge().seal_event(posted({"id": name, "kind": "human"})).value)
        assert found["data"]["actor"] == {"id": KEY.hash_actor(name), "kind": "human"}


def test_marks_apply_to_names_and_not_to_hashes() -> None:
    marks = Marks(bots=("*",))
    kinds = [
        json.loads(edge().seal_event(posted(actor), marks).value)["data"]["actor"]["kind"]
        for actor in ({"id": "ann", "kind": "human"}, {"id": OLD_KEY.hash_actor("ann"), "kind": "human"})
    ]
    assert kinds == ["bot", "human"]


@pytest.mark.parametrize("actor", [{"id": ""}, {"id": " "}, {"id": 5}, {"id": None}, {"id": "x" * 1025}, {"id": ["a"]}])
def test_what_can_be_nobodys_name_is_refused(actor: dict[str, Any]) -> None:
    assert refusal(posted(actor)) == ("invalid_value", "data.actor.id")


@pytest.mark.parametrize(
    "actor", [{"id": "Ann", "name": "Ann"}, {"id": "Ann", "kind": "boss"}, {"kind": "human"}, "Ann"]
)
def test_a_name_excuses_nothing_else(actor: Any) -> None:
    code, field = refusal(posted(actor))
    assert (code, field) != ("invalid_value", "data.actor.id")
    assert field.startswith("data.actor")


def test_an_older_version_with_a_name_is_raised_and_hashed() -> None:
    old = example("handoff.offered", type="tieline.handoff.offered.v0", data={"actor": {"id": "Ann"}})
    old["data"]["elements"] = ["plan"]
    found = json.loads(edge().seal_event(encoded(old)).value)
    assert found["type"] == "tieline.handoff.offered.v1"
    assert found["data"]["actor"]["id"] == KEY.hash_actor("Ann")


def test_the_last_of_two_equal_fields_counts_whichever_way_is_taken() -> None:
    hashed = posted({"id": KEY.hash_actor("x"), "kind": "human"})
    twice = hashed.replace(b'"id": "k1:', b'"id": "Ann", "id": "k1:')
    assert edge().seal_event(twice) == edge().seal_event(hashed)
    named = posted({"id": "Ann", "kind": "human"})
    assert edge().seal_event(named.replace(b'"id": "Ann"', b'"id": "k1:x", "id": "Ann"')) == edge().seal_event(named)


def test_numbers_that_only_the_decoder_understands_do_not_stop_a_name() -> None:
    huge = b"9" * 4000
    for value in (b"NaN", b"-Infinity", huge):
        raw = posted({"id": "Ann"})[:-1] + b', "ext": ' + value + b"}"
        assert b"Ann" not in edge().seal_event(raw).value


def test_a_batch_answers_for_each_event() -> None:
    good, bad = posted({"id": "Ann"}), b"{"
    one, refused, other = edge().seal_events([good, bad, good])
    assert one == other == edge().seal_event(good)
    assert isinstance(refused, InvalidEvent)
    assert (refused.code, refused.__traceback__, refused.__context__) == ("not_json", None, None)


def test_time_ahead_of_the_clock_is_refused() -> None:
    late = posted({"id": "Ann"}, time=(NOW + timedelta(hours=2)).isoformat())
    with pytest.raises(InvalidEvent, match="future at time"):
        edge().seal_event(late, now=NOW)


def test_what_the_readers_would_find_too_large_is_not_sealed() -> None:
    elements = {f"{number:0127}": True for number in range(64)}
    raw = encoded(example("handoff.offered", data={"elements": elements}))
    assert edge().seal_event(raw)
    assert refusal(b" " * MAX_EVENT_BYTES + raw) == ("too_large", "")
