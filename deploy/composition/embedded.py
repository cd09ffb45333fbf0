"""Running the embedded default: hold the folder, start everything, bring back what was open, stop everything."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path

from deploy.composition.drain import drained
from deploy.composition.feed import Spool
from deploy.composition.restore import Restored, restore
from deploy.composition.target import Target, target_of
from deploy.embedded.instance import Instance, announce, announced, choose_ports, hold, prepare
from deploy.embedded.stack import APPS, BOARD, GATEWAY, SERVICES, stack
from deploy.embedded.supervisor import Report, State, Supervisor, Transition
from schemas.errors import TransientError
from sinks.clickhouse.audiences import write_grants
from sinks.clickhouse.migrate import migrate
from sinks.clickhouse.settings import connect
from streams.apps.topic_admin import create_topics
from streams.transport.producer import BatchProducer

Beside = Callable[[Target], Awaitable[None]]


class Embedded:
    """One run of the embedded default in a data folder.

    Args:
        policies: policy files for the apps.
        report: told of every child's new state.
        beside: runs once everything is ready; when it returns, everything stops. None: run until stopped.
        as_of: a pinned clock; empty: the real one.
    """

    def __init__(
        self,
        folder: Path,
        policies: Sequence[Path],
        report: Report = lambda _: None,
        beside: Beside | None = None,
        as_of: str = "",
    ) -> None:
        self.folder = prepare(folder)
        self.restored = Restored(0, 0, 0)
        self._policies, self._report, self._beside, self._as_of = policies, report, beside, as_of
        self._ready = asyncio.Event()
        self._waiting: set[str] = {*APPS, BOARD, GATEWAY}
        self._failure: Exception | None = None
        self._spools: list[Spool] = []
        self._instance: Instance | None = None

    async def run(self) -> None:
        """Until Ctrl-C, SIGTERM, or `beside` returns.

        Raises: ConfigError: the folder is in use, or the store is of another version. ChildFailed: see its log.
        """
        with hold(self.folder, "tieline"):
            ports = choose_ports(self.folder, SERVICES)
            instance = Instance(self.folder, os.getpid(), ports)
            specs = stack(
                self.folder, ports, self._policies, instance.passwords, self._prepare_once(instance), self._as_of
            )
            supervisor = self._supervisor = Supervisor(specs, self.folder / "logs", self._on_state, self._start_over)
            self._instance = instance
            with announced(instance):
                await self._run(supervisor, instance)
        if self._failure is not None:
            raise self._failure

    async def _run(self, supervisor: Supervisor, instance: Instance) -> None:
        running = asyncio.create_task(supervisor.run())
        ready = asyncio.create_task(self._ready.wait())
        await asyncio.wait({running, ready}, return_when=asyncio.FIRST_COMPLETED)
        ready.cancel()
        if not running.done():
            target = target_of(instance)
            clearing = asyncio.create_task(self._clear_spools(target))
            if self._beside is not None:
                await self._run_beside(self._beside, running, target)
            await running
            clearing.cancel()
            await asyncio.gather(clearing, return_exceptions=True)
        await running

    async def _clear_spools(self, target: Target) -> None:
        """Spools of feeds that died were sent again at start; once the store has that, they go."""
        spools = self._spools
        if not spools:
            return
        async with BatchProducer(target.broker) as producer:
            await drained(target.broker, producer)
        for spool in spools:
            await asyncio.to_thread(spool.remove)

    async def _run_beside(self, beside: Beside, running: asyncio.Task[None], target: Target) -> None:
        task = asyncio.create_task(_awaited(beside(target)))
        stopping = asyncio.create_task(self._supervisor.stop_requested())
        await asyncio.wait({running, stopping, task}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if task.done():
            self._supervisor.request_stop()
            self._failure = None if task.cancelled() else self._error_of(task)
        else:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    @staticmethod
    def _error_of(task: asyncio.Task[None]) -> Exception | None:
        error = task.exception()
        return error if isinstance(error, Exception) else None

    def _on_state(self, transition: Transition) -> None:
        if transition.state is State.READY:
            self._waiting.discard(transition.name)
            if not self._waiting:
                self._ready.set()
                self._announce()
        self._report(transition)

    def _announce(self) -> None:
        """Process ids change when a child is started again."""
        if self._instance is not None:
            self._instance = replace(self._instance, pids=self._supervisor.pids)
            announce(self._instance)

    async def _start_over(self, _name: str) -> None:
        """The broker ended, and its log with it: everything starts again and is restored from the archive."""
        self._waiting = {*APPS, BOARD, GATEWAY}

    def _prepare_once(self, instance: Instance) -> Callable[[], Awaitable[None]]:
        async def prepare_stack() -> None:
            try:
                await self._prepare(instance)
            except TransientError:
                raise  # asked again
            except Exception as error:
                self._failure = error
                self._supervisor.request_stop()

        return prepare_stack

    async def _prepare(self, instance: Instance) -> None:
        """Tables, topics, and what was open before; only a fresh broker is filled."""
        target = target_of(instance)
        client = await asyncio.to_thread(connect, target.clickhouse)
        try:
            await asyncio.to_thread(migrate, client)
            write_grants(self.folder / "grants.json", target.clickhouse.database)
            if await asyncio.to_thread(create_topics, target.broker):
                self._spools = await asyncio.to_thread(Spool.left_in, self.folder)
                self.restored = await restore(client, target.broker, self._spools)
        finally:
            client.close()


async def _awaited(work: Awaitable[None]) -> None:
    await work
