"""Which ties encoded rows name."""

from __future__ import annotations

from datetime import UTC, date, datetime

from schemas.rows import ExchangeRow
from sinks.clickhouse.names import TieName, names_of
from tests.integration.store.rows import encoded, handoff

JANUARY = datetime(2026, 1, 31, 23, 30, tzinfo=UTC)


def test_a_handoff_names_its_tie_in_the_month_of_its_offer() -> None:
    (name,) = names_of("handoffs", encoded([handoff(at=JANUARY, site="north", origin="inferred")]))
    assert name == TieName(
        "live", "ed-to-ward", date(2026, 1, 1), "north", "inferred", "nurse", "bed-manager", source=1
    )


def test_an_exchange_names_a_tie_with_each_role_that_was_asked() -> None:
    row = ExchangeRow(
        run="live",
        process="ed-to-ward",
        work_item="w1",
        episode_id="src#m1",
        event_ids=("src#m1",),
        revision=1,
        message_id="m1",
        from_role="nurse",
        to_roles=("lab", "pharmacy"),
        sent_at=JANUARY,
    )
    named = list(names_of("exchanges", encoded([row])))
    assert [(name.from_role, name.to_role, name.origin, name.source) for name in named] == [
        ("nurse", "lab", "explicit", 2),
        ("nurse", "pharmacy", "explicit", 2),
    ]


def test_a_tombstone_names_nothing_and_what_is_no_row_is_left_to_the_store() -> None:
    gone = encoded([handoff(is_deleted=1)])
    assert list(names_of("handoffs", [*gone, b"{}", b"[1]", b"no json", b'{"is_deleted":0,"offered_at":"x"}'])) == []
