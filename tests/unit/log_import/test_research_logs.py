"""The three research logs give the counts that were made without us, event by event and byte by byte."""

from __future__ import annotations

import gzip
import random
from datetime import timedelta
from pathlib import Path

import pytest

from streams.gateway.actors import ActorKey
from streams.gateway.log_import import LogImport, Mapped, Skipped, read_mapping
from tests.unit.log_import.ownership import (
    Known,
    Tenure,
    accepted_within,
    counted,
    handoffs,
    pair_counts,
    tenures_by_item,
    there_and_back,
)

pytestmark = pytest.mark.shared

MAPPINGS = Path(__file__).parents[3] / "deploy" / "mappings"
KEY = ActorKey("test", bytes(range(32)))
FILES = {
    "volvo-problems": "bpic2013_closed_problems.xes.gz",
    "permit-receipt": "receipt.xes.gz",
    "helpdesk": "helpdesk.xes.gz",
}


def imported(shared_data: Path, process: str) -> tuple[LogImport, list[Mapped]]:
    log = LogImport(shared_data / "data" / FILES[process], read_mapping(MAPPINGS / f"{process}.yaml"), actor_key=KEY)
    mapped = [outcome for outcome in log if not isinstance(outcome, Skipped)]
    return log, mapped


@pytest.fixture(scope="module")
def volvo(shared_data: Path) -> dict[str, list[Tenure]]:
    return tenures_by_item(imported(shared_data, "volvo-problems")[1])


@pytest.mark.parametrize(
    ("process", "events", "work_items", "roles", "known"),
    [
        ("volvo-problems", 6_660, 1_487, 324, Known(655, 280, 379, 186, 107)),
        ("permit-receipt", 8_577, 1_434, 10, Known(5_440, 1_318, 43, 439, 269)),
        ("helpdesk", 21_348, 4_580, 22, Known(8_648, 4_577, 244, 306, 269)),
    ],
)
def test_counts_are_those_of_the_independent_count(
    shared_data: Path, process: str, events: int, work_items: int, roles: int, known: Known
) -> None:
    log, mapped = imported(shared_data, process)
    assert (log.counts.log_events, log.counts.work_items, log.counts.roles) == (events, work_items, roles)
    assert not log.counts.skipped
    assert not log.counts.notes
    assert not log.hints()
    assert log.bytes_read == log.total_bytes
    assert counted(tenures_by_item(mapped)) == known


def test_volvo_busiest_pairs(volvo: dict[str, list[Tenure]]) -> None:
    assert pair_counts(volvo).most_common(2) == [(("G199 3rd", "G21 2nd"), 37), (("G21 2nd", "G199 3rd"), 31)]


def test_volvo_acceptance(volvo: dict[str, list[Tenure]]) -> None:
    all_handoffs = [handoff for tenures in volvo.values() for handoff in handoffs(tenures)]
    last = [handoffs(tenures)[-1] for tenures in volvo.values() if len(tenures) > 1]
    unworked = [handoff for handoff in all_handoffs if handoff.taker.worked is None]
    assert len(all_handoffs) - len(unworked) == 540
    assert len(unworked) == 115
    assert not [handoff for handoff in last if handoff.taker.worked is None]  # so all 115 were passed on
    assert accepted_within(all_handoffs, timedelta(hours=4)) == 405


def test_volvo_there_and_back_without_work(volvo: dict[str, list[Tenure]]) -> None:
    assert sum(b.worked is None for tenures in volvo.values() for b in there_and_back(tenures)) == 48


def test_volvo_handoffs_after_a_completion(volvo: dict[str, list[Tenure]]) -> None:
    late = [sum(handoff.taker.after_close for handoff in handoffs(tenures)) for tenures in volvo.values()]
    assert (sum(late), sum(number > 0 for number in late)) == (50, 19)


@pytest.mark.parametrize("process", FILES)
def test_every_event_is_valid_canonical_and_unique(shared_data: Path, process: str) -> None:
    _, mapped = imported(shared_data, process)
    assert len({(one.event.source, one.event.id) for one in mapped}) == len(mapped)
    for one in mapped:
        event = one.event
        assert event.canonical() == one.value
        assert event.type == one.type
        assert one.key == f"{event.process}/{event.subject}".encode()


def test_no_name_is_in_any_byte(shared_data: Path) -> None:
    values = b"\n".join(one.value for one in imported(shared_data, "volvo-problems")[1])
    for name in ("Siebel", "Carolyn", "Ewa", "Padmanabha"):
        assert name.encode() not in values


def test_order_of_work_items_changes_no_event(shared_data: Path, tmp_path: Path) -> None:
    packed = shared_data / "data" / FILES["volvo-problems"]
    head, *traces = gzip.decompress(packed.read_bytes()).decode().split("\t<trace>")
    traces[-1], tail = traces[-1].split("</trace>")
    traces = [trace.replace("</trace>", "") for trace in traces]
    random.Random(7).shuffle(traces)
    shuffled = tmp_path / "elsewhere.xes"
    shuffled.write_text(head + "".join(f"<trace>{trace}</trace>" for trace in traces) + tail, encoding="utf-8")

    log = LogImport(shuffled, read_mapping(MAPPINGS / "volvo-problems.yaml"), actor_key=KEY)
    again = [outcome for outcome in log if isinstance(outcome, Mapped)]
    _, mapped = imported(shared_data, "volvo-problems")
    assert again != mapped
    assert sorted(again) == sorted(mapped)
