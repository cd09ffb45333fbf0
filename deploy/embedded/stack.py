"""The embedded default as one thing: broker, store, the apps, the board and the gateway, in one data folder."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path

import aiohttp

from deploy.embedded.child import ChildSpec
from deploy.embedded.store import store_spec
from deploy.embedded.tansu import tansu_spec

BOARD, GATEWAY = "board", "gateway"
SERVICES = ("broker", "store", BOARD, GATEWAY)
APPS = ("infer", "sink", "signals")
READY_SUFFIX = ".ready"


def stack(
    folder: Path,
    ports: dict[str, int],
    policies: Sequence[Path],
    passwords: dict[str, str],
    prepare: Callable[[], Awaitable[None]],
    as_of: str = "",
) -> list[ChildSpec]:
    """The children, in order of starting.

    Args:
        prepare: awaited once the broker and the store answer and before an app starts, at every start of the set.
        as_of: a pinned clock for the apps; empty: the real one.
    """
    store = store_spec(folder, ports["store"])
    ready = partial(_prepared, store.ready, prepare)
    env = {
        "TIELINE_BROKER": f"127.0.0.1:{ports['broker']}",
        "TIELINE_CLICKHOUSE_URL": f"http://127.0.0.1:{ports['store']}",
        "TIELINE_CLICKHOUSE_USER": "tieline",
        "TIELINE_CLICKHOUSE_PASSWORD": passwords["tieline"],
        "TIELINE_POLICIES": os.pathsep.join(map(str, policies)),
        "TIELINE_AS_OF": as_of,
        "TIELINE_DATA": str(folder),
        "TIELINE_METRICS": "",  # one address cannot be listened on three times
    }
    return [
        tansu_spec(ports["broker"]),
        ChildSpec(
            name=store.name,
            argv=store.argv,
            env=store.env,
            ready=ready,
            ready_timeout_s=600.0,
            stop_timeout_s=store.stop_timeout_s,
            after=("broker",),
        ),
        *(_app(name, folder, env) for name in APPS),
        _board(ports, passwords["reader"]),
        _gateway(ports, env),
    ]


async def _prepared(answers: Callable[[], Awaitable[bool]], prepare: Callable[[], Awaitable[None]]) -> bool:
    if not await answers():
        return False
    await prepare()
    return True


def _app(name: str, folder: Path, env: dict[str, str]) -> ChildSpec:
    mark = folder / f"{name}{READY_SUFFIX}"
    mark.unlink(missing_ok=True)
    return ChildSpec(
        name=name,
        argv=(sys.executable, "-m", "deploy.cli", "worker", name, "--embedded", "--ready-file", str(mark)),
        env=env,
        ready=partial(_exists, mark),
        ready_timeout_s=120.0,
        stop_timeout_s=10.0,  # longer only where the broker is gone, and then waiting helps nobody
        after=("store",),
    )


def _board(ports: dict[str, int], reader_password: str) -> ChildSpec:
    """It gets the reader's password and no other: what it does not have it cannot give away."""
    return ChildSpec(
        name=BOARD,
        argv=(sys.executable, "-m", "deploy.cli", "board", "--port", str(ports[BOARD])),
        env={
            "TIELINE_CLICKHOUSE_URL": f"http://127.0.0.1:{ports['store']}",
            "TIELINE_CLICKHOUSE_USER": "reader",
            "TIELINE_CLICKHOUSE_PASSWORD": reader_password,
            "TIELINE_CLICKHOUSE_PASSWORD_FILE": "",
            "TIELINE_BOARD_TOKEN": "",
        },
        ready=partial(_answers, f"http://127.0.0.1:{ports[BOARD]}/health"),
        ready_timeout_s=60.0,
        stop_timeout_s=5.0,
        # After nothing: it waits for the store by itself, and takes its port before somebody else does.
    )


def _gateway(ports: dict[str, int], env: dict[str, str]) -> ChildSpec:
    """After the topics are there and what was open is back: a broker would make topics of another shape by itself.

    It needs no store, and gets no password of it.
    """
    needed = ("TIELINE_BROKER", "TIELINE_POLICIES", "TIELINE_DATA")
    return ChildSpec(
        name=GATEWAY,
        argv=(sys.executable, "-m", "deploy.cli", GATEWAY, "--port", str(ports[GATEWAY]), "--embedded"),
        env={name: env[name] for name in needed} | {"TIELINE_CLICKHOUSE_PASSWORD": ""},
        ready=partial(_answers, f"http://127.0.0.1:{ports[GATEWAY]}/health/ready"),
        ready_timeout_s=60.0,
        stop_timeout_s=15.0,
        after=("store",),
    )


async def _answers(url: str) -> bool:
    timeout = aiohttp.ClientTimeout(total=2.0)
    async with aiohttp.ClientSession(timeout=timeout) as session, session.get(url) as response:
        return response.status == 200


async def _exists(path: Path) -> bool:
    return await asyncio.to_thread(path.exists)
