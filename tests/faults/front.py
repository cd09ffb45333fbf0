"""A door in front of the store that does harm: shut, slow, full of errors, cut in mid-answer."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
import time
from collections import Counter
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from aiohttp import ClientError, ClientSession, ClientTimeout, web

from deploy.kafka.broker import free_port
from tests.brokers import Broker
from tests.faults.rig import Rig

SECONDS_ENV = "TIELINE_FAULT_SECONDS"
_SILENT = logging.getLogger("tests.faults.front")
_SILENT.disabled = True  # what happens here is meant
_TIMEOUT_S = 300.0
_MOST_BYTES = 256 * 1024 * 1024
_OURS = frozenset({"host", "content-length", "transfer-encoding", "content-encoding", "connection"})
_THEIRS = frozenset({"content-length", "transfer-encoding", "connection"})


@dataclass(frozen=True, slots=True)
class Fault:
    """What the door does to a request.

    Attributes:
        status: answered with this at once; 0: the request is passed on.
        code: ClickHouse's number of the error; 0: an answer of something else in between, without a number.
        delay_s: before anything else happens.
        cut: the connection ends within the answer, when the store has done what was asked.
        of_writes: inserts only; everything else is passed on.
        of_reads: everything but inserts.
    """

    name: str
    status: int = 0
    code: int = 0
    delay_s: float = 0.0
    cut: bool = False
    of_writes: bool = False
    of_reads: bool = False

    def befalls(self, write: bool) -> bool:
        """Whether it is meant for such a request."""
        return not (self.of_writes and not write) and not (self.of_reads and write)


OUT_OF_MEMORY = Fault("out of memory", status=500, code=241)
TOO_MANY_PARTS = Fault("too many parts", status=500, code=252, of_writes=True)
DISK_FULL = Fault("disk full", status=500, code=243, of_writes=True)
NO_SPACE_LEFT = Fault("no space left on device", status=500, code=75, of_writes=True)
READ_ONLY = Fault("read-only table", status=500, code=242, of_writes=True)
READ_ONLY_ACCOUNT = Fault("read-only account", status=403, code=164, of_writes=True)
TOO_MANY_QUERIES = Fault("too many queries", status=500, code=202)
BAD_GATEWAY = Fault("bad gateway", status=502)
UNAVAILABLE = Fault("unavailable", status=503)
CUT_WRITES = Fault("cut after the insert", cut=True, of_writes=True)
CUT_READS = Fault("cut in mid-answer", cut=True, of_reads=True)
SLOW = Fault("slow", delay_s=1.0)
STUCK = Fault("no answer", delay_s=125.0)
"""Longer than our client waits."""


class FaultyFront:
    """Passes requests on to the store at `behind`, but for what `fault` does to them.

    Attributes:
        port: where clients find it, open or shut.
        fault: what happens to requests that begin now; None: nothing.
        done: how many requests each fault has befallen, by its name.
    """

    def __init__(self, behind: int) -> None:
        self.behind, self.port = behind, free_port()
        self.fault: Fault | None = None
        self.done: Counter[str] = Counter()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._runner: web.AppRunner | None = None
        self._session: ClientSession | None = None

    def open(self) -> None:
        """Listen; from now on requests are answered."""
        if not self._thread.is_alive():
            self._thread.start()
        self._run(self._open())

    def shut(self) -> None:
        """Refuse connections, and end those there are in whatever they are doing."""
        self._run(self._shut())

    def close(self) -> None:
        """Shut for good."""
        if self._thread.is_alive():
            self.shut()
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(10)

    def wait_until_done(self, fault: Fault, timeout_s: float = 60.0) -> None:
        """Until it has befallen a request since `fault` was set last."""
        deadline_s, before = time.monotonic() + timeout_s, self.done[fault.name]
        while self.done[fault.name] == before:
            assert time.monotonic() < deadline_s, f"nobody came while there was: {fault.name}"
            time.sleep(0.05)

    def _run(self, work: Coroutine[None, None, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    async def _open(self) -> None:
        if self._runner is not None:
            return
        application = web.Application(client_max_size=_MOST_BYTES)
        application.router.add_route("*", "/{path:.*}", self._answer)
        self._session = ClientSession(auto_decompress=False, timeout=ClientTimeout(_TIMEOUT_S))
        self._runner = web.AppRunner(
            application, access_log=None, logger=_SILENT, shutdown_timeout=0.1, handler_cancellation=True
        )  # 0 would be: wait without end
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True).start()

    async def _shut(self) -> None:
        runner, self._runner = self._runner, None
        session, self._session = self._session, None
        if runner is not None:
            await runner.cleanup()
        if session is not None:
            await session.close()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        fault = self.fault
        if fault is None or not fault.befalls(_is_insert(request, body)):
            return await self._passed_on(request, body)
        self.done[fault.name] += 1
        await asyncio.sleep(fault.delay_s)
        if fault.status:
            return _refused(fault)
        answer = await self._passed_on(request, body)
        if fault.cut:
            await _cut(request, answer)
        return answer

    async def _passed_on(self, request: web.Request, body: bytes) -> web.Response:
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _OURS}
        url = f"http://127.0.0.1:{self.behind}{request.raw_path}"
        assert self._session is not None
        try:
            async with self._session.request(request.method, url, data=body, headers=headers) as answer:
                kept = {name: value for name, value in answer.headers.items() if name.lower() not in _THEIRS}
                return web.Response(status=answer.status, body=await answer.read(), headers=kept)
        except ClientError:
            _abort(request)
            raise ConnectionResetError from None


def _is_insert(request: web.Request, body: bytes) -> bool:
    text = request.query.get("query", "").encode() or body[:100]
    return text.lstrip()[:6].upper() == b"INSERT"


def _refused(fault: Fault) -> web.Response:
    if not fault.code:
        return web.Response(status=fault.status, text=f"<html><h1>{fault.status}</h1></html>", content_type="text/html")
    text = f"Code: {fault.code}. DB::Exception: {fault.name}. (FAULT) (version 26.9.1.1 (official build))\n"
    headers = {"X-ClickHouse-Exception-Code": str(fault.code)}
    return web.Response(status=fault.status, text=text, headers=headers)


async def _cut(request: web.Request, answer: web.Response) -> None:
    """Half of the answer, and then the end of the connection."""
    body = bytes(answer.body) if isinstance(answer.body, bytes) else b""
    begun = web.StreamResponse(status=answer.status, headers=answer.headers)
    begun.enable_chunked_encoding()
    await begun.prepare(request)
    await begun.write(body[: len(body) // 2] or b" ")
    _abort(request)
    raise ConnectionResetError


def _abort(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()


@contextmanager
def rig_behind_front(broker: Broker, folder: Path) -> Iterator[tuple[Rig, FaultyFront]]:
    """A started Tieline whose apps come to their store through a door that is open at first."""
    tieline = Rig(broker, folder)
    front = FaultyFront(tieline.port)
    tieline.app_env["TIELINE_CLICKHOUSE_URL"] = f"http://127.0.0.1:{front.port}"
    try:
        front.open()
        tieline.start()
        yield tieline, front
    finally:
        tieline.close()
        front.close()


def fault_seconds(default: float) -> float:
    """How long a fault lasts: `TIELINE_FAULT_SECONDS`, else `default`."""
    return float(os.environ.get(SECONDS_ENV) or default)
