"""The board's HTTP server: pages, what scripts and styles they need, and a websocket for each open page."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import AsyncIterator, Iterable, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import aiohttp
from aiohttp import WSMsgType, web
from aiohttp.typedefs import Handler

from deploy.board.address import Address
from deploy.board.admission import Admission
from deploy.board.answers import Answers
from deploy.board.choice import Choice, choice_of
from deploy.board.drawing.drawing import Drawing, Mark
from deploy.board.look import Clock, Look, wall_clock
from deploy.board.markup import Html
from deploy.board.page import page, period
from deploy.board.store import Busy, Store
from deploy.board.variables import Options
from deploy.board.watch import AWAY, SLOW_S, Message, Send, Watch, connection_lost, notice
from deploy.dashboards.catalogue import BOARD
from deploy.dashboards.dashboard import Dashboard
from schemas.errors import ConfigError, TransientError
from sinks.clickhouse.settings import ClickHouseSettings

OPTIONS_WITHIN_S = 0.5
PANELS_WITHIN_S = 0.3
_STATIC = Path(__file__).parent / "static"
_MOST_WATCHING = 200
_ANSWERS = web.AppKey("answers", Answers)
log = logging.getLogger("tieline.board")


@cache
def echarts_folder() -> Path:
    """Where NiceGUI's wheel has ECharts; the package itself is not imported.

    Raises: ConfigError: it is not where it was.
    """
    found = find_spec("nicegui")
    folder = Path(next(iter((found.submodule_search_locations if found else None) or [""])))
    scripts = folder / "elements" / "echart" / "dist"
    if not (scripts / "index.js").is_file():
        raise ConfigError("the package nicegui, which carries the chart library, is missing or of another version")
    return scripts


class Board:
    """The pages of some dashboards over one store."""

    def __init__(
        self,
        settings: ClickHouseSettings,
        address: Address,
        dashboards: Sequence[Dashboard] = BOARD,
        clock: Clock = wall_clock,
    ) -> None:
        self._settings, self._clock = settings, clock
        self._dashboards = {dashboard.key: dashboard for dashboard in dashboards}
        self._admission = Admission(address)
        self._assets = _assets()
        self._watching: set[web.WebSocketResponse] = set()

    def app(self) -> web.Application:
        app = web.Application(middlewares=[self._admission.middleware], client_max_size=64 * 1024)
        app.cleanup_ctx.append(self._answers)
        app.on_shutdown.append(self._close_all)
        app.router.add_get("/", self._start)
        app.router.add_get("/health", _health)
        app.router.add_get("/login", self._admission.login_page)
        app.router.add_post("/login", self._admission.login_page)
        app.router.add_get("/d/{key}", self._page)
        app.router.add_get("/live/{key}", self._live)
        app.router.add_get("/assets/{version}/{name}", _asset(_STATIC))
        app.router.add_get("/assets/{name}", _asset(_STATIC))
        app.router.add_get("/echarts/{version}/{name}", _asset(echarts_folder()))
        return app

    async def _answers(self, app: web.Application) -> AsyncIterator[None]:
        async with aiohttp.ClientSession() as session:
            app[_ANSWERS] = Answers(Store(self._settings, session))
            yield
            await app[_ANSWERS].close()

    async def _start(self, request: web.Request) -> web.StreamResponse:
        first = next(iter(self._dashboards.values()))
        raise web.HTTPFound(choice_of(first, request.query.items()).link)

    async def _page(self, request: web.Request) -> web.StreamResponse:
        look = self._look(request)
        choice, drawings, marks = look.choice, dict[str, Drawing](), list[Mark]()
        options, said = Options(), Html("")
        try:
            async with asyncio.timeout(OPTIONS_WITHIN_S):
                options = await look.options(SLOW_S if not choice.dashboard.refresh_s else choice.dashboard.refresh_s)
                marks = await look.marks(options, SLOW_S)
                said = notice(await look.is_empty(1.0))
            drawings = await _drawn_within(look, options, PANELS_WITHIN_S)
        except (Busy, TimeoutError):
            pass  # the page comes without figures and fills when the store has answered
        except TransientError:
            said = AWAY
        written = page(
            choice,
            list(self._dashboards.values()),
            options,
            drawings,
            {"notice": said, "period": period(choice, look.time_range, marks)},
            self._assets,
            _theme(request),
        )
        return web.Response(text=written, content_type="text/html", headers={"Vary": "Cookie"})

    async def _live(self, request: web.Request) -> web.StreamResponse:
        watching = self._watching
        if len(watching) >= _MOST_WATCHING:
            raise web.HTTPServiceUnavailable(text="Too many pages are open.\n")
        look = self._look(request)
        socket = web.WebSocketResponse(heartbeat=20.0, max_msg_size=1024)
        await socket.prepare(request)
        watching.add(socket)
        watch = asyncio.create_task(Watch(look, _sender(socket)).run())
        watch.add_done_callback(_report)
        try:
            async for message in socket:
                if message.type is not WSMsgType.TEXT:
                    break
        finally:
            watching.discard(socket)
            watch.cancel()
            await asyncio.gather(watch, return_exceptions=True)
        return socket

    async def _close_all(self, _: web.Application) -> None:
        await asyncio.gather(*(socket.close() for socket in list(self._watching)), return_exceptions=True)

    def _look(self, request: web.Request) -> Look:
        found = self._dashboards.get(request.match_info["key"])
        if found is None:
            raise web.HTTPNotFound(text="There is no such dashboard.\n")
        choice: Choice = choice_of(found, request.query.items())
        return Look(request.app[_ANSWERS], choice, self._clock)


async def _drawn_within(look: Look, options: Options, within_s: float) -> dict[str, Drawing]:
    """The panels that are quick; the others follow over the websocket, whose question finds them under way."""
    asked = {
        panel.key: asyncio.create_task(
            look.panel(panel, options, SLOW_S if not look.choice.dashboard.refresh_s else 1.0)
        )
        for panel in look.choice.dashboard.panels()
    }
    await asyncio.wait(asked.values(), timeout=within_s)
    drawings: dict[str, Drawing] = {}
    for key, task in asked.items():
        if not task.done():
            task.cancel()
        elif not task.cancelled() and task.exception() is None:
            drawings[key] = task.result().drawing
    return drawings


def _sender(socket: web.WebSocketResponse) -> Send:
    async def send(message: Message) -> None:
        await socket.send_json(message)

    return send


def _report(task: asyncio.Task[None]) -> None:
    """A page's look that broke is our mistake: it is logged, and the page asks again."""
    if not task.cancelled() and (error := task.exception()) is not None and not connection_lost(error):
        log.error("a page's look ended", exc_info=error)


def _theme(request: web.Request) -> str:
    chosen = request.cookies.get("theme", "")
    return chosen if chosen in ("light", "dark") else ""


async def _health(_: web.Request) -> web.StreamResponse:
    return web.Response(text="ok\n")


def _asset(folder: Path) -> Handler:
    names = {path.name for path in folder.iterdir() if path.suffix in (".js", ".css", ".svg")}

    async def send(request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        if name not in names:
            raise web.HTTPNotFound
        kept = "public, max-age=31536000, immutable" if "version" in request.match_info else "no-cache"
        response = web.FileResponse(folder / name, headers={"Cache-Control": kept})
        response.enable_compression()
        return response

    return send


def _assets() -> dict[str, str]:
    """Addresses that change with the content, so that browsers may keep what is behind them."""
    own = _version(_STATIC / name for name in ("board.css", "board.js", "icon.svg"))
    charts = _version([echarts_folder() / "index.js"])
    return {
        "style": f"/assets/{own}/board.css",
        "script": f"/assets/{own}/board.js",
        "icon": f"/assets/{own}/icon.svg",
        "echarts": f"/echarts/{charts}/index.js",
    }


def _version(paths: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
