"""An open page: looks again and again, and sends what changed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from deploy.board.choice import Choice
from deploy.board.controls import controls
from deploy.board.drawing.drawing import Drawing, Mark
from deploy.board.look import Look, Seen, title
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
BUSY_S = 1.0
_LIVE_S = 5
_SHARE = 5
"""A panel that takes long is asked more rarely: it has the store for at most a fifth of the time."""
AWAY = tag(
    "p", "The store does not answer. What you see is what it said last; this page goes on by itself.", class_="away"
)

Message = dict[str, Any]
Send = Callable[[Message], Awaitable[None]]


def base_pace_s(choice: Choice, panel: Panel) -> float:
    """Figures and tables of a live dashboard every second, its charts as often as it says; others once a minute."""
    refresh_s = choice.dashboard.refresh_s
    if is_live(choice) and isinstance(panel.visual, (Stat, Table)):
        return SOONEST_S
    return float(refresh_s or SLOW_S)


def is_live(choice: Choice) -> bool:
    """Whether it is looked at while things happen."""
    return 0 < choice.dashboard.refresh_s <= _LIVE_S


def pace_s(base_s: float, took_s: float) -> float:
    """When to look again after an answer that took so long."""
    return min(max(base_s, took_s * _SHARE), max(base_s, SLOW_S))


@dataclass(slots=True)
class _Turn:
    """When a panel is next looked at, and what was sent of it."""

    at_s: float = 0.0
    sent: tuple[Html, Any] | None = None


@dataclass(slots=True)
class Watch:
    """One page's look at its choice.

    Attributes:
        look: asks and draws.
        sent: parts of the page by element id, as the page has them.
    """

    look: Look
    sent: dict[str, Html] = field(default_factory=dict)
    _turns: dict[str, _Turn] = field(default_factory=dict)
    _options: Options | None = None
    _is_empty: bool = False
    _options_at_s: float = 0.0

    async def run(self, send: Send) -> None:
        """Until cancelled, or `send` fails because the page was closed."""
        while True:
            try:
                await self._once(send)
                await self._send_parts(send, {"notice": notice(self._is_empty)})
            except Busy:
                await asyncio.sleep(SOONEST_S)
            except TransientError:
                await self._send_parts(send, {"notice": AWAY})
                await asyncio.sleep(SOONEST_S)
            await asyncio.sleep(max(0.05, self._next_s() - _now_s()))

    async def _once(self, send: Send) -> None:
        options = await self._current_options(send)
        due = [panel for panel in self._panels if self._turn(panel).at_s <= _now_s()]
        looking = {asyncio.create_task(self._seen(panel, options)): panel for panel in due}
        try:
            async for panel, seen in _as_they_come(looking):
                if seen is not None:
                    await self._send_panel(send, panel, seen.drawing)
                took_s = BUSY_S if seen is None else seen.took_s
                self._turn(panel).at_s = _now_s() + pace_s(self._base_s(panel), took_s)
        finally:
            for task in looking:
                task.cancel()
        if due:
            await send({"looked": self.look.now.isoformat(timespec="seconds"), "every": self._every()})

    async def _seen(self, panel: Panel, options: Options) -> Seen | None:
        """None: the store had no time for it."""
        try:
            return await self.look.panel(panel, options, self._base_s(panel) * 0.9)
        except Busy:
            return None

    def _base_s(self, panel: Panel) -> float:
        usual_s = base_pace_s(self.look.choice, panel)
        return min(usual_s, EMPTY_S) if self._is_empty else usual_s

    async def _current_options(self, send: Send) -> Options:
        """Asked again now and then: new processes, sites and roles can be chosen without a reload."""
        if self._options is not None and _now_s() < self._options_at_s:
            return self._options
        usual_s = float(self.look.choice.dashboard.refresh_s or SLOW_S)
        every_s = min(usual_s, EMPTY_S) if self._is_empty else usual_s
        options = await self.look.options(every_s * 0.9)
        marks = await self.look.marks(options, every_s * 0.9)
        self._is_empty = await self.look.is_empty(SOONEST_S)
        if self._options is not None and options.chosen != self._options.chosen:
            for turn in self._turns.values():
                turn.at_s = 0.0
        self._options, self._options_at_s = options, _now_s() + every_s
        await self._send_parts(send, self._parts(options, marks))
        return options

    def _parts(self, options: Options, marks: list[Mark]) -> dict[str, Html]:
        titles = {part_ids(panel)[0]: text(title(panel, options)) for panel in self._panels if "$" in panel.title}
        choice = self.look.choice
        return {
            "controls": controls(choice, options),
            "period": period(choice, self.look.time_range, marks),
            **titles,
        }

    async def _send_panel(self, send: Send, panel: Panel, drawing: Drawing) -> None:
        drawn, turn = body(panel, drawing), self._turn(panel)
        if turn.sent == (drawn, drawing.chart):
            return
        turn.sent = (drawn, drawing.chart)
        await send({"parts": {part_ids(panel)[1]: drawn}, "charts": {panel.key: drawing.chart}})

    async def _send_parts(self, send: Send, parts: dict[str, Html]) -> None:
        changed = {name: part for name, part in parts.items() if self.sent.get(name) != part}
        if changed:
            self.sent |= changed
            await send({"parts": changed})

    def _every(self) -> str:
        choice = self.look.choice
        usual_s = SOONEST_S if is_live(choice) else choice.dashboard.refresh_s or SLOW_S
        seconds = min(usual_s, EMPTY_S) if self._is_empty else usual_s
        return "every second" if seconds == 1 else f"every {seconds:.0f} s"

    @property
    def _panels(self) -> list[Panel]:
        return list(self.look.choice.dashboard.panels())

    def _turn(self, panel: Panel) -> _Turn:
        return self._turns.setdefault(panel.key, _Turn())

    def _next_s(self) -> float:
        return min([self._options_at_s, *(turn.at_s for turn in self._turns.values())])


def notice(is_empty: bool) -> Html:
    """What the whole page has to say before any panel does."""
    return tag("p", prose(EMPTY), class_="empty") if is_empty else Html("")


async def _as_they_come(looking: dict[asyncio.Task[Seen | None], Panel]) -> AsyncIterator[tuple[Panel, Seen | None]]:
    left = set(looking)
    while left:
        done, left = await asyncio.wait(left, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            yield looking[task], task.result()


def _now_s() -> float:
    return asyncio.get_running_loop().time()
