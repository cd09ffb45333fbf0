"""Starts child processes in order, keeps them running, stops them in reverse, and leaves none behind."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from deploy.embedded.child import Child, ChildSpec
from deploy.embedded.logs import BoundedLog
from schemas.errors import ConfigError, TielineError

_FIRST_BACKOFF_S = 0.5
_LONGEST_BACKOFF_S = 15.0
_STEADY_AFTER_S = 60.0


class State(StrEnum):
    STARTING = "starting"
    READY = "ready"
    CRASHED = "crashed"
    STOPPING = "stopping"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Transition:
    """A child's new state, for a progress display; `detail` is short and free of secrets."""

    name: str
    state: State
    pid: int | None = None
    detail: str = ""


class ChildFailed(TielineError):  # noqa: N818 - what happened is the name
    """A child did not get ready, or ended and must not be restarted alone.

    Operator action: read the log file that the message names.
    """

    def __init__(self, name: str, reason: str, log: Path) -> None:
        super().__init__(f"{name} {reason}; see {log}")
        self.name = name
        self.log = log


Report = Callable[[Transition], None]
Restore = Callable[[str], Awaitable[None]]


class Supervisor:
    """A set of children.

    Args:
        specs: in any order; `after` decides.
        logs: folder for `NAME.log`.
        report: called at every transition, from the event loop.
        on_fatal: awaited with the name of a child that ended and has `restart=False` (the broker, whose log is gone).
            By then everything has been stopped, and is started again.
            Without it the failure is raised from `run`.
    """

    def __init__(
        self,
        specs: Sequence[ChildSpec],
        logs: Path,
        report: Report = lambda _: None,
        on_fatal: Restore | None = None,
    ) -> None:
        self._specs = _ordered(specs)
        self._logs = logs
        self._report = report
        self._on_fatal = on_fatal
        self._children: dict[str, Child] = {}
        self._files: dict[str, BoundedLog] = {}
        self._watching: dict[str, asyncio.Task[None]] = {}
        self._fatal: asyncio.Queue[ChildFailed] = asyncio.Queue()
        self._stopping = asyncio.Event()

    @property
    def pids(self) -> dict[str, int]:
        """Running children."""
        return {name: child.pid for name, child in self._children.items() if child.running}

    async def start(self) -> None:
        """Every child, each once those it comes after are ready; independent ones together.

        Raises: ChildFailed: one did not get ready; all others are stopped by then.
        """
        ready: dict[str, asyncio.Task[None]] = {}
        for spec in self._specs:
            before = [ready[name] for name in spec.after]
            ready[spec.name] = asyncio.create_task(self._bring_up_after(before, spec))
        try:
            await asyncio.gather(*ready.values())
        except BaseException:
            for task in ready.values():
                task.cancel()
            await asyncio.gather(*ready.values(), return_exceptions=True)
            await self.stop()
            raise
        for name in ready:
            self._watching[name] = asyncio.create_task(self._keep(self._spec(name)))

    async def run(self) -> None:
        """Start, then keep everything running until `request_stop`, SIGTERM or Ctrl-C; then stop everything.

        Raises: ChildFailed: as `start`, or a child that must not be restarted alone ended and there is no `on_fatal`.
        """
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            with suppress(NotImplementedError):
                loop.add_signal_handler(number, self.request_stop)
        try:
            await self._start_unless_stopped()
            while (failure := await self._next_failure()) is not None:
                await self.stop()
                if self._on_fatal is None:
                    raise failure
                await self._on_fatal(failure.name)
                await self._start_unless_stopped()
        finally:
            await self.stop()

    async def _start_unless_stopped(self) -> None:
        """Start, giving up as soon as a stop is asked for."""
        starting = asyncio.create_task(self.start())
        stopping = asyncio.create_task(self._stopping.wait())
        await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if starting.done():
            starting.result()
        else:
            starting.cancel()
            await asyncio.gather(starting, return_exceptions=True)

    def request_stop(self) -> None:
        self._stopping.set()

    async def stop_requested(self) -> None:
        """Return once a stop is asked for, by `request_stop` or a signal; stopping goes on meanwhile."""
        await self._stopping.wait()

    async def stop(self) -> None:
        """Everything, in reverse order of starting. Safe to call again."""
        watching, self._watching = self._watching, {}
        for task in watching.values():
            task.cancel()
        await asyncio.gather(*watching.values(), return_exceptions=True)
        for spec in reversed(self._specs):
            child = self._children.pop(spec.name, None)
            if child is not None:
                self._report(Transition(spec.name, State.STOPPING, child.pid))
                code = await child.stop()
                self._report(Transition(spec.name, State.STOPPED, detail=f"exit {code}"))
        files, self._files = self._files, {}
        for file in files.values():
            file.close()

    async def _next_failure(self) -> ChildFailed | None:
        stopping = asyncio.create_task(self._stopping.wait())
        failing = asyncio.create_task(self._fatal.get())
        done, _ = await asyncio.wait({stopping, failing}, return_when=asyncio.FIRST_COMPLETED)
        for task in (stopping, failing):
            task.cancel()
        return None if stopping in done else failing.result()

    async def _bring_up_after(self, before: Sequence[asyncio.Task[None]], spec: ChildSpec) -> None:
        await asyncio.gather(*(asyncio.shield(task) for task in before))
        await self._bring_up(spec)

    async def _bring_up(self, spec: ChildSpec) -> None:
        file = self._files.get(spec.name) or self._files.setdefault(
            spec.name, BoundedLog(self._logs / f"{spec.name}.log")
        )
        child = await Child.start(spec, file)
        self._children[spec.name] = child
        self._report(Transition(spec.name, State.STARTING, child.pid))
        try:
            async with asyncio.timeout(spec.ready_timeout_s):
                while not await _is_ready(spec):
                    if not child.running:
                        raise self._failure(spec, "ended before it was ready")
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise self._failure(spec, f"was not ready after {spec.ready_timeout_s:g} s") from None
        self._report(Transition(spec.name, State.READY, child.pid))

    async def _keep(self, spec: ChildSpec) -> None:
        """Wait for the child's end; start it again with growing pauses, or give the set up."""
        backoff_s = _FIRST_BACKOFF_S
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            code = await self._children[spec.name].wait()
            self._report(Transition(spec.name, State.CRASHED, detail=f"exit {code}"))
            if not spec.restart or code == ConfigError.exit_code:
                self._fatal.put_nowait(self._failure(spec, f"ended with {code}"))
                return
            if loop.time() - began > _STEADY_AFTER_S:
                backoff_s = _FIRST_BACKOFF_S
            while True:
                await asyncio.sleep(backoff_s)
                backoff_s = min(backoff_s * 2, _LONGEST_BACKOFF_S)
                try:
                    await self._bring_up(spec)
                    break
                except (ChildFailed, OSError) as error:
                    self._report(Transition(spec.name, State.CRASHED, detail=str(error)))
                    await self._children[spec.name].stop()

    def _failure(self, spec: ChildSpec, reason: str) -> ChildFailed:
        return ChildFailed(spec.name, reason, self._logs / f"{spec.name}.log")

    def _spec(self, name: str) -> ChildSpec:
        return next(spec for spec in self._specs if spec.name == name)


async def _is_ready(spec: ChildSpec) -> bool:
    try:
        return await spec.ready()
    except Exception:  # a probe that fails is a probe that says "not yet"; the timeout decides
        return False


def _ordered(specs: Sequence[ChildSpec]) -> list[ChildSpec]:
    """Every spec after those it names. Raises: ConfigError: a name is unknown, doubled, or in a circle."""
    waiting = list(specs)
    placed: dict[str, ChildSpec] = {}
    while waiting:
        free = [spec for spec in waiting if set(spec.after) <= placed.keys()]
        if not free or len({spec.name for spec in waiting} | placed.keys()) != len(waiting) + len(placed):
            raise ConfigError(f"children cannot be ordered: {', '.join(spec.name for spec in waiting)}")
        for spec in free:
            placed[spec.name] = replace(spec)
        waiting = [spec for spec in waiting if spec.name not in placed]
    return list(placed.values())
