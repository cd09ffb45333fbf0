"""Whatever comes in: nothing of a name or a text comes out, the same gives the same, and the contract decides."""

from __future__ import annotations

import json
import traceback
from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from schemas.decoding import decode
from schemas.errors import InvalidEvent
from schemas.events import EVENT_TYPES
from streams.gateway.edge import Acting, Draft, Edge, Marks, Sealed
from tests.unit.edge.edges import KEY, NOW, edge, words
from tests.unit.schemas.examples import encoded, examples

SECRET = "Zebedee-Quixano"  # neither word is in the contract, a policy or a field name
TYPES = sorted(EVENT_TYPES)
RULES = words(("?", "question"), ("quixano", "act"), ("z", "blame"))
EDGE = edge(**RULES)
MARKS = Marks(bots=("*[bot]",), otherwise="human")
ZONE = st.just(UTC)

plain = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
values: st.SearchStrategy[Any] = st.recursive(
    plain, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3)
)
secrets = st.builds("{}{}{}".format, st.text(max_size=5), st.just(SECRET), st.text(max_size=5))


@st.composite
def drafts(draw: st.DrawFn) -> Draft:
    """Drafts of all types, most of them right; a name and a text are always in them, the secret in both."""
    example = examples()[draw(st.integers(0, len(examples()) - 1))]
    data = {**example["data"]}
    for word in ("actor", *draw(st.sets(st.sampled_from(["intent", "kind", "expects_reply"])))):
        data.pop(word, None)
    changes: dict[str, Any] = draw(
        st.just({})
        | st.just({})
        | st.fixed_dictionaries({"id": st.text(max_size=300)})
        | st.fixed_dictionaries({"subject": st.sampled_from(["", "x" * 300, "\n"])})
        | st.fixed_dictionaries({"type": st.sampled_from(TYPES)})
        | st.fixed_dictionaries({"time": st.datetimes(datetime(1969, 1, 1), datetime(2201, 1, 1), timezones=ZONE)})
        | st.fixed_dictionaries({"data": st.dictionaries(st.sampled_from([*data, "note"]), values, max_size=2)})
        | st.fixed_dictionaries({"data": st.dictionaries(secrets, secrets, min_size=1, max_size=1)})
    )
    fields = {"type": example["type"], "id": "e1", "time": NOW, "subject": "w1", **changes}
    return Draft(
        **{**fields, "data": {**data, **changes.get("data", {})}},
        actor=Acting(draw(secrets), draw(st.sampled_from(["human", "bot", "system", "unknown"]))),
        text=draw(secrets) + draw(st.text()),
    )


def outcome(do: Any) -> Sealed | InvalidEvent:
    try:
        sealed: Sealed = do()
        return sealed
    except InvalidEvent as invalid:
        return invalid


def told(found: Sealed | InvalidEvent) -> str:
    """All that anybody could write down of an outcome."""
    if isinstance(found, Sealed):
        return f"{found!r} {found.key!r} {found.value.decode()} {json.loads(found.value)}"
    return f"{found!r} {found} {found.code} {found.field} {found.args} {''.join(traceback.format_exception(found))}"


@given(drafts())
def test_neither_a_name_nor_a_text_leaves_the_edge(draft: Draft) -> None:
    found = outcome(lambda: EDGE.seal(draft, "/tickets", "p", MARKS))
    assert SECRET not in told(found)


@given(drafts())
def test_a_draft_is_always_sealed_alike_and_into_canonical_bytes(draft: Draft) -> None:
    one, other = (outcome(lambda: EDGE.seal(draft, "/tickets", "p", MARKS)) for _ in range(2))
    if isinstance(one, Sealed):
        assert one == other
        assert one.value == decode(one.value).canonical()
        assert EDGE.seal_event(one.value) == one
    else:
        assert str(one) == str(other)


@st.composite
def posts(draw: st.DrawFn) -> tuple[dict[str, Any], str]:
    """A posted event, somewhere wrong perhaps, and the name of its actor."""
    event = draw(st.sampled_from(range(len(examples()))).map(lambda number: examples()[number]))
    place = draw(st.sampled_from([event, event["data"]]))
    place.update(draw(st.dictionaries(st.sampled_from([*event, *event["data"], "note"]), values, max_size=1)))
    name = draw(secrets)
    if isinstance(event.get("data"), dict):
        event["data"]["actor"] = {"id": name, "kind": draw(st.sampled_from(["human", "bot"]))}
    return event, name


@given(posts())
def test_a_posted_event_is_taken_exactly_if_decode_takes_it_with_the_name_hashed(post: tuple[Any, str]) -> None:
    event, name = post
    found = outcome(lambda: EDGE.seal_event(encoded(event)))
    if isinstance(event.get("data"), dict):
        event["data"]["actor"]["id"] = KEY.hash_actor(name)
    wanted = outcome(lambda: _contract(encoded(event)))
    assert SECRET not in told(found)
    if isinstance(wanted, Sealed) or isinstance(found, Sealed):
        assert isinstance(found, Sealed)
        assert isinstance(wanted, Sealed)
        assert found.value == wanted.value
    else:
        assert (found.code, found.field) == (wanted.code, wanted.field)


def _contract(raw: bytes) -> Sealed:
    event = decode(raw)
    return Sealed(b"", event.canonical(), event.type, event.id, event.source)


@given(st.binary() | values.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_are_refused_or_sealed(raw: bytes) -> None:
    (found,) = EDGE.seal_events([raw])
    assert isinstance(found, InvalidEvent)


@given(st.text())
def test_roles_of_any_name_are_texts(name: str) -> None:
    roles = Edge(EDGE._keyring, EDGE.policies).roles("p")
    assert roles.mapped("group", name) == ""
    assert roles.of_actor(Acting(name)) == ""
    assert "\n" not in roles.named("location", name)
