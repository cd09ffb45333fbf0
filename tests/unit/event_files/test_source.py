"""Files as what a replay reads from: by work item, whatever their order; hostile lines are told, never repeated."""

from __future__ import annotations

import gzip
import pickle
import random
import tracemalloc
from pathlib import Path

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.decoding import MAX_EVENT_BYTES
from schemas.errors import ConfigError
from streams.event_files import FileReport, LeftOut, open_event_files
from streams.event_files.buckets import fill, joined, read_lines
from tests.builders import assigned, event
from tests.unit.event_files.written import by_item, items_of, ndjson, some_events


def test_events_in_any_order_come_out_by_work_item(tmp_path: Path) -> None:
    events = some_events()
    random.Random(1).shuffle(events)
    assert items_of([ndjson(tmp_path / "a.ndjson", events)]) == by_item(events)


def test_repeats_and_other_contents_of_an_identity_are_kept_once_each(tmp_path: Path) -> None:
    one, other = assigned(1, "nurse", id="1"), assigned(1, "ward", id="1")
    assert items_of([ndjson(tmp_path / "a.ndjson", [one, other, one])]) == by_item([one, other])


def test_packed_files_hold_the_same(tmp_path: Path) -> None:
    events = some_events()
    plain = ndjson(tmp_path / "a.ndjson", events).read_bytes()
    (tmp_path / "b.ndjson.gz").write_bytes(gzip.compress(plain))
    (tmp_path / "c.jsonl.zst").write_bytes(zstandard.compress(plain[:5000]) + zstandard.compress(plain[5000:]))
    for name in ("b.ndjson.gz", "c.jsonl.zst"):
        assert items_of([tmp_path / name]) == by_item(events)


def test_an_item_in_two_files_is_one_item(tmp_path: Path) -> None:
    events = some_events()
    paths = [ndjson(tmp_path / "a.ndjson", events[::2]), ndjson(tmp_path / "b.ndjson", events[1::2])]
    assert items_of(paths) == by_item(events)


def test_the_same_events_in_another_order_have_the_same_chunks(tmp_path: Path) -> None:
    events = some_events(200)
    shuffled = random.Random(2).sample(events, len(events))
    with open_event_files([ndjson(tmp_path / "a.ndjson", events)]) as first:
        chunks, name = first.chunks(), first.name
    with open_event_files([ndjson(tmp_path / "a.ndjson", shuffled)]) as second:
        assert (second.chunks(), second.name) == (chunks, name)
    with open_event_files([ndjson(tmp_path / "a.ndjson", events[1:])]) as other:
        assert not {chunk.id for chunk in other.chunks()} & {chunk.id for chunk in chunks}
        assert other.name != name


def test_a_source_goes_to_another_process_and_names_no_folder(tmp_path: Path) -> None:
    with open_event_files([ndjson(tmp_path / "a.ndjson", some_events())]) as source:
        sent = pickle.loads(pickle.dumps(source))
        assert [list(sent.read(chunk)) for chunk in sent.chunks()] == [
            list(source.read(chunk)) for chunk in source.chunks()
        ]
        assert source.name.startswith("a.ndjson (")
        assert str(tmp_path) not in source.name
        assert source.latest_at() == max(event.time for event in some_events())


def test_a_bad_line_is_told_by_place_code_and_field_and_the_rest_is_used(tmp_path: Path) -> None:
    good = assigned(1, "nurse")
    name = b"Jane Doe"
    lines = [name, good, good.canonical().replace(b"nurse", b"\\u0007" + name), name * MAX_EVENT_BYTES]
    report = FileReport()
    assert items_of([ndjson(tmp_path / "a.ndjson", lines)], report=report) == by_item([good])
    assert report.first == [
        LeftOut("a.ndjson", "line 1", "not_json"),
        LeftOut("a.ndjson", "line 3, data.role", "invalid_value"),
        LeftOut("a.ndjson", "line 4", "too_large"),
    ]
    assert (report.left_out, report.events) == (3, 1)
    assert "Jane" not in repr(report)


