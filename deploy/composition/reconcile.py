"""The audit: what was streamed, beside what the archive says. It changes nothing.

Live goes on meanwhile, so what differs is looked at again before it counts: an event may have been archived whose rows
were still on their way.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, Protocol

from clickhouse_connect.driver.client import Client

from deploy.composition.replay.archive import ArchiveSource, keys_of
from deploy.composition.replay.replay import PATIENT_S
from schemas.policy import PolicyBook
from schemas.rows import Row
from schemas.vocabulary import EARLIEST, LATEST
from sinks.clickhouse.archive_reader import ENDLESS, KeyRange, Period, read_range
from sinks.clickhouse.migrate import require_current
from sinks.clickhouse.patience import patiently
from sinks.clickhouse.queries.stored_rows import ROW_TYPES, stored_processes, stored_rows, windows_unlike_evidence
from sinks.clickhouse.runs import LIVE
from sinks.clickhouse.settings import ClickHouseSettings, connect
from sinks.clickhouse.windows_sql import Window
from streams.replay.compare import Difference, ItemKey, by_key, differences
from streams.replay.fold import fold
from streams.replay.scope import Scope
from streams.replay.source import WorkItemEvents

LAG_S = 60.0
"""How far live may be behind with what a passing deadline changes."""
LOOKS = 3
_LOOK_AGAIN_AFTER_S = 3.0


class Shown(Protocol):
    """Who is shown how it goes."""

    def stage(self, what: str, total: int | None = None) -> None:
        """A new stage begins; `total` in events, where it is known."""

    def passed(self, events: int) -> None:
        """So many more events of this stage are done."""


class Reconciled(NamedTuple):
    """What was found.

    Attributes:
        events, work_items: of the archive, that were folded.
        rows: stored ones that were compared.
        windows: of ties, that are not what their evidence adds up to.
        unusable: archived payloads that are no events; the apps refuse them too.
    """

    events: int
    work_items: int
    rows: int
    differences: list[Difference]
    windows: list[Window]
    unusable: int


class Clock(Protocol):
    """What `live` takes for the present."""

    def __call__(self) -> datetime:
        """Aware UTC."""


def wall_clock() -> datetime:
    """The real one."""
    return datetime.now(UTC)


def reconcile(
    settings: ClickHouseSettings,
    policies: PolicyBook,
    shown: Shown,
    *,
    process: str = "",
    period: Period = ENDLESS,
    clock: Clock = wall_clock,
    lag_s: float = LAG_S,
    sleep: Callable[[float], None] = time.sleep,
) -> Reconciled:
    """Compare all rows of `live` whose episodes start in a period.

    Args:
        policies: those that the apps use.
        lag_s: see `LAG_S`; 0 with a clock that stands still.
    Raises: ConfigError: migrations are missing. TransientError: the store is away for too long.
    """
    client = connect(settings.model_copy(update={"request_timeout_s": PATIENT_S}))
    try:
        require_current(client)
        audit = _Audit(client, settings, policies, process, period, clock, lag_s)
        shown.stage("comparing rows", sum(events for _, events in audit.chunks))
        found = [difference for chunk in audit.chunks for difference in audit.of_chunk(chunk, shown)]
        for _ in range(LOOKS - 1):
            if found:
                shown.stage("looking again at what differs")
                sleep(_LOOK_AGAIN_AFTER_S)
                found = audit.again(found)
        shown.stage("comparing windows")
        windows = _lasting_windows(client, process, period, sleep)
        return Reconciled(audit.events, audit.work_items, audit.rows, found, windows, audit.unusable)
    finally:
        client.close()


class _Audit:
    def __init__(
        self,
        client: Client,
        settings: ClickHouseSettings,
        policies: PolicyBook,
        process: str,
        period: Period,
        clock: Clock,
        lag_s: float,
    ) -> None:
        self._client, self._policies, self._period, self._clock = client, policies, period, clock
        self._lag = timedelta(seconds=lag_s)
        self.events = self.work_items = self.rows = self.unusable = 0
        source = ArchiveSource(settings, process, period)
        chunks = list(source.chunks())
        # Rows of a process that the archive knows nothing of are extra.
        known = {keys_of(chunk.id).process for chunk in chunks}
        others = [name for name in stored_processes(client, LIVE) if name not in known and process in ("", name)]
        self.chunks = [(keys_of(chunk.id), chunk.events) for chunk in chunks]
        self.chunks += [(KeyRange(name), 0) for name in others]

    def of_chunk(self, chunk: tuple[KeyRange, int], shown: Shown) -> Iterator[Difference]:
        keys, events = chunk
        yield from self._compared(keys)
        shown.passed(events)

    def again(self, found: Iterable[Difference]) -> list[Difference]:
        """What still differs, of the work items that did."""
        items = sorted({(difference.process, difference.work_item) for difference in found})
        keys = (KeyRange(process, item, item + "\0") for process, item in items)
        return [difference for one in keys for difference in self._compared(one, first=False)]

    def _compared(self, keys: KeyRange, first: bool = True) -> Iterator[Difference]:
        start = self._clock()
        items = [
            WorkItemEvents(keys.process, subject, payloads)
            for subject, payloads in read_range(self._client, keys, self._period)
        ]
        stored = by_key(self._stored(keys))
        end = self._clock()
        before, after = self._said(items, start - self._lag, first), self._said(items, end, False)
        self.rows += len(stored) if first else 0
        yield from differences(stored, before, after)

    def _stored(self, keys: KeyRange) -> Iterator[Row]:
        for kind in ROW_TYPES:
            rows = patiently(lambda kind=kind: list(stored_rows(self._client, kind, LIVE, keys, self._period)))  # type: ignore[misc]
            yield from rows

    def _said(self, items: Iterable[WorkItemEvents], as_of: datetime, count: bool) -> dict[ItemKey, Row]:
        scope = Scope(LIVE, self._policies, as_of, self._period.from_at or EARLIEST, self._period.to_at or LATEST)
        said: dict[ItemKey, Row] = {}
        for item in items:
            folded = fold(item, scope)
            said.update({ItemKey(item.process, item.subject, key): row for key, row in folded.rows.items()})
            if count:
                self.events += folded.events
                self.work_items += folded.events > 0
                self.unusable += folded.unusable.total()
        return said


def _lasting_windows(client: Client, process: str, period: Period, sleep: Callable[[float], None]) -> list[Window]:
    """Windows that differ at every look; while evidence keeps coming, each is behind now and then."""
    found = set(_windows(client, process, period))
    for _ in range(LOOKS - 1):
        if found:
            sleep(_LOOK_AGAIN_AFTER_S)
            found &= set(_windows(client, process, period))
    return sorted(found)


def _windows(client: Client, process: str, period: Period) -> Iterator[Window]:
    first = period.from_at.date() if period.from_at else EARLIEST.date()
    last = period.to_at.date() if period.to_at else LATEST.date()
    for window in patiently(lambda: windows_unlike_evidence(client, LIVE, process)):
        if first <= window.period_start <= last:
            yield window
