"""An open page: looks again and again, and sends what changed."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from typing import Any

from deploy.board.choice import Choice
from deploy.board.controls import controls
from deploy.board.drawing.drawing import Drawing
from deploy.board.look import Look, title
from deploy.board.markup import Html, prose, tag, text
from deploy.board.page import EMPTY, body, part_ids, period
from deploy.board.store import Busy
from deploy.board.variables import Options
from deploy.dashboards.panel import Panel, Stat, Table
from schemas.errors import TransientError

SOONEST_S = 1.0
"""How often what is open is looked at, while somebody looks and the store answers quickly."""
SLOW_S = 60.0
EMPTY_S = 5.0
_LIVE_S = 5
_SHARE = 5
"""A panel that takes long is asked more rarely: it has the store for at most a fifth of the time."""
AWAY = tag(
    "p", "The store does not answer. What you see is what it said last; this page goes on by itself.", class_="away"
)

Message = dict[str, Any]
Send = Callable[[Message], Awaitable[None]]


def is_live(choice: Choice) -> bool:
    """Whether it is looked at while things happen."""
    return 0 < choice.dashboard.refresh_s <= _LIVE_S


def base_pace_s(choice: Choice, panel: Panel) -> float:
    """Figures and tables of a live dashboard every second, its charts as often as it says; others once a minute."""
    if is_live(choice) and isinstance(panel.visual, (Stat, Table)):
        return SOONEST_S
    return float(choice.dashboard.refresh_s or SLOW_S)


def pace_s(base_s: float, took_s: float) -> float:
    """When to look again after an answer that took so long."""
    return min(max(base_s, took_s * _SHARE), max(base_s, SLOW_S))


def notice(is_empty: bool) -> Html:
    """What the whole page has to say before any panel does."""
    return tag("p", prose(EMPTY), class_="empty") if is_empty else Html("")


class Watch:
    """One page's look at its choice: each panel at its own pace, so that a slow one holds up no other.

    Args:
        send: sends a message to the page; it is never called twice at once.
    """

    def __init__(self, look: Look, send: Send) -> None:
        self._look, self._choice = look, look.choice
        self._panels = list(look.choice.dashboard.panels())
        self._to_page, self._sending = send, asyncio.Lock()
        self._sent: dict[str, Html] = {}
        self._options: Options | None = None
        self._is_empty = False
        self._changed = asyncio.Event()
        self._told_s = -math.inf

    async def run(self) -> None:
        """Until cancelled, or the page is closed. Raises: ConnectionError: it was closed."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._follow_options())
            for panel in self._panels:
                tasks.create_task(self._follow(panel))

    async def _follow(self, panel: Panel) -> None:
        """Look at one panel, again and again; sooner if another value was chosen for the page meanwhile."""
        sent: tuple[Html, Any] | None = None
        while True:
            changed, options = self._changed, self._options
            if options is None:
                await changed.wait()
                continue
            base_s = pause_s = self._sooner(base_pace_s(self._choice, panel))
            try:
                seen = await self._look.panel(panel, options, base_s * 0.9)
                pause_s = pace_s(base_s, seen.took_s)
                drawn = (body(panel, seen.drawing), seen.drawing.chart)
                if drawn != sent:
                    await self._send_panel(panel, seen.drawing)
                    sent = drawn
                await self._tell_when()
                await self._send_parts({"notice": notice(self._is_empty)})
            except Busy:
                pause_s = min(base_s, EMPTY_S)
            except TransientError:
                await self._send_parts({"notice": AWAY})
                pause_s = min(base_s, EMPTY_S)
            with suppress(TimeoutError):
                await asyncio.wait_for(changed.wait(), pause_s)

    async def _follow_options(self) -> None:
        """New processes, sites and roles can be chosen without a reload; says whether the store is empty or away."""
        while True:
            pause_s = self._sooner(float(self._choice.dashboard.refresh_s or SLOW_S))
            try:
                await self._look_at_options(pause_s * 0.9)
                await self._send_parts({"notice": notice(self._is_empty)})
                pause_s = self._sooner(pause_s)
            except Busy:
                pause_s = SOONEST_S
            except TransientError:
                await self._send_parts({"notice": AWAY})
                pause_s = SOONEST_S
            await asyncio.sleep(pause_s)

    async def _look_at_options(self, no_older_than_s: float) -> None:
        options = await self._look.options(no_older_than_s)
        marks = await self._look.marks(options, no_older_than_s)
        self._is_empty = await self._look.is_empty(SOONEST_S)
        titles = {part_ids(panel)[0]: text(title(panel, options)) for panel in self._panels if "$" in panel.title}
        told = period(self._choice, self._look.time_range, marks)
        await self._send_parts({"controls": controls(self._choice, options), "period": told, **titles})
        if self._options is None or options.chosen != self._options.chosen:
            self._options = options
            self._changed.set()
            self._changed = asyncio.Event()

    async def _tell_when(self) -> None:
        """At most once a second, however many panels were looked at."""
        now_s = asyncio.get_running_loop().time()
        if now_s - self._told_s >= SOONEST_S * 0.9:
            self._told_s = now_s
            await self._send({"looked": self._look.now.isoformat(timespec="seconds"), "every": self._every()})

    def _sooner(self, usual_s: float) -> float:
        """An empty page is looked at more often, so that it fills soon."""
        return min(usual_s, EMPTY_S) if self._is_empty else usual_s

    def _every(self) -> str:
        usual_s = SOONEST_S if is_live(self._choice) else float(self._choice.dashboard.refresh_s or SLOW_S)
        seconds = self._sooner(usual_s)
        return "every second" if seconds == 1 else f"every {seconds:.0f} s"

    async def _send_panel(self, panel: Panel, drawing: Drawing) -> None:
        parts = {part_ids(panel)[1]: body(panel, drawing)}
        await self._send({"parts": parts, "charts": {panel.key: drawing.chart}})

    async def _send_parts(self, parts: dict[str, Html]) -> None:
        changed = {name: part for name, part in parts.items() if self._sent.get(name) != part}
        if changed:
            self._sent |= changed
            await self._send({"parts": changed})

    async def _send(self, message: Message) -> None:
        async with self._sending:
            await self._to_page(message)


def connection_lost(error: BaseException) -> bool:
    """Whether a look ended only because its page was closed."""
    inside: Iterable[BaseException] = error.exceptions if isinstance(error, BaseExceptionGroup) else (error,)
    return all(isinstance(one, ConnectionError) for one in inside)
