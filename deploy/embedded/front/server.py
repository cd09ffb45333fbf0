"""The aiohttp server: ClickHouse's HTTP interface for one data folder."""

from __future__ import annotations

import asyncio
import logging
import os
import time
import traceback
from collections.abc import AsyncIterator
from ipaddress import ip_address
from pathlib import Path

from aiohttp import web

from deploy.embedded.front.accounts import Account, Accounts
from deploy.embedded.front.bodies import pieces
from deploy.embedded.front.engine import Counts, Engine
from deploy.embedded.front.errors import (
    AUTHENTICATION_FAILED,
    LOGICAL_ERROR,
    NOT_IMPLEMENTED,
    READONLY,
    REQUEST_TOO_LARGE,
    StoreError,
)
from deploy.embedded.front.guard import Guard, guard_of
from deploy.embedded.front.plan import Plan, plan_reader, plan_writer
from deploy.embedded.front.reply import Outcome, answered, inserted, refused
from deploy.embedded.front.request import Asked, credentials, read
from deploy.embedded.front.settings import reader_settings
from deploy.embedded.front.statement import InsertHead, insert_with_data
from deploy.embedded.front.work import STREAMED_FORMATS, Lanes, Workers
from schemas.errors import ConfigError

log = logging.getLogger("tieline.store")

MAX_SQL_BYTES = 4 * 1024 * 1024
READER_PATIENCE_S = 90.0  # execution is limited apart from this: a client that stops reading must free its lane
_LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]", "::1"})


def require_loopback(host: str) -> str:
    """Raises: ConfigError: an address that other machines can reach."""
    if host == "localhost":
        return host
    try:
        local = ip_address(host).is_loopback
    except ValueError:
        local = False
    if not local:
        raise ConfigError(
            f"the embedded store listens on loopback only, not on {host}: use a ClickHouse server instead"
        )
    return host


class Front:
    """Handlers over one engine. Nothing that it logs holds SQL, values or passwords."""

    def __init__(self, engine: Engine, accounts: Accounts, lanes: Lanes | None = None) -> None:
        self._engine = engine
        self._accounts = accounts
        self._guard: Guard = guard_of(engine)
        self._workers = Workers(engine, lanes or Lanes())
        self._started = time.monotonic()
        self.detached_parts: list[str] = []

    def application(self) -> web.Application:
        application = web.Application(client_max_size=MAX_SQL_BYTES)
        application.router.add_get("/ping", self._ping)
        application.router.add_get("/tieline/health", self._health)
        application.router.add_route("GET", "/", self._query)
        application.router.add_route("POST", "/", self._query)
        application.on_cleanup.append(self._cleanup)
        return application

    async def _cleanup(self, _: web.Application) -> None:
        await asyncio.to_thread(self._workers.close)

    async def _ping(self, _: web.Request) -> web.Response:
        return web.Response(text="Ok.\n")

    async def _health(self, _: web.Request) -> web.Response:
        return web.json_response(
            {
                "pid": os.getpid(),
                "uptime_s": round(time.monotonic() - self._started, 3),
                "detached_parts": self.detached_parts,
                "version": self._engine.version,
            }
        )

    async def _query(self, request: web.Request) -> web.StreamResponse:
        began = time.perf_counter()
        name, query_id = "", ""
        try:
            if request.headers.get("Host", "").rsplit(":", 1)[0].lower() not in _LOCAL_NAMES:
                raise StoreError.refusal(AUTHENTICATION_FAILED, "this store answers to loopback names only")
            if not request.query_string and request.method == "GET":
                return web.Response(text="Ok.\n")
            account = self._authenticated(request)
            name = account.name
            asked = await _asked(request)
            query_id = asked.query_id
            outcome = await self._answer(request, account, asked)
            _log(name, query_id, began, outcome.counts)
            return outcome.response
        except StoreError as error:
            log.info("refused user=%s query_id=%s code=%d", name or "?", query_id, error.code)
            return refused(error, self._engine.version, query_id)
        except (ConnectionError, web.HTTPException):
            raise
        except TimeoutError:
            log.warning("user=%s query_id=%s does not take its answer", name, query_id)
            if request.transport is not None:
                request.transport.abort()
            raise ConnectionResetError from None
        except Exception as error:
            log.error("failed user=%s query_id=%s %s", name or "?", query_id, _where(error))
            broken = StoreError.refusal(LOGICAL_ERROR, "the store failed; see its log")
            return refused(broken, self._engine.version, query_id)

    def _authenticated(self, request: web.Request) -> Account:
        user, password = credentials(request)
        account = self._accounts.authenticate(user, password)
        if account is None:
            shown = user if user.isalnum() and len(user) < 32 else "user"
            reason = f"{shown or 'default'}: Authentication failed: password is incorrect, or there is no such user."
            raise StoreError.refusal(AUTHENTICATION_FAILED, reason)
        return account

    async def _answer(self, request: web.Request, account: Account, asked: Asked) -> Outcome:
        body = _Body(request, b"" if _is_form(request) else None)
        head = await body.head(asked.query.encode())
        insert = insert_with_data(head)
        if insert is not None and not account.read_only and asked.writes_allowed:
            async with self._workers.writing.turn():
                return await self._insert(asked, insert, body)
        if insert is not None:
            raise StoreError.refusal(READONLY, f"{account.name}: Cannot execute query in readonly mode.")
        sql = await body.rest_of(head)
        if not account.read_only:
            async with self._workers.writing.turn():
                return await self._statement(request, account, asked, sql)
        async with self._workers.reading.turn(), asyncio.timeout(READER_PATIENCE_S):
            return await self._statement(request, account, asked, sql)

    async def _insert(self, asked: Asked, insert: InsertHead, body: _Body) -> Outcome:
        settings = dict(asked.settings)
        async with self._workers.handle(settings, asked.database) as handle:
            with self._engine.incoming_file() as file:
                file.write(insert.data)
                async for piece in body.more():
                    await self._workers.run(file.write, piece)
                file.flush()
                counts = await self._workers.run(handle.insert_file, insert, Path(file.name))
        return inserted(asked, counts)

    async def _statement(self, request: web.Request, account: Account, asked: Asked, sql: bytes) -> Outcome:
        if account.read_only or not asked.writes_allowed:
            settings = reader_settings(asked.settings) if account.read_only else {**asked.settings, "readonly": "2"}
        else:
            settings = dict(asked.settings)
        text = _decoded(sql)
        plan = await self._workers.run(self._plan, account, asked, text)
        async with self._workers.handle(settings, asked.database) as handle:
            streamed = plan.is_select and plan.output_format in STREAMED_FORMATS
            params = {**asked.params, **plan.params}
            answers = handle.stream if streamed else handle.whole
            stream = answers(plan.sql, plan.output_format, params)
            return await answered(request, asked, plan, self._workers.chunks(stream))

    def _plan(self, account: Account, asked: Asked, sql: str) -> Plan:
        if account.read_only:
            return plan_reader(self._guard, account, sql, asked.database or "default", asked.default_format)
        return plan_writer(self._engine, sql, asked.default_format)


