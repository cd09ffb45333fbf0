"""Parquet files of events: cut the same way however rows come, and never unpacked before their pages say how large."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.errors import ConfigError
from streams.event_files import FileReport
from streams.event_files import parquet_file as module
from streams.event_files.parquet_file import SCHEMA, read_payloads
from streams.event_files.parquet_pages import pages
from tests.builders import assigned
from tests.unit.event_files.parquet_rows import parquet
from tests.unit.event_files.written import items_of, some_events


def read(path: Path) -> list[bytes]:
    with path.open("rb") as file:
        return [payload for _, payload in read_payloads(file, path.name)]


def foreign(path: Path, columns: dict[str, Any], **options: Any) -> Path:
    """A file that somebody else wrote."""
    pq.write_table(pa.table(columns), path, **options)
    return path


def test_rows_come_back_in_order_with_their_numbers(tmp_path: Path) -> None:
    payloads = [event.canonical() for event in some_events()]
    path = parquet(tmp_path / "a.parquet", payloads)
    with path.open("rb") as file:
        assert list(read_payloads(file, "a")) == list(enumerate(payloads, 1))


@pytest.mark.parametrize("together", [1, 7, 100])
def test_equal_rows_give_equal_bytes_however_they_come(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, together: int
) -> None:
    monkeypatch.setattr(module, "ROWS_TOGETHER", 30)
    monkeypatch.setattr(module, "BYTES_TOGETHER", 5_000)
    payloads = [event.canonical() for event in some_events()]
    payloads[20] = b"x" * 6_000  # alone larger than a group may be
    one = parquet(tmp_path / "a.parquet", payloads)
    other = parquet(tmp_path / "b.parquet", payloads, together)
    assert one.read_bytes() == other.read_bytes()
    metadata = pq.ParquetFile(one).metadata
    groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
    assert sum(group.num_rows for group in groups) == len(payloads)
    assert max(group.num_rows for group in groups) <= 30
    assert len(groups) > len(payloads) // 30
    assert read(one) == payloads


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 60), max_size=40), st.integers(1, 9), st.integers(1, 9))
def test_no_row_is_lost_wherever_groups_are_cut(
    tmp_path_factory: pytest.TempPathFactory, lengths: list[int], rows: int, together: int
) -> None:
    payloads = [b"y" * length for length in lengths]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "ROWS_TOGETHER", rows)
        patch.setattr(module, "BYTES_TOGETHER", 50)
        path = parquet(tmp_path_factory.mktemp("parquet") / "a.parquet", payloads, together)
        metadata = pq.ParquetFile(path).metadata
        sizes = [metadata.row_group(number).num_rows for number in range(metadata.num_row_groups)]
        at = 0
        for size in sizes:
            assert size == 1 or sum(lengths[at : at + size]) <= 50
            assert size <= rows
            at += size
        assert read(path) == payloads


def test_page_headers_say_what_the_pages_hold(tmp_path: Path) -> None:
    payloads = [event.canonical() for event in some_events(400)]
    path = parquet(tmp_path / "a.parquet", payloads)
    chunk = pq.ParquetFile(path).metadata.row_group(0).column(len(SCHEMA) - 1)
    with path.open("rb") as file:
        found = list(pages(file, chunk.data_page_offset, chunk.total_compressed_size))
    assert {(page.kind, page.encoding) for page in found} == {(0, 0)}
    assert sum(page.unpacked for page in found) == sum(len(payload) + 4 for payload in payloads)
    assert sum(page.packed for page in found) < chunk.total_compressed_size


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """12 MiB of one letter pack to some kilobytes."""
    monkeypatch.setattr(module, "_MOST_UNPACKED", 8 * 1024 * 1024)
    bomb = {"payload": ["x" * (12 * 1024 * 1024)]}
    path = foreign(tmp_path / "a.parquet", bomb, compression="zstd", use_dictionary=False, write_statistics=False)
    assert path.stat().st_size < 100_000
    pool = pa.default_memory_pool()
    before = pool.bytes_allocated()
    with pytest.raises(ConfigError, match="not a Parquet file of exported events"):
        read(path)
    assert pool.bytes_allocated() - before < 1024 * 1024


def test_one_long_value_in_a_million_rows_is_refused(tmp_path: Path) -> None:
    repeated = pa.array(["x" * 100_000] * 1_000)
    path = foreign(tmp_path / "a.parquet", {"payload": repeated}, compression="zstd", use_dictionary=True)
    with pytest.raises(ConfigError):
        read(path)


@pytest.mark.parametrize(
    "columns",
    [
        {"other": ["x"]},
        {"payload": [1]},
        {"payload": [["x"]]},
        {"payload": [b"x"]},
        {"payload": ["x", None]},
        {"payload": pa.array(["x"], pa.string()).dictionary_encode()},
    ],
)
def test_files_of_another_shape_are_refused(tmp_path: Path, columns: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        read(foreign(tmp_path / "a.parquet", columns, use_dictionary=False))


@pytest.mark.parametrize("content", [b"", b"PAR1", b"PAR1" * 100, b"x" * 10_000])
def test_what_is_no_parquet_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.parquet").write_bytes(content)
    with pytest.raises(ConfigError):
        items_of([tmp_path / "a.parquet"])


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_damage_is_a_configuration_error_or_left_out_rows(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("damaged")
    content = bytearray(parquet(folder / "a.parquet", [assigned(1, "nurse").canonical()] * 3).read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    (folder / "a.parquet").write_bytes(content)
    with suppress(ConfigError):
        items_of([folder / "a.parquet"], report=FileReport())
