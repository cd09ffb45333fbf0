"""The spool: what it took is there after anything, in order, until it is needed no more."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import topics
from schemas.errors import ConfigError, TransientError
from streams.gateway.durable import spool as spool_module
from streams.gateway.durable.frames import frames
from streams.gateway.durable.spool import Spool

MANY = 1 << 20


def opened(folder: Path, max_bytes: int = MANY, segment_bytes: int = 400) -> Spool:
    spool = Spool(folder, max_bytes, segment_bytes, clock=lambda: 1000.0)
    spool.open()
    return spool


def put(spool: Spool, *values: bytes) -> None:
    spool.append(frames(topics.EVENTS, [(b"p/w", value) for value in values]))


def taken(spool: Spool, most_bytes: int = MANY) -> list[bytes]:
    """Everything that is left, read and done with."""
    found: list[bytes] = []
    while True:
        batch = spool.read(most_bytes)
        spool.advance(batch.end)
        if not batch.entries:
            return found
        found += [entry.value for entry in batch.entries]


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*.seg"))


def values(count: int, start: int = 0) -> list[bytes]:
    return [b"value %05d" % number for number in range(start, start + count)]


def test_records_come_back_in_order_over_segments_and_restarts(tmp_path: Path) -> None:
    spool = opened(tmp_path)
    for value in values(30):
        put(spool, value)
    assert len(files(tmp_path)) > 1
    spool.close()
    again = opened(tmp_path)
    for value in values(10, 30):
        put(again, value)
    assert taken(again, most_bytes=50) == values(40)
    assert again.depth_bytes == 0


def test_a_reader_follows_a_writer(tmp_path: Path) -> None:
    spool, found = opened(tmp_path), []
    for value in values(40):
        put(spool, value)
        found += taken(spool)
    assert found == values(40)


def test_what_is_marked_is_not_read_again_and_its_segments_are_deleted(tmp_path: Path) -> None:
    spool = opened(tmp_path)
    for value in values(30):
        put(spool, value)
    first = spool.read(MANY)
    spool.advance(first.end)
    second = spool.read(100)
    spool.advance(second.end)
    spool.mark()
    assert files(tmp_path)[0] == "000000000002.seg"
    spool.close()
    assert taken(opened(tmp_path)) == values(30)[len(first.entries) + len(second.entries) :]


def test_an_empty_spool_leaves_no_segment_and_numbers_go_on(tmp_path: Path) -> None:
    spool = opened(tmp_path)
    put(spool, *values(3))
    taken(spool)
    spool.mark()
    assert files(tmp_path) == []
    spool.close()
    again = opened(tmp_path)
    put(again, b"later")
    assert taken(again) == [b"later"]


@pytest.mark.parametrize("mark", [b"", b"nonsense", b"\xff\xfe", b"1 2 3"])
def test_an_unreadable_mark_means_that_everything_is_read_again(tmp_path: Path, mark: bytes) -> None:
    spool = opened(tmp_path)
    put(spool, *values(3))
    spool.close()
    (tmp_path / "mark").write_bytes(mark)
    assert taken(opened(tmp_path)) == values(3)


def test_a_torn_end_is_dropped_and_nothing_else(tmp_path: Path) -> None:
    spool = opened(tmp_path)
    put(spool, *values(3))
    spool.close()
    path = tmp_path / files(tmp_path)[0]
    path.write_bytes(path.read_bytes() + b"".join(frames(topics.EVENTS, [(b"p/w", b"torn")]))[:-1])
    again = opened(tmp_path)
    put(again, b"next")
    assert taken(again) == [*values(3), b"next"]
    assert again.torn_bytes > 0
    assert again.damaged_bytes == 0
    assert again.set_aside == 0


def test_a_damaged_segment_is_kept_and_reported_and_the_rest_of_it_read(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    spool = opened(tmp_path)
    put(spool, *values(3))
    spool.close()
    path = tmp_path / files(tmp_path)[0]
    content = path.read_bytes()
    damaged = content.replace(b"value 00001", b"value 0?001")
    path.write_bytes(damaged)
    again = opened(tmp_path)
    assert taken(again) == [values(3)[0], values(3)[2]]
    again.mark()
    assert files(tmp_path) == []
    assert again.set_aside == 1
    assert next(tmp_path.glob("*.corrupt")).read_bytes() == damaged
    assert any(record.levelname == "ERROR" and "damaged" in record.message for record in caplog.records)
    assert "value" not in caplog.text


def test_a_segment_that_somebody_shortened_or_deleted_is_reported_and_does_not_block(tmp_path: Path) -> None:
    spool = opened(tmp_path)
    for value in values(30):
        put(spool, value)
    first, second, *_ = sorted(tmp_path.glob("*.seg"))
    first.write_bytes(b"")
    second.unlink()
    found = taken(spool)
    assert found == values(30)[-len(found) :]
    assert spool.damaged_bytes > 0


def test_a_second_process_cannot_have_the_folder(tmp_path: Path) -> None:
    spool = opened(tmp_path)
    code = (
        "import sys; from pathlib import Path; from streams.gateway.durable.spool import Spool\n"
        "Spool(Path(sys.argv[1]), 1, 1).open()"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True)
    assert "in use by another gateway" in done.stderr
    with pytest.raises(ConfigError):
        opened(tmp_path)
    spool.close()
    opened(tmp_path).close()


def test_the_folder_and_its_files_are_for_this_user_only(tmp_path: Path) -> None:
    spool = opened(tmp_path / "a" / "spool")
    put(spool, b"x")
    spool.mark()
    assert spool.folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in spool.folder.iterdir()} == {0o600}


def test_no_more_is_taken_than_allowed_and_nothing_of_what_is_refused_is_read(tmp_path: Path) -> None:
    spool = opened(tmp_path, max_bytes=500, segment_bytes=200)
    accepted = []
    for value in values(50):
        try:
            put(spool, value)
            accepted.append(value)
        except TransientError:
            pass
    assert 0 < len(accepted) < 50
    assert sum(path.stat().st_size for path in tmp_path.glob("*.seg")) <= 500
    assert taken(spool) == accepted
    spool.mark()
    put(spool, b"again")
    assert taken(spool) == [b"again"]


@pytest.mark.parametrize("broken", ["pwrite", "sync"])
def test_what_a_full_disk_cut_short_is_neither_accepted_nor_in_the_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    spool = opened(tmp_path, segment_bytes=MANY)
    put(spool, b"before")

    def half_then_full(file: int, content: memoryview, offset: int) -> int:
        os.lseek(file, offset, os.SEEK_SET)
        os.write(file, bytes(content[: len(content) // 2]))
        raise OSError(errno.ENOSPC, "No space left on device")

    def failing_sync(_file: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patched:
        if broken == "pwrite":
            patched.setattr(os, "pwrite", half_then_full)
        else:
            patched.setattr(spool_module, "_sync", failing_sync)
        with pytest.raises(TransientError, match="cannot be written"):
            put(spool, b"refused")
    put(spool, b"after")
    assert taken(spool) == [b"before", b"after"]
    assert spool.damaged_bytes == spool.torn_bytes == 0


def test_released_segments_go_and_the_others_stay(tmp_path: Path) -> None:
    spool = opened(tmp_path)
    put(spool, b"first")
    before = spool.roll()
    put(spool, b"second")
    assert spool.is_ahead(before)
    taken(spool)
    assert not spool.is_ahead(before)
    spool.release(before)
    spool.rewind()
    assert taken(spool) == [b"second"]


def test_depth_and_age_are_of_what_is_not_read(tmp_path: Path) -> None:
    now = [1000.0]
    spool = Spool(tmp_path, MANY, 10, clock=lambda: now[0])
    spool.open()
    assert (spool.depth_bytes, spool.oldest_s) == (0, 0.0)
    put(spool, b"first")
    now[0] += 60
    put(spool, b"second")
    assert spool.oldest_s == 60.0
    batch = spool.read(1)
    spool.advance(batch.end)
    assert 0 < spool.depth_bytes < spool.used_bytes
    taken(spool)
    assert (spool.depth_bytes, spool.oldest_s) == (0, 0.0)


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.integers(1, 4)),
        st.tuples(st.just("ship"), st.integers(1, 300)),
        st.tuples(st.just("mark"), st.just(0)),
        st.tuples(st.just("roll"), st.just(0)),
        st.tuples(st.just("crash"), st.integers(0, 60)),
    ),
    max_size=40,
)


@given(STEPS)
def test_whatever_happens_in_between_everything_accepted_is_shipped_in_order(steps: list[tuple[str, int]]) -> None:
    """A crash loses the position since the last mark, and leaves the beginning of a write that nobody was told of."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        spool, accepted, shipped, of_earlier = opened(folder), 0, list[bytes](), set[Path]()
        for step, size in [*steps, ("crash", 7), ("ship", MANY)]:
            if step == "put":
                put(spool, *values(size, accepted))
                accepted += size
            elif step == "ship":
                batch = spool.read(size)
                shipped += [entry.value for entry in batch.entries]
                spool.advance(batch.end)
            elif step == "mark":
                spool.mark()
            elif step == "roll":
                spool.roll()
            else:
                spool.close()
                for path in sorted(set(folder.glob("*.seg")) - of_earlier)[-1:]:  # a file of this process
                    torn = b"".join(frames(topics.EVENTS, [(b"p/w", b"torn" * 20)]))
                    path.write_bytes(path.read_bytes() + torn[:size])
                of_earlier = set(folder.glob("*.seg"))
                spool = opened(folder)
        shipped += taken(spool)
        spool.close()
        first = list(dict.fromkeys(reversed(shipped)))[::-1]
        assert first == values(accepted)
        assert spool.damaged_bytes == 0