def test_a_file_that_is_cut_off_gives_what_could_be_read_and_says_so(tmp_path: Path) -> None:
    events = some_events()
    packed = gzip.compress(ndjson(tmp_path / "a.ndjson", events).read_bytes())
    (tmp_path / "b.ndjson.gz").write_bytes(packed[: len(packed) // 2])
    report = FileReport()
    found = items_of([tmp_path / "b.ndjson.gz"], report=report)
    assert 0 < sum(map(len, found.values())) < len(events)
    assert [error.exit_code for error in report.unreadable] == [65]


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.999])
def test_a_zstd_file_that_is_cut_off_anywhere_says_so(tmp_path: Path, kept: float) -> None:
    lines = ndjson(tmp_path / "a.ndjson", some_events(400)).read_bytes()
    packed = zstandard.compress(lines)
    (tmp_path / "b.ndjson.zst").write_bytes(packed[: int(len(packed) * kept)])
    report = FileReport()
    items_of([tmp_path / "b.ndjson.zst"], report=report)
    assert report.events < 1_600
    assert "not complete" in str(report.unreadable[0])


def test_a_zstd_bomb_is_unpacked_little_by_little(tmp_path: Path) -> None:
    """64 MiB without a line break pack to some kilobytes; nothing of it is an event."""
    (tmp_path / "b.ndjson.zst").write_bytes(zstandard.compress(b"x" * (64 * 1024 * 1024)))
    report = FileReport()
    tracemalloc.start()
    assert items_of([tmp_path / "b.ndjson.zst"], report=report) == {}
    assert tracemalloc.get_traced_memory()[1] < 24 * 1024 * 1024
    tracemalloc.stop()
    assert report.codes == {"too_large": 1}


def test_interventions_and_surveys_are_no_work_items(tmp_path: Path) -> None:
    ended = event("intervention.ended", 3, subject="huddle")
    report = FileReport()
    assert items_of([ndjson(tmp_path / "a.ndjson", [ended])], report=report) == {}
    assert (report.events, report.not_folded) == (0, 1)


def test_of_an_oversize_item_no_more_is_read_than_makes_it_oversize(tmp_path: Path) -> None:
    many = [assigned(number, "nurse", id=str(number)) for number in range(10_050)]
    found = items_of([ndjson(tmp_path / "a.ndjson", many)])
    assert [len(payloads) for payloads in found.values()] == [10_001]


@pytest.mark.parametrize("name", ["no-such.ndjson", "a.docx", "log.xes"])
def test_what_cannot_be_opened_is_a_configuration_error(tmp_path: Path, name: str) -> None:
    if name != "no-such.ndjson":
        (tmp_path / name).write_bytes(b"x")
    with pytest.raises(ConfigError), open_event_files([tmp_path / name]):
        pass


def test_two_files_of_one_name_are_refused(tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    paths = [ndjson(folder / "a.ndjson", some_events()) for folder in (tmp_path, tmp_path / "more")]
    with pytest.raises(ConfigError, match="same name"), open_event_files(paths):
        pass


def test_a_source_whose_folder_is_gone_says_so(tmp_path: Path) -> None:
    with open_event_files([ndjson(tmp_path / "a.ndjson", some_events())]) as source:
        chunk = source.chunks()[0]
    with pytest.raises(ConfigError, match="start again"):
        list(source.read(chunk))


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 30), st.binary(min_size=1, max_size=40)), max_size=80), st.integers(20, 2_000))
def test_buckets_hold_every_line_once_and_no_item_twice(
    tmp_path_factory: pytest.TempPathFactory, given: list[tuple[int, bytes]], most: int
) -> None:
    folder = tmp_path_factory.mktemp("buckets")
    lines = [(f"p/{key}".encode(), payload.replace(b"\n", b" ")) for key, payload in given]
    buckets = fill(folder, lines, most)
    held = {bucket.name: list(read_lines(folder, bucket.name)) for bucket in buckets}
    assert sorted(line for each in held.values() for line in each) == sorted(lines)
    keys = [{key for key, _ in each} for each in held.values()]
    assert sum(map(len, keys)) == len({key for key, _ in lines})
    for bucket in buckets:
        assert bucket.events == len(held[bucket.name])
        assert bucket.size <= most or len({key for key, _ in held[bucket.name]}) == 1
    assert [bucket for group in joined(buckets, most) for bucket in group] == buckets
