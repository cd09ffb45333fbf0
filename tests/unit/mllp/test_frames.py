"""MLLP's frames on a stream."""

from __future__ import annotations

import asyncio

import pytest

from streams.gateway.mllp.frames import BadFrame, FrameReader, framed


def frames(*chunks: bytes, ended: bool = True) -> FrameReader:
    """A reader of what has already arrived."""
    stream = asyncio.StreamReader()
    for chunk in chunks:
        stream.feed_data(chunk)
    if ended:
        stream.feed_eof()
    return FrameReader(stream, max_bytes=100, idle_s=9, frame_s=9)


async def all_of(reader: FrameReader) -> list[bytes]:
    found = []
    while (message := await reader.next()) is not None:
        found.append(message)
    return found


async def fault_of(reader: FrameReader) -> BadFrame:
    with pytest.raises(BadFrame) as bad:
        await all_of(reader)
    return bad.value


async def test_messages_come_one_after_the_other_however_the_bytes_are_cut() -> None:
    sent = framed(b"MSH|1") + framed(b"") + framed(b"MSH|\x1c|\x0b|\r2")
    expected = [b"MSH|1", b"", b"MSH|\x1c|\x0b|\r2"]
    assert await all_of(frames(sent)) == expected
    assert await all_of(frames(*(sent[i : i + 1] for i in range(len(sent))))) == expected


async def test_line_ends_between_messages_do_not_matter() -> None:
    assert await all_of(frames(b"\r\n" + framed(b"1") + b"\n\r" + framed(b"2") + b"\r\n")) == [b"1", b"2"]


async def test_message_may_be_as_large_as_the_limit_and_no_larger() -> None:
    assert await all_of(frames(framed(b"x" * 100))) == [b"x" * 100]
    bad = await fault_of(frames(framed(b"MSH|" + b"x" * 97)))
    assert bad.fault == "too_large"
    assert bad.head.startswith(b"MSH|x")


async def test_message_without_an_end_is_read_no_further_than_the_limit() -> None:
    bad = await fault_of(frames(b"\x0bMSH|", *[b"x" * 10] * 50, ended=False))
    assert (bad.fault, len(bad.head) <= 16 * 1024) == ("too_large", True)


@pytest.mark.parametrize("sent", [b"GET / HTTP/1.1\r\n\r\n", b"MSH|", b"\x16\x03\x01", framed(b"1") + b"x"])
async def test_what_is_not_mllp_ends_the_reading(sent: bytes) -> None:
    assert (await fault_of(frames(sent))).fault == "not_mllp"


async def test_message_that_breaks_off_is_none() -> None:
    assert (await fault_of(frames(b"\x0bMSH|\x1c"))).fault == "cut_off"


async def test_fault_does_not_repeat_what_was_sent() -> None:
    bad = await fault_of(frames(b"SURNAME^GIVEN"))
    assert "SURNAME" not in str(bad) + repr(bad)
