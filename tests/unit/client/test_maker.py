"""What a producer makes is an event of the contract, and names nobody."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from schemas.actor_key import ActorKey, parse_actor_key
from schemas.errors import ConfigError, InvalidEvent
from schemas.events import CommunicationSent, HandoffAccepted, HandoffOffered
from streams.client import EventMaker, produce, read_key, record
from streams.gateway import actors

KEY = ActorKey("test", bytes(range(32)))
AT = datetime(2026, 3, 2, 8, 31, tzinfo=UTC)
MADE = EventMaker("/ehr/main", "ed-to-ward", KEY, site="ward-a")


def accepted(actor: str | None = "Ilse", **changed: object) -> HandoffAccepted:
    data = {"handoff_id": "h2", "role": "ward-nurse", **changed}
    return MADE.make(HandoffAccepted, id="4711-9", work_item="enc-4711", at=AT, actor=actor, **data)


def test_event_is_of_the_contract_and_its_actor_a_hash() -> None:
    event = accepted()
    assert (event.subject, event.process, event.site, event.time) == ("enc-4711", "ed-to-ward", "ward-a", AT)
    assert event.data.actor is not None
    assert (event.data.actor.id, event.data.actor.kind) == (KEY.hash_actor("Ilse"), "human")
    assert b"Ilse" not in event.canonical()


def test_data_may_hold_times_lists_and_objects() -> None:
    offered = MADE.make(
        HandoffOffered,
        id="1",
        work_item="w",
        at=AT,
        handoff_id="h",
        from_role="a",
        to_role="b",
        due_at=AT,
        elements={"situation": True},
    )
    sent = MADE.make(
        CommunicationSent, id="2", work_item="w", at=AT, message_id="m", role="a", to_roles=["c", "b", "c"]
    )
    assert offered.data.due_at == AT
    assert sent.data.to_roles == ("b", "c")


@pytest.mark.parametrize(
    ("changed", "code", "field"),
    [
        ({"role": ""}, "invalid_value", "data.role"),
        ({"note": "Ilse says no"}, "unknown_field", "data.?"),
        ({"role": object()}, "invalid_value", ""),
        ({"role": "\ud800"}, "invalid_value", ""),
        ({"handoff_id": None}, "invalid_value", "data.handoff_id"),
    ],
)
def test_what_is_no_event_is_refused_with_its_field_and_no_value(
    changed: dict[str, object], code: str, field: str
) -> None:
    with pytest.raises(InvalidEvent) as caught:
        accepted(**changed)
    assert (caught.value.code, caught.value.field) == (code, field)
    assert "Ilse" not in str(caught.value)


def test_time_without_a_zone_is_refused() -> None:
    with pytest.raises(InvalidEvent, match="invalid_value at time"):
        MADE.make(HandoffAccepted, id="1", work_item="w", at=datetime(2026, 1, 1), handoff_id="h", role="a")


def test_actor_needs_a_key_and_a_name() -> None:
    with pytest.raises(ValueError, match="needs the site's key"):
        EventMaker("/x", "p").make(HandoffAccepted, id="1", work_item="w", at=AT, actor="x", handoff_id="h", role="a")
    with pytest.raises(InvalidEvent, match=r"data\.actor\.id"):
        accepted(actor="\ud800")
    assert accepted(actor=None).data.actor is None


def test_key_file_is_the_one_of_the_gateway(tmp_path: Path) -> None:
    path = tmp_path / "actor.key"
    theirs = actors.read_or_create_actor_key(path)
    ours = read_key(path)
    for name in ("Ilse", "Go\u0308ran", "", "日" * 300):
        assert ours.hash_actor(name) == theirs.hash_actor(name)
    assert parse_actor_key(path.read_text()) == ours
    assert ours.secret.hex() not in repr(ours)


@pytest.mark.parametrize("content", [b"", b"k1:abc\n", b"k1:\xff", b"k1:" + b"0" * 64 + b"\nk2:" + b"1" * 64])
def test_what_is_no_key_file_is_refused_without_being_repeated(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "actor.key"
    path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        read_key(path)
    assert "abc" not in str(caught.value)
    with pytest.raises(ConfigError, match="No such file"):
        read_key(tmp_path / "none")


def test_record_has_the_key_of_its_work_item_and_its_partition() -> None:
    made = record(accepted())
    assert (made.topic, made.key) == ("tieline.events", b"ed-to-ward/enc-4711")
    assert made.value == accepted().canonical()
    assert made.partition == record(accepted(actor=None)).partition
    assert 0 <= made.partition < 24


def test_any_producer_can_write_the_records() -> None:
    written: list[tuple[str, bytes, bytes]] = []
    answers = produce([accepted()], lambda topic, key, value: written.append((topic, key, value)) or len(written))
    assert answers == [1]
    assert written == [tuple(record(accepted()))[:3]]


def test_client_needs_the_contract_and_pydantic_only() -> None:
    """Imported in a process of its own, where everything else is forbidden."""
    program = """
import sys
allowed = set(sys.stdlib_module_names) | {"schemas", "streams", "pydantic", "pydantic_core", "annotated_types",
    "typing_extensions", "typing_inspection", "tzdata"}
before = set(sys.modules)
import streams.client
loaded = set(sys.modules) - before
foreign = {name.partition(".")[0] for name in loaded if not name.startswith("_sysconfigdata")} - allowed
ours = {name for name in loaded if name.startswith("streams.") and not name.startswith("streams.client")}
ours -= {"streams.transport", "streams.transport.partitioner"}
sys.exit(f"{sorted(foreign)} {sorted(ours)}" if foreign or ours else 0)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
