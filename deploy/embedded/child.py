"""One supervised child process: how it is started, when it is ready, how it is stopped."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from deploy.embedded.logs import BoundedLog
from deploy.embedded.parent import PARENT_VARIABLE


async def _at_once() -> bool:
    return True


@dataclass(frozen=True)
class ChildSpec:
    """What to run.

    Attributes:
        argv: the program and its arguments. A Python child calls `watch_parent()`; any other program is wrapped as
            `python -m deploy.embedded.run_with_parent PROGRAM …`.
        env: added to the supervisor's own environment.
        ready: asked again and again until it says True; errors count as not yet.
        after: names of children that must be ready before this one starts.
        restart: whether a crash is repaired by starting this child again; else the whole set is given up.
    """

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    ready: Callable[[], Awaitable[bool]] = _at_once
    ready_timeout_s: float = 30.0
    stop_timeout_s: float = 10.0
    restart: bool = True
    after: tuple[str, ...] = ()


class Child:
    """A running process of one spec, its output going to a bounded log."""

    def __init__(self, spec: ChildSpec, process: asyncio.subprocess.Process, copying: asyncio.Task[None]) -> None:
        self.spec = spec
        self._process = process
        self._copying = copying

    @classmethod
    async def start(cls, spec: ChildSpec, log: BoundedLog) -> Child:
        """Raises: OSError: the program cannot be started."""
        process = await asyncio.create_subprocess_exec(
            *spec.argv,
            env={**os.environ, **spec.env, PARENT_VARIABLE: str(os.getpid()), "PYTHONUNBUFFERED": "1"},
            stdin=asyncio.subprocess.PIPE,  # held open and never written: its end tells the child that we are gone
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=sys.platform != "win32",  # Ctrl-C is for the supervisor, which stops children in order
        )
        return cls(spec, process, asyncio.create_task(_copy(process, log)))

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process.returncode is None

    async def wait(self) -> int:
        """The exit code; negative: the signal that ended it."""
        return await self._process.wait()

    async def stop(self) -> int:
        """SIGTERM, then SIGKILL after the spec's timeout. Returns the exit code."""
        if self.running:
            with suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGTERM)
            try:
                await asyncio.wait_for(self._process.wait(), self.spec.stop_timeout_s)
            except TimeoutError:
                with suppress(ProcessLookupError):
                    self._process.kill()
        code = await self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._copying, 2.0)
        return code


async def _copy(process: asyncio.subprocess.Process, log: BoundedLog) -> None:
    if process.stdout is None:
        return
    while chunk := await process.stdout.read(65_536):
        log.write(chunk)
    log.flush()
