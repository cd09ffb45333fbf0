"""Looking at a dashboard once: the values to choose from, and each panel's drawing."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from deploy.board.answers import Answers
from deploy.board.choice import Choice
from deploy.board.drawing.draw import draw, refused
from deploy.board.drawing.drawing import Drawing, Mark, Rows, Scene
from deploy.board.period import bounds
from deploy.board.store import Answer, Refused
from deploy.board.variables import Options, resolve
from deploy.dashboards.dashboard import ALL, Annotation
from deploy.dashboards.live import FRESHNESS, LIVE
from deploy.dashboards.macros import MacroError, TimeRange, expand
from deploy.dashboards.panel import Column, Panel

SLOW_STEP_S = 60
_POINTS = 400
_WALL_ROWS = 18
_MARK_COLUMNS = (
    Column("time", "time"),
    Column("timeEnd", "time", nullable=True),
    Column("title", "text"),
    Column("text", "text"),
)
_IN_TITLE = re.compile(r"\$\{?(\w+)\}?")
_COVERS = (("since", "until"), ("period_from", "period_to"))

Clock = Callable[[], datetime]


def wall_clock() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Seen:
    """A panel's drawing, and what asking for it took.

    Attributes:
        took_s: the slowest of its statements; decides how soon it is asked again.
    """

    drawing: Drawing
    took_s: float = 0.0


class Look:
    """One choice, looked at through the shared answers."""

    def __init__(self, answers: Answers, choice: Choice, clock: Clock = wall_clock) -> None:
        self.choice = choice
        self._answers, self._clock = answers, clock

    @property
    def now(self) -> datetime:
        return self._clock()

    @property
    def time_range(self) -> TimeRange:
        """The chosen period. It moves in steps, so that pages that look at the same thing ask the same question."""
        dashboard = self.choice.dashboard
        step_s = dashboard.refresh_s or SLOW_STEP_S
        now = datetime.fromtimestamp(self._clock().timestamp() // step_s * step_s, UTC)
        start, end = bounds(self.choice.first, self.choice.last, now, dashboard.time_from)
        return TimeRange(start, end, max(60.0, (end - start).total_seconds() / _POINTS))

    async def options(self, no_older_than_s: float) -> Options:
        """Raises: TransientError: the store is away."""

        async def ask(sql: str) -> Answer:
            return await self._answers.answer(sql, no_older_than_s)

        return await resolve(self.choice.dashboard.variables, self.choice, self.time_range, ask)

    async def is_empty(self, no_older_than_s: float) -> bool:
        """Whether no event has ever arrived; False where the store does not say.

        Raises: TransientError: the store is away.
        """
        everything = {variable.name: (ALL,) for variable in LIVE.variables}
        sql = expand(FRESHNESS.query.sql, self.time_range, LIVE.variables, everything)
        try:
            return not (await self._answers.answer(sql, no_older_than_s)).rows
        except Refused:
            return False

    async def panel(self, panel: Panel, options: Options, no_older_than_s: float) -> Seen:
        """Raises: TransientError: the store is away."""
        time_range = self.time_range
        try:
            statements = [self._expanded(query.sql, time_range, options) for query in panel.queries]
            answers = await asyncio.gather(*(self._answers.answer(sql, no_older_than_s) for sql in statements))
            rows = {
                query.ref: answer.typed(query.columns) for query, answer in zip(panel.queries, answers, strict=True)
            }
        except (Refused, MacroError) as error:
            return Seen(refused(str(error)))
        marks = await self._marks(time_range, options, no_older_than_s)
        named = replace(panel, title=title(panel, options))
        drawing = draw(named, rows, self._scene(time_range, marks))
        return Seen(replace(drawing, covers=_covered(rows)), max((answer.took_s for answer in answers), default=0.0))

    async def marks(self, options: Options, no_older_than_s: float) -> list[Mark]:
        """What the dashboard marks on time axes. Raises: TransientError: the store is away."""
        return await self._marks(self.time_range, options, no_older_than_s)

    async def _marks(self, time_range: TimeRange, options: Options, no_older_than_s: float) -> list[Mark]:
        marks: list[Mark] = []
        for annotation in self.choice.dashboard.annotations:
            marks += await self._marks_of(annotation, time_range, options, no_older_than_s)
        return marks

    async def _marks_of(
        self, annotation: Annotation, time_range: TimeRange, options: Options, no_older_than_s: float
    ) -> list[Mark]:
        try:
            sql = self._expanded(annotation.sql, time_range, options)
            rows = (await self._answers.answer(sql, no_older_than_s)).typed(_MARK_COLUMNS)
        except (Refused, MacroError):
            return []
        return [Mark(row["time"], row["timeEnd"], row["title"], row["text"]) for row in rows if row["time"]]

    def _expanded(self, sql: str, time_range: TimeRange, options: Options) -> str:
        return expand(sql, time_range, self.choice.dashboard.variables, options.chosen)

    def _scene(self, time_range: TimeRange, marks: Sequence[Mark]) -> Scene:
        names = {variable.name for variable in self.choice.dashboard.variables}
        return Scene(
            start=time_range.start,
            end=time_range.end,
            marks=marks,
            tie_link=self._tie_link if {"one_role", "other_role"} <= names else None,
            most_rows=_WALL_ROWS if self.choice.wall else 0,
        )

    def _tie_link(self, one: str, other: str) -> str:
        """To the place where this dashboard shows one tie."""
        shown = next((panel.key for panel in self.choice.dashboard.panels() if "$one_role" in panel.title), "")
        link = self.choice.with_values(one_role=one, other_role=other).link
        return f"{link}#panel-{shown}" if shown else link


def title(panel: Panel, options: Options) -> str:
    """With the chosen values in place of variables; `…` for what is not known yet."""
    return _IN_TITLE.sub(lambda found: options.label(found[1]) or "…", panel.title)


def _covered(rows: Mapping[str, Rows]) -> tuple[datetime, datetime] | None:
    """The whole periods that the figures are of, where the answer says so."""
    for first, last in _COVERS:
        starts: list[Any] = [row[first] for found in rows.values() for row in found if row.get(first)]
        ends: list[Any] = [row[last] for found in rows.values() for row in found if row.get(last)]
        if starts and ends:
            return min(starts), max(ends)
    return None
