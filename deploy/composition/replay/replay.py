"""One replay from its beginning to its end: find out what, fold, add up, write down what came of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import NamedTuple, Protocol

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from deploy.composition.replay.archive import ArchiveSource
from deploy.composition.replay.lease import Lease, wait_until_nobody_works_on
from deploy.composition.replay.pool import run_workers
from deploy.composition.replay.request import Request, RunExistsError, scope_of
from deploy.composition.replay.worker import NICENESS, Ended, Job
from schemas.errors import TielineError
from sinks.clickhouse.archive_reader import Period
from sinks.clickhouse.content_hash import Content, combined_hash, run_contents
from sinks.clickhouse.insert import insert_rows
from sinks.clickhouse.migrate import require_current
from sinks.clickhouse.patience import patiently
from sinks.clickhouse.records import RunRecord, process_records, process_row
from sinks.clickhouse.replay_writer import FLUSH_ROWS, aggregate, clear_range, processes_of
from sinks.clickhouse.runs import ChunkDone, chunks_done, find_run, half_deleted, write_chunk, write_run
from sinks.clickhouse.settings import ClickHouseSettings, connect
from streams.replay.process import Tally
from streams.replay.source import Chunk, Source

PATIENT_S = 3600
"""For statements over a whole run: adding up the windows of years takes minutes."""


class Watcher(Protocol):
    """Who is shown how it goes."""

    def stage(self, what: str, total: int | None = None) -> None:
        """A new stage begins; `total` in events, where it is known."""

    def passed(self, events: int) -> None:
        """So many more events of this stage are done."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How, not what: none of this changes a row.

    Attributes:
        max_rate: events per second of all workers together; 0: as fast as it goes.
        flush_rows: rows of an insert.
        niceness: how far workers give way to others.
    """

    workers: int = 1
    max_rate: float = 0.0
    flush_rows: int = FLUSH_ROWS
    niceness: int = NICENESS


class Replayed(NamedTuple):
    """What came of it.

    Attributes:
        tally: of this time; what an earlier time had written is only in the record.
        contents: of each table.
        workers: what each of them used.
    """

    record: RunRecord
    tally: Tally
    contents: dict[str, Content]
    workers: list[Ended]


def replay(
    settings: ClickHouseSettings,
    request: Request,
    source: Source,
    effort: Effort,
    watcher: Watcher,
    resume: bool = False,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Replayed:
    """Fold a source into a run of its own.

    Args:
        source: of the archive: for the whole archive; what the request says is added here.
        resume: continue the run of that name, if there is one.
    Raises: TielineError, KeyboardInterrupt: the run is marked as failed, and can be resumed.
    """
    request.check(now())
    client = connect(settings.model_copy(update={"request_timeout_s": PATIENT_S}))
    try:
        require_current(client)
        previous, record = _begin(client, request, source, resume, now(), watcher)
        lease = Lease(client, record, previous)
        try:
            return _Pass(client, settings, record, effort, watcher, lease, now).run(source, previous is not None)
        except BaseException:
            _mark_failed(client, record, lease)
            raise
    finally:
        client.close()


def _begin(
    client: Client, request: Request, source: Source, resume: bool, now: datetime, watcher: Watcher
) -> tuple[RunRecord | None, RunRecord]:
    """The record it had before, if it had begun, and the one it has now."""
    found = find_run(client, request.run)
    if found is None:
        if request.run in half_deleted(client):
            raise RunExistsError(f"run {request.run!r} is not wholly deleted yet; finish it with `tieline runs delete`")
        watcher.stage("looking for the newest event")
        return None, request.begun(source.name, _narrowed(source, request).latest_at(), now)
    if not resume:
        state = "is finished" if found.status == "finished" else "was begun and can be continued with --resume"
        raise RunExistsError(f"run {request.run!r} {state}; choose another name, or delete it first")
    record = request.continued(found, source.name, now)
    if found.status == "running":
        wait_until_nobody_works_on(
            client, request.run, lambda: watcher.stage("finding out whether another replay still works on it")
        )
    return found, record


def _narrowed(source: Source, request: Request) -> Source:
    """The archive needs not be read whole; other sources are filtered as they are folded."""
    return replace(source, process=request.process) if isinstance(source, ArchiveSource) else source


def _mark_failed(client: Client, record: RunRecord, lease: Lease) -> None:
    """So that nobody has to wait before it is resumed. Whoever took the name from us has the last word about it."""
    try:
        lease.close()
        write_run(client, record.model_copy(update={"status": "failed"}))
    except (TielineError, ClickHouseError, OSError):
        return  # what ended the replay is what counts


class _Pass:
    """The part that writes."""

    def __init__(
        self,
        client: Client,
        settings: ClickHouseSettings,
        record: RunRecord,
        effort: Effort,
        watcher: Watcher,
        lease: Lease,
        now: Callable[[], datetime],
    ) -> None:
        self._client, self._settings, self._record, self._effort = client, settings, record, effort
        self._watcher, self._lease, self._now = watcher, lease, now
        self._tally = Tally()

    def run(self, source: Source, begun: bool) -> Replayed:
        done = chunks_done(self._client, self._record.run)
        source, chunks = self._what_is_left(source, done)
        self._lease.settle()
        if begun:
            self._clear(source)
        events = sum(chunk.events for chunk in chunks)
        self._watcher.stage("replaying", events)
        workers = run_workers(self._job(source), chunks, self._effort.workers, self)
        return self._finish(workers)

    def passed(self, events: int) -> None:
        """See `News`."""
        self._watcher.passed(events)

    def written(self, chunk: Chunk, tally: Tally) -> None:
        """See `News`."""
        self._tally.add(tally)
        done = ChunkDone(tally.events, tally.work_items)
        patiently(lambda: write_chunk(self._client, self._record.run, chunk.id, done))

    def alive(self) -> None:
        """See `News`."""
        self._lease.check()

    def _what_is_left(self, source: Source, done: dict[str, ChunkDone]) -> tuple[Source, Sequence[Chunk]]:
        if isinstance(source, ArchiveSource):
            period = Period(self._record.from_at, self._record.to_at)
            process = self._record.processes[0] if self._record.processes else ""
            source = replace(source, process=process, period=period, done=tuple(done))
        return source, [chunk for chunk in source.chunks() if chunk.id not in done]

    def _clear(self, source: Source) -> None:
        """Rows that a killed replay has written of chunks that are not done: the archive may have grown since, and
        what is not said again must not stay. Files do not grow; a source that has changed says so."""
        if isinstance(source, ArchiveSource):
            self._watcher.stage("taking away what was written in part")
            for keys in source.left():
                patiently(partial(clear_range, self._client, self._record.run, keys))

    def _job(self, source: Source) -> Job:
        effort = self._effort
        rate = effort.max_rate / max(1, effort.workers)
        return Job(source, scope_of(self._record), self._settings, rate, effort.flush_rows, effort.niceness)

    def _finish(self, workers: list[Ended]) -> Replayed:
        self._watcher.stage("adding up")
        run, scope = self._record.run, scope_of(self._record)
        named = {name for policy in scope.policies.policies for name in policy.processes if name != "*"}
        wanted = {scope.process} if scope.process else named | set(processes_of(self._client, run))
        rows = [process_row(record) for record in process_records(scope.policies, run, wanted)]
        patiently(lambda: insert_rows(self._client, "processes", rows))
        patiently(lambda: aggregate(self._client, run))
        self._watcher.stage("computing the content hash")
        contents = patiently(lambda: run_contents(self._client, run))
        done = chunks_done(self._client, run).values()
        finished = {
            "status": "finished",
            "finished_at": self._now(),
            "events": sum(chunk.events for chunk in done),
            "work_items": sum(chunk.work_items for chunk in done),
            "content_hash": combined_hash(contents),
        }
        record = self._record.model_copy(update=finished)
        self._lease.close()
        patiently(lambda: write_run(self._client, record))
        return Replayed(record, self._tally, contents, workers)
