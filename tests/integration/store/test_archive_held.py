"""Looking contents up in the archive, whatever characters their names hold."""

from __future__ import annotations

from clickhouse_connect.driver.client import Client

from schemas.events import Event
from sinks.clickhouse.archive_held import digest, held_digests
from tests.builders import T0, assigned
from tests.integration.store.arrivals import arrive

AWKWARD = ["a'b", "a\\b", "a\\'b", "')] OR 1", "ü 💬", "a,b", "{x:String}", '"', "%s", "a\\"]


def identity(event: Event) -> tuple[str, str, str, str]:
    return event.process, event.subject, event.source, event.id


def test_what_is_held_is_found_and_nothing_else(client: Client) -> None:
    events = [assigned(1, "nurse", subject=name, id=f"{name}!", source=f"urn:{name}") for name in AWKWARD]
    others = [assigned(2, "nurse", subject=name, id=f"{name}?", source=f"urn:{name}") for name in AWKWARD]
    arrive(client, events, received_at=T0)
    found = held_digests(client, [identity(event) for event in [*events, *others]])
    assert found == {digest(event.canonical()) for event in events}
    assert held_digests(client, []) == set()
