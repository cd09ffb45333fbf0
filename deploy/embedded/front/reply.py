"""Answers on the wire: headers as servers send them; short answers whole, long ones streamed, errors at any time."""

from __future__ import annotations

import json
import logging
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass

from aiohttp import web

from deploy.embedded.front import native
from deploy.embedded.front.bodies import Compressor, answer_encoding
from deploy.embedded.front.engine import Answer, Counts
from deploy.embedded.front.errors import StoreError
from deploy.embedded.front.plan import Plan
from deploy.embedded.front.request import Asked
from deploy.embedded.front.work import added

log = logging.getLogger("tieline.store")


@dataclass(frozen=True, slots=True)
class Outcome:
    response: web.StreamResponse
    counts: Counts


def inserted(asked: Asked, counts: Counts) -> Outcome:
    return Outcome(web.Response(headers=_headers(asked, None, counts)), counts)


async def answered(request: web.Request, asked: Asked, plan: Plan, chunks: AsyncIterator[Answer]) -> Outcome:
    """The first two chunks decide: a short answer goes out whole with its counts, a long one streams.

    Raises: StoreError: the statement fails before anything has been sent.
    """
    first = await anext(chunks, None)
    second = await anext(chunks, None) if first is not None else None
    counts = first.counts if first is not None else Counts()
    chosen = answer_encoding(request.headers.get("Accept-Encoding", ""), asked.compress)
    revision = asked.protocol if plan.output_format == "Native" else 0
    headers = _headers(asked, plan.output_format if plan.returns_rows else None, counts)
    data = native.upgraded(first.body, revision) if first is not None else b""
    if second is None:
        if chosen and data:
            headers["Content-Encoding"] = chosen[0]
            data = chosen[1].compress(data) + chosen[1].flush()
        return Outcome(web.Response(body=data, headers=headers), counts)
    if chosen:
        headers["Content-Encoding"] = chosen[0]
    headers["X-ClickHouse-Exception-Tag"] = tag = secrets.token_hex(8)
    stream = _Stream(request, headers, chosen[1] if chosen else None)
    await stream.write(data)
    counts = added(counts, second.counts)
    await stream.write(native.upgraded(second.body, revision))
    try:
        async for answer in chunks:
            counts = added(counts, answer.counts)
            await stream.write(native.upgraded(answer.body, revision))
    except StoreError as error:
        log.info("failed in mid-answer query_id=%s code=%d", asked.query_id, error.code)
        await stream.write(_late_error(error, tag))
    return Outcome(await stream.end(), counts)


def refused(error: StoreError, version: str, query_id: str) -> web.Response:
    """The error as a server words it: code in a header, text with the version in the body."""
    headers = {"X-ClickHouse-Exception-Code": str(error.code), "X-ClickHouse-Timezone": "UTC"}
    if query_id:
        headers["X-ClickHouse-Query-Id"] = query_id
    text = str(error).rstrip()
    if "(version " not in text[-40:]:
        text += f" (version {version} (official build))"
    return web.Response(status=error.http_status, text=text + "\n", headers=headers)


class _Stream:
    def __init__(self, request: web.Request, headers: dict[str, str], packer: Compressor | None) -> None:
        self._request = request
        self._response = web.StreamResponse(headers=headers)
        self._packer = packer

    async def write(self, data: bytes) -> None:
        if not self._response.prepared:
            await self._response.prepare(self._request)
        packed = self._packer.compress(data) if self._packer is not None else data
        if packed:
            await self._response.write(packed)

    async def end(self) -> web.StreamResponse:
        if self._packer is not None:
            await self._response.write(self._packer.flush())
        await self._response.write_eof()
        return self._response


def _headers(asked: Asked, output_format: str | None, counts: Counts) -> dict[str, str]:
    summary = {
        "read_rows": str(counts.read_rows),
        "read_bytes": str(counts.read_bytes),
        "written_rows": str(counts.written_rows),
        "written_bytes": str(counts.written_bytes),
        "total_rows_to_read": "0",
        "result_rows": str(counts.result_rows or counts.written_rows),
        "result_bytes": "0",
    }
    headers = {
        "X-ClickHouse-Query-Id": asked.query_id,
        "X-ClickHouse-Server-Display-Name": "tieline",
        "X-ClickHouse-Timezone": "UTC",
        "X-ClickHouse-Summary": json.dumps(summary, separators=(",", ":")),
        "Content-Type": "text/plain; charset=UTF-8" if output_format is None else "application/octet-stream",
    }
    return headers if output_format is None else headers | {"X-ClickHouse-Format": output_format}


def _late_error(error: StoreError, tag: str) -> bytes:
    """An error after the headers have gone, marked as servers do since 25.11."""
    message = str(error).rstrip() + "\n"
    return f"\r\n__exception__\r\n{tag}\r\n{message}{len(message)} {tag}\r\n__exception__\r\n".encode()