class _Body:
    """The request's body: its first piece decides what it is, the rest may be large."""

    def __init__(self, request: web.Request, taken: bytes | None) -> None:
        self._pieces = pieces(request)
        self._taken = taken

    async def head(self, query: bytes) -> bytes:
        first = b"" if self._taken is not None else await anext(self._pieces, b"")
        return query + (b"\n" if query and first and not _ends_head(query) else b"") + first

    async def more(self) -> AsyncIterator[bytes]:
        if self._taken is None:
            async for piece in self._pieces:
                yield piece

    async def rest_of(self, head: bytes) -> bytes:
        """A statement whole. Raises: StoreError: longer than statements are."""
        whole = bytearray(head)
        async for piece in self.more():
            whole += piece
            if len(whole) > MAX_SQL_BYTES:
                raise StoreError.refusal(REQUEST_TOO_LARGE, f"a statement exceeds {MAX_SQL_BYTES} bytes")
        return bytes(whole)


def _ends_head(query: bytes) -> bool:
    return query[-1:] in b"\n"


async def _asked(request: web.Request) -> Asked:
    if not _is_form(request):
        return read(request)
    form = await request.post()
    if any(not isinstance(value, str) for value in form.values()):
        raise StoreError.refusal(NOT_IMPLEMENTED, "external tables are not supported by the embedded store")
    return read(request, {name: str(value) for name, value in form.items()})


def _is_form(request: web.Request) -> bool:
    return request.content_type in ("multipart/form-data",)


def _decoded(sql: bytes) -> str:
    try:
        return sql.decode()
    except UnicodeDecodeError:
        raise StoreError.refusal(READONLY, "a statement is UTF-8 text") from None


def _where(error: BaseException) -> str:
    """The kind of a failure and where it happened, without its text: that may hold values."""
    frames = traceback.extract_tb(error.__traceback__)[-3:]
    return " < ".join([type(error).__name__, *(f"{frame.name}:{frame.lineno}" for frame in reversed(frames))])


def _log(user: str, query_id: str, began: float, counts: Counts) -> None:
    log.debug(
        "answered user=%s query_id=%s ms=%.1f read_rows=%d written_rows=%d",
        user,
        query_id,
        (time.perf_counter() - began) * 1000,
        counts.read_rows,
        counts.written_rows,
    )
