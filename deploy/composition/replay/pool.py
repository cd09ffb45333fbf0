"""Workers side by side: chunks out, news in. A worker that dies ends the replay; what it had written stays."""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Protocol

from deploy.composition.replay.worker import Ended, Failed, Job, Passed, Ready, Said, Written, error_of, work
from schemas.errors import TielineError
from streams.replay.process import Tally
from streams.replay.source import Chunk

_LOOK_EVERY_S = 0.5
_END_WITHIN_S = 5.0


class News(Protocol):
    """Who wants to know how it goes."""

    def passed(self, events: int) -> None:
        """So many more events have gone through the fold."""

    def written(self, chunk: Chunk, tally: Tally) -> None:
        """All rows of a chunk are in the store."""

    def alive(self) -> None:
        """Called now and then. Raises: to stop everything."""


@dataclass(slots=True)
class _Worker:
    process: BaseProcess
    orders: Connection
    given: dict[str, Chunk] = field(default_factory=dict)
    done: bool = False


def run_workers(job: Job, chunks: Iterable[Chunk], workers: int, news: News) -> list[Ended]:
    """Fold all chunks; returns what each worker used.

    Raises: TielineError: a worker failed or died. Whatever happens, no worker is left.
    """
    waiting = deque(chunks)
    # Never fork: the parent has threads and connections.
    context = multiprocessing.get_context("spawn")
    crew: list[_Worker] = []
    try:
        for _ in range(max(1, min(workers, len(waiting)))):
            crew.append(_start(context, job))
        return _lead(crew, waiting, news)
    finally:
        _dismiss(crew)


def _start(context: multiprocessing.context.SpawnContext, job: Job) -> _Worker:
    ours, theirs = context.Pipe()
    process = context.Process(target=work, args=(job, theirs), name="tieline-replay", daemon=True)
    process.start()
    theirs.close()
    return _Worker(process, ours)


def _lead(crew: list[_Worker], waiting: deque[Chunk], news: News) -> list[Ended]:
    used: list[Ended] = []
    while busy := [worker for worker in crew if not worker.done]:
        news.alive()
        by_orders = {worker.orders: worker for worker in busy}
        for orders in wait(list(by_orders), _LOOK_EVERY_S):
            worker = by_orders[orders]  # type: ignore[index]  # what we waited for
            match _heard(worker):
                case Ready():
                    _give(worker, waiting)
                case Passed(events):
                    news.passed(events)
                case Written(chunk, tally):
                    news.written(worker.given.pop(chunk), tally)
                case Ended() as ended:
                    worker.done = True
                    used.append(ended)
                case Failed() as failed:
                    raise error_of(failed)
    return used


def _heard(worker: _Worker) -> Said:
    try:
        said: Said = worker.orders.recv()
    except (EOFError, ConnectionResetError):
        worker.process.join(_END_WITHIN_S)
        raise TielineError(f"a worker ended unexpectedly, exit code {worker.process.exitcode}") from None
    return said


def _give(worker: _Worker, waiting: deque[Chunk]) -> None:
    chunk = waiting.popleft() if waiting else None
    if chunk is not None:
        worker.given[chunk.id] = chunk
    worker.orders.send(chunk)


def _dismiss(crew: list[_Worker]) -> None:
    stops: tuple[Callable[[BaseProcess], None], ...] = (_leave, BaseProcess.terminate, BaseProcess.kill)
    for stop in stops:
        for worker in crew:
            if worker.process.is_alive():
                stop(worker.process)
        for worker in crew:
            worker.process.join(_END_WITHIN_S if stop is not _leave or worker.done else 0)
    for worker in crew:
        worker.orders.close()


def _leave(_process: BaseProcess) -> None:
    """Who is done ends by itself."""
