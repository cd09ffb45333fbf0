"""Bodies on the wire: what clients send compressed, and how answers are compressed for them."""

from __future__ import annotations

import sys
import zlib
from collections.abc import AsyncIterator, Callable
from typing import Any, Protocol

import lz4.frame
from aiohttp import ClientPayloadError, web
from aiohttp.http_exceptions import HttpProcessingError

from deploy.embedded.front.errors import INCORRECT_DATA, NOT_IMPLEMENTED, REQUEST_TOO_LARGE, StoreError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

PIECE_BYTES = 1024 * 1024
MAX_BODY_BYTES = 256 * 1024 * 1024
_DONE_BY_AIOHTTP = ("", "identity", "gzip", "deflate", "zstd")


class Compressor(Protocol):
    def compress(self, data: bytes) -> bytes: ...

    def flush(self) -> bytes: ...


class _Lz4:
    def __init__(self) -> None:
        self._frame: Any = lz4.frame.LZ4FrameCompressor()
        self._begun = False

    def compress(self, data: bytes) -> bytes:
        head = b"" if self._begun else bytes(self._frame.begin())
        self._begun = True
        return head + bytes(self._frame.compress(data))

    def flush(self) -> bytes:
        head = b"" if self._begun else bytes(self._frame.begin())
        return head + bytes(self._frame.flush())


_COMPRESSORS: dict[str, Callable[[], Compressor]] = {
    "lz4": _Lz4,
    "zstd": lambda: zstd.ZstdCompressor(level=1),
    "gzip": lambda: zlib.compressobj(level=1, wbits=31),
    "deflate": lambda: zlib.compressobj(level=1, wbits=15),
}


def answer_encoding(accept: str, enabled: bool) -> tuple[str, Compressor] | None:
    """The first encoding of `Accept-Encoding` that we have, if the client enabled compression."""
    if not enabled:
        return None
    for offered in accept.split(","):
        name = offered.split(";")[0].strip().lower()
        if name in _COMPRESSORS:
            return name, _COMPRESSORS[name]()
    return None


async def pieces(request: web.Request, limit: int = MAX_BODY_BYTES) -> AsyncIterator[bytes]:
    """The body, decompressed, in pieces of about 1 MiB; never holds more than a few of them.

    Raises: StoreError: unknown encoding, broken data, or more than `limit` bytes after decompression.
    """
    encoding = request.headers.get("Content-Encoding", "").lower()
    if encoding not in (*_DONE_BY_AIOHTTP, "lz4"):
        raise StoreError.refusal(NOT_IMPLEMENTED, f"Content-Encoding {encoding[:20]!r} is not known here")
    unpack: Any = lz4.frame.LZ4FrameDecompressor() if encoding == "lz4" else None
    total = 0
    held = bytearray()
    async for chunk in _received(request):
        held += _unpacked(unpack, chunk, limit) if unpack is not None else chunk
        if total + len(held) > limit:
            raise StoreError.refusal(REQUEST_TOO_LARGE, f"the body exceeds {limit} bytes")
        if len(held) >= PIECE_BYTES:
            total += len(held)
            yield bytes(held)
            held.clear()
    if unpack is not None and not unpack.eof and (total or held):
        raise StoreError.refusal(INCORRECT_DATA, "the body ends in the middle of an lz4 frame")
    if held:
        yield bytes(held)


async def _received(request: web.Request) -> AsyncIterator[bytes]:
    try:
        async for chunk in request.content.iter_any():
            yield chunk
    except (HttpProcessingError, ClientPayloadError, web.RequestPayloadError):
        raise StoreError.refusal(INCORRECT_DATA, "the body cannot be decompressed, or was cut short") from None


def _unpacked(unpack: Any, chunk: bytes, limit: int) -> bytes:
    """lz4 clients send one frame per block: a new frame may start inside a chunk."""
    out = bytearray()
    try:
        while chunk:
            if unpack.eof:
                unpack.reset()
            out += unpack.decompress(chunk)
            chunk = unpack.unused_data or b"" if unpack.eof else b""
            if len(out) > limit:
                break
    except RuntimeError:
        raise StoreError.refusal(INCORRECT_DATA, "the body is not a valid lz4 frame") from None
    return bytes(out)
