"""HL7's times as instants."""

from __future__ import annotations

import pytest

from schemas.errors import InvalidEvent
from streams.gateway.connectors.hl7v2 import Hl7v2
from tests.unit.connectors.context import context, delivery
from tests.unit.connectors.payloads_hl7v2 import adt


def time_of(body: bytes, **options: object) -> str:
    (draft,) = Hl7v2().read(delivery(body), context(options=options)).drafts
    return draft.time.isoformat()


def refused(body: bytes, **options: object) -> str:
    with pytest.raises(InvalidEvent) as refusal:
        time_of(body, **options)
    return str(refusal.value)


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        ("202603020815+0000", "2026-03-02T08:15:00+00:00"),
        ("20260302081559-0530", "2026-03-02T13:45:59+00:00"),
        ("20260302081559.4+0200", "2026-03-02T06:15:59.400000+00:00"),
        ("20260302081559.1234+1400", "2026-03-01T18:15:59.123400+00:00"),
        ("20260302081559.123456789+0000", "2026-03-02T08:15:59.123456+00:00"),
    ],
)
def test_precision_and_offset_are_kept(sent: str, meant: str) -> None:
    assert time_of(adt("A03", at=sent)) == meant


@pytest.mark.parametrize(
    "sent", ["20261302081500+0000", "20260302251500+0000", "20260302081560+0000", "2026-03-02T08:15"]
)
def test_time_that_is_none_is_refused(sent: str) -> None:
    assert refused(adt("A03", at=sent)) == "bad_time at EVN-2"


@pytest.mark.parametrize("offset", ["+2500", "+9999", "+00:00", "Z", "+1"])
def test_offset_that_is_none_is_refused(offset: str) -> None:
    assert refused(adt("A03", at=f"202603020815{offset}")) == "bad_time at EVN-2"


@pytest.mark.parametrize("coarse", ["2026", "202603", "20260302", "2026030208", "20260302+0000"])
def test_day_or_hour_is_no_instant_and_the_next_field_is_asked(coarse: str) -> None:
    assert time_of(adt("A03", occurred=coarse)) == "2026-03-02T08:15:00+00:00"


def test_message_whose_times_are_all_too_coarse_is_refused() -> None:
    assert refused(adt("A03", at="20260302", msh={7: "2026"})) == "coarse_time at EVN-2"


def test_message_without_any_time_is_refused() -> None:
    assert refused(adt("A03", at="", msh={7: ""})) == "missing_field at EVN-6"


def test_local_time_needs_a_zone() -> None:
    assert refused(adt("A03", at="202603020815", msh={7: "202603020815"})) == "time_without_zone at EVN-2"
    assert time_of(adt("A03", at="202603020815"), zone="Europe/Berlin") == "2026-03-02T07:15:00+00:00"


def test_local_time_is_on_the_senders_clock_where_the_header_tells_its_offset() -> None:
    assert time_of(adt("A03", at="202603020815", msh={7: "20260302081500+0300"})) == "2026-03-02T05:15:00+00:00"


def test_chosen_zone_wins_over_the_headers_offset_which_summer_time_may_have_changed() -> None:
    body = adt("A03", at="202603020815", msh={7: "20260701081500+0200"})
    assert time_of(body, zone="Europe/Berlin") == "2026-03-02T07:15:00+00:00"


def test_local_time_that_occurs_twice_or_never_is_read_as_settings_choose() -> None:
    twice, never = adt("A03", at="202510260230"), adt("A03", at="202603290230")
    berlin = {"zone": "Europe/Berlin"}
    assert time_of(twice, **berlin) == "2025-10-26T00:30:00+00:00"
    assert time_of(twice, **berlin, ambiguous="later") == "2025-10-26T01:30:00+00:00"
    assert refused(twice, **berlin, ambiguous="skip") == "ambiguous_local_time at EVN-2"
    assert time_of(never, **berlin) == "2026-03-29T01:30:00+00:00"
    assert refused(never, **berlin, nonexistent="skip") == "nonexistent_local_time at EVN-2"


def test_time_outside_of_what_the_store_keeps_is_refused() -> None:
    assert refused(adt("A03", at="190001010000+0000")) == "time_out_of_range at EVN-2"
    assert refused(adt("A03", at="000001010000+0000")) == "bad_time at EVN-2"
