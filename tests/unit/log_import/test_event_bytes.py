"""Bytes built by hand are those of the models, whatever the texts are."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from schemas.decoding import decode
from streams.gateway.log_import.errors import UnusableRow
from streams.gateway.log_import.event_bytes import Acted, EventBytes, Mapped, contract_text, json_text, utc_text
from streams.gateway.log_import.states import VERBS
from tests.unit.log_import.logs import KEY

TEXTS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=300)
TIMES = st.datetimes(datetime(1970, 1, 1), datetime(2199, 12, 31), timezones=st.just(UTC))


def built(
    work_item: str, role: str, site: str, reason: str, actor: str | None, at: datetime, apart: bool
) -> list[Mapped]:
    """Every verb at once."""
    acted = Acted(
        utc_text(at),
        contract_text("site", site),
        f'"actor":{{"id":"{KEY.hash_actor(actor)}","kind":"bot"}}' if actor is not None else "",
        f'"role":{contract_text("role", role)}',
        f'"reason":{contract_text("reason", reason)}',
    )
    subject = contract_text("work_item", work_item)
    return EventBytes('proc " é', "urn:x", apart).build(work_item, subject, 7, tuple(range(len(VERBS))), acted)


@given(TEXTS, TEXTS, TEXTS, TEXTS, st.none() | TEXTS, TIMES, st.booleans())
def test_hand_made_bytes_are_canonical(
    work_item: str, role: str, site: str, reason: str, actor: str | None, at: datetime, apart: bool
) -> None:
    try:
        events = built(work_item, role, site, reason, actor, at, apart)
    except UnusableRow:  # too long, or with control characters
        return
    assert len(events) == len(VERBS)
    for one in events:
        event = decode(one.value)
        assert event.canonical() == one.value
        assert (event.subject, event.time, event.type) == (work_item, at, one.type)


@given(st.lists(st.text("ab:~0/", min_size=1, max_size=260), min_size=2, max_size=6, unique=True), st.booleans())
def test_ids_of_different_work_items_differ(names: list[str], apart: bool) -> None:
    at = datetime(2026, 1, 5, tzinfo=UTC)
    usable = [name for name in names if len(name) <= 256]
    ids = [one.event.id for name in usable for one in built(name, "r", "", "x", None, at, apart)]
    assert len(set(ids)) == len(ids)


def test_json_text_is_the_models_json() -> None:
    for code in [*range(0x20, 0xD800), *range(0xE000, 0x11000), 0x1F600]:
        if code not in (0x22, 0x5C):
            assert json_text(chr(code)) == f'"{chr(code)}"'
