"""Reading a request's body: bounded in bytes, in time and in what it unpacks to."""

from __future__ import annotations

import asyncio
import zlib

from starlette.requests import ClientDisconnect, Request

from streams.gateway.http.problems import Refused
from streams.gateway.limits import Guest

WITHIN_S = 30.0
_ACCEPTED = {"Accept-Encoding": "gzip, identity"}
_GZIP = 16 + zlib.MAX_WBITS


async def read_body(request: Request, most_bytes: int, guest: Guest, within_s: float = WITHIN_S) -> bytes:
    """The body as it was sent. Room is taken for what has come, not for what is announced: that costs a sender nothing.

    Raises: Refused: `too_large`, `slow_body`, `disconnected`. TooBusy: there is no room.
    """
    declared = request.headers.get("content-length", "")
    if declared.isascii() and declared.isdigit():
        _require_fits(int(declared[:20]), most_bytes)
    chunks: list[bytes] = []
    total = 0
    try:
        async with asyncio.timeout(within_s):
            async for chunk in request.stream():
                total += len(chunk)
                _require_fits(total, most_bytes)
                guest.grow(total)
                chunks.append(chunk)
    except TimeoutError:
        raise Refused("slow_body", headers={"Connection": "close"}) from None
    except ClientDisconnect:
        raise Refused("disconnected") from None
    return b"".join(chunks)


def unpacked(body: bytes, encoding: str, most_bytes: int, guest: Guest) -> bytes:
    """The body behind its Content-Encoding.

    Raises: Refused: `unsupported_encoding`, `bad_encoding`, `too_large`. TooBusy: there is no room.
    """
    named = encoding.strip().lower()
    if named in ("", "identity"):
        return body
    if named not in ("gzip", "x-gzip"):
        raise Refused("unsupported_encoding", headers=_ACCEPTED)
    unpacking = zlib.decompressobj(_GZIP)
    try:
        content = unpacking.decompress(body, most_bytes + 1)
    except zlib.error:
        raise Refused("bad_encoding") from None
    _require_fits(len(content), most_bytes)
    if not unpacking.eof or unpacking.unused_data:
        raise Refused("bad_encoding")
    guest.grow(len(body) + len(content))
    return content


def _require_fits(size: int, most_bytes: int) -> None:
    if size > most_bytes:
        raise Refused("too_large", limit_bytes=most_bytes, headers={"Connection": "close"})
