"""Supervised children: order, restart, complete end, also when the supervisor is killed."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import psutil
import pytest

from deploy.embedded.child import ChildSpec
from deploy.embedded.instance import free_port, prepare
from deploy.embedded.store import answers_ping, store_spec
from deploy.embedded.supervisor import ChildFailed, State, Supervisor, Transition
from deploy.embedded.tansu import answers_kafka, tansu_spec
from schemas.errors import ConfigError

SLEEPER = "import time, deploy.embedded.parent as p; p.watch_parent(); print('up', flush=True); time.sleep(600)"
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"
)

SUPERVISED = """
import asyncio, json, sys
from pathlib import Path
from deploy.embedded.store import store_spec
from deploy.embedded.supervisor import State, Supervisor
from deploy.embedded.tansu import tansu_spec

folder, broker, store = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
ready = set()

def report(transition):
    if transition.state is State.READY:
        ready.add(transition.name)
    if len(ready) == 2:
        print(json.dumps(supervisor.pids), flush=True)

supervisor = Supervisor([tansu_spec(broker), store_spec(folder, store)], folder / "logs", report=report)
asyncio.run(supervisor.run())
"""


def python(name: str, code: str, **more: object) -> ChildSpec:
    return ChildSpec(name, (sys.executable, "-c", code), **more)  # type: ignore[arg-type]


def log_says(folder: Path, name: str, text: str) -> Callable[[], Awaitable[bool]]:
    async def ready() -> bool:
        return text in (folder / f"{name}.log").read_text()

    return ready


def sleeper(folder: Path, name: str, **more: object) -> ChildSpec:
    return python(name, SLEEPER, ready=log_says(folder, name, "up"), **more)


async def until(condition: Callable[[], bool], patience_s: float = 15.0) -> None:
    async with asyncio.timeout(patience_s):
        while not condition():  # noqa: ASYNC110 - what is waited for happens in other processes
            await asyncio.sleep(0.02)


def gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


async def test_children_start_after_those_they_need_and_stop_before_them(tmp_path: Path) -> None:
    seen: list[Transition] = []
    specs = [
        sleeper(tmp_path, "app", after=("store", "broker")),
        sleeper(tmp_path, "store"),
        sleeper(tmp_path, "broker"),
    ]
    supervisor = Supervisor(specs, tmp_path, report=seen.append)
    running = asyncio.create_task(supervisor.run())
    await until(lambda: [t.name for t in seen if t.state is State.READY][-1:] == ["app"])
    pids = supervisor.pids
    supervisor.request_stop()
    await running
    order = [(t.name, t.state) for t in seen]
    assert order.index(("app", State.STARTING)) > order.index(("store", State.READY))
    assert order.index(("app", State.STARTING)) > order.index(("broker", State.READY))
    assert order.index(("app", State.STOPPED)) < order.index(("store", State.STOPPING))
    assert len(pids) == 3
    assert all(gone(pid) for pid in pids.values())


async def test_a_crashed_child_is_started_again(tmp_path: Path) -> None:
    seen: list[Transition] = []
    supervisor = Supervisor([sleeper(tmp_path, "app")], tmp_path, report=seen.append)
    running = asyncio.create_task(supervisor.run())
    await until(lambda: State.READY in [t.state for t in seen])
    first = supervisor.pids["app"]
    os.kill(first, signal.SIGKILL)
    await until(lambda: [t.state for t in seen].count(State.READY) == 2)
    assert supervisor.pids["app"] != first
    supervisor.request_stop()
    await running


async def test_the_end_of_a_child_without_restart_takes_the_set_through_the_restore_path(tmp_path: Path) -> None:
    ready: list[str] = []
    restored: list[tuple[str, dict[str, int]]] = []

    async def restore(name: str) -> None:
        restored.append((name, supervisor.pids))

    def report(transition: Transition) -> None:
        if transition.state is State.READY:
            ready.append(transition.name)

    specs = [sleeper(tmp_path, "broker", restart=False), sleeper(tmp_path, "app", after=("broker",))]
    supervisor = Supervisor(specs, tmp_path, report=report, on_fatal=restore)
    running = asyncio.create_task(supervisor.run())
    await until(lambda: ready == ["broker", "app"])
    before = supervisor.pids
    os.kill(before["broker"], signal.SIGKILL)
    await until(lambda: ready == ["broker", "app"] * 2)
    assert restored == [("broker", {})]
    assert not set(before.values()) & set(supervisor.pids.values())
    supervisor.request_stop()
    await running


async def test_without_a_restore_path_the_failure_is_raised(tmp_path: Path) -> None:
    supervisor = Supervisor([sleeper(tmp_path, "broker", restart=False)], tmp_path)
    running = asyncio.create_task(supervisor.run())
    await until(lambda: "broker" in supervisor.pids)
    await until(lambda: "up" in (tmp_path / "broker.log").read_text())
    await asyncio.sleep(0.1)
    os.kill(supervisor.pids["broker"], signal.SIGKILL)
    with pytest.raises(ChildFailed, match="broker"):
        await running


async def test_a_child_that_does_not_get_ready_takes_the_others_with_it(tmp_path: Path) -> None:
    async def never() -> bool:
        return False

    seen: list[Transition] = []
    broken = python("broken", "raise SystemExit('no such thing')", ready=never)
    supervisor = Supervisor([sleeper(tmp_path, "store"), broken], tmp_path, report=seen.append)
    with pytest.raises(ChildFailed, match=r"broken ended before it was ready; see .*broken\.log"):
        await supervisor.run()
    assert "no such thing" in (tmp_path / "broken.log").read_text()
    assert all(gone(t.pid) for t in seen if t.pid)


async def test_a_child_that_ignores_the_request_to_stop_is_killed(tmp_path: Path) -> None:
    spec = python("stubborn", STUBBORN, ready=log_says(tmp_path, "stubborn", "up"), stop_timeout_s=0.3)
    supervisor = Supervisor([spec], tmp_path)
    await supervisor.start()
    pid = supervisor.pids["stubborn"]
    await supervisor.stop()
    assert gone(pid)


async def test_stopping_while_starting_leaves_nothing(tmp_path: Path) -> None:
    async def never() -> bool:
        return False

    seen: list[Transition] = []
    supervisor = Supervisor([python("slow", SLEEPER, ready=never)], tmp_path, report=seen.append)
    running = asyncio.create_task(supervisor.run())
    await until(lambda: bool(seen))
    supervisor.request_stop()
    await running
    assert gone(seen[0].pid or 0)


def test_children_in_a_circle_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="a, b"):
        Supervisor([python("a", "", after=("b",)), python("b", "", after=("a",))], tmp_path)


def test_logs_are_bounded(tmp_path: Path) -> None:
    chatty = (
        "import sys\nfor n in range(200): sys.stdout.write('x' * 65536)\nprint('end', flush=True)\nsys.stdin.read()"
    )

    async def ended() -> bool:
        return (tmp_path / "chatty.log").read_bytes().endswith(b"end\n")

    async def run() -> None:
        supervisor = Supervisor([python("chatty", chatty, ready=ended)], tmp_path)
        await supervisor.start()
        await supervisor.stop()

    asyncio.run(run())
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) < 9 * 1024 * 1024


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_nothing_outlives_the_supervisor(tmp_path: Path, number: int) -> None:
    folder = prepare(tmp_path / "data")
    broker, store = free_port(), free_port()
    process = subprocess.Popen(
        [sys.executable, "-c", SUPERVISED, str(folder), str(broker), str(store)], stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    pids: dict[str, int] = json.loads(process.stdout.readline())
    assert set(pids) == {"broker", "store"}
    assert asyncio.run(answers_ping("127.0.0.1", store))
    assert asyncio.run(answers_kafka("127.0.0.1", broker))
    process.send_signal(number)
    assert process.wait(timeout=20) == (0 if number != signal.SIGKILL else -signal.SIGKILL)
    patience = time.monotonic() + 10
    while time.monotonic() < patience and not all(gone(pid) for pid in pids.values()):
        time.sleep(0.05)
    assert all(gone(pid) for pid in pids.values())


STAYING = "import sys; from deploy.embedded.run_with_parent import _stay; _stay([sys.executable, '-c', sys.argv[1]])"
UP = "print('up', flush=True); import time; time.sleep(600)"


@pytest.mark.parametrize("command", [("-c", SLEEPER), ("-c", STAYING, UP)])
def test_the_end_of_the_pipe_alone_ends_a_child(command: tuple[str, ...]) -> None:
    """What holds where the kernel sends no signal at a parent's death."""
    process = subprocess.Popen(
        [sys.executable, *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "TIELINE_PARENT": str(os.getpid())},
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stdout.readline() == b"up\n"
    family = [process.pid, *(child.pid for child in psutil.Process(process.pid).children())]
    process.stdin.close()
    process.wait(timeout=10)
    assert all(gone(pid) for pid in family)


async def test_a_killed_store_is_back_on_its_port(tmp_path: Path) -> None:
    folder = prepare(tmp_path / "data")
    port = free_port()
    ready: list[str] = []
    supervisor = Supervisor(
        [store_spec(folder, port)],
        folder / "logs",
        report=lambda t: ready.append(t.name) if t.state is State.READY else None,
    )
    running = asyncio.create_task(supervisor.run())
    await until(lambda: len(ready) == 1, 30)
    os.kill(supervisor.pids["store"], signal.SIGKILL)
    await until(lambda: len(ready) == 2, 30)
    assert await answers_ping("127.0.0.1", port)
    supervisor.request_stop()
    await running


async def test_the_broker_is_ready_when_it_answers(tmp_path: Path) -> None:
    port = free_port()
    assert not await answers_kafka("127.0.0.1", port)
    supervisor = Supervisor([tansu_spec(port)], tmp_path)
    await supervisor.start()
    assert await answers_kafka("127.0.0.1", port)
    await supervisor.stop()
    assert not await answers_kafka("127.0.0.1", port)
