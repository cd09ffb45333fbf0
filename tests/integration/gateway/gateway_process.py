"""A gateway in a process of its own, to be killed at will."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from deploy.composition.durable import embedded_spool
from deploy.composition.gateway import SPOOL_FOLDER
from deploy.embedded.instance import free_port
from streams.gateway.actors import ActorKey
from streams.gateway.tokens import TOKENS_FILE, TokenFile, utc_now

KEY = ActorKey("test", bytes(range(32)))
ROOT = Path(__file__).parents[3]
_READY_TIMEOUT_S = 30.0
_REPLAYED_TIMEOUT_S = 60.0


class GatewayProcess:
    """`tieline gateway` on a broker, its data folder `folder`; knows the actor key `KEY`.

    Args:
        embedded: the broker keeps nothing.

    Attributes:
        url: where it listens, also while it does not run.
        headers: what lets one post events.
        spool: where it keeps what is not on Kafka.
    """

    def __init__(self, broker: str, folder: Path, embedded: bool = False, env: Mapping[str, str] | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.broker, self.folder, self.port, self._embedded = broker, folder, free_port(), embedded
        self.url = f"http://127.0.0.1:{self.port}"
        self.spool = embedded_spool(folder) if embedded else folder / SPOOL_FOLDER
        self._env = dict(env or {})
        write_key(folder)
        self.headers = headers_of(
            TokenFile(folder / TOKENS_FILE).create(["events:write", "metrics:read"], ["*"], utc_now()).shown
        )
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def log(self) -> str:
        """The end of what it said."""
        return (self.folder / "gateway.out").read_text(errors="replace")[-4000:]

    def start(self) -> GatewayProcess:
        """Start it and wait until it accepts events."""
        self.start_soon()
        self.wait_until_ready()
        return self

    def start_soon(self) -> None:
        """Start it and do not wait."""
        where = ["--port", str(self.port), "--broker", self.broker, "--data", str(self.folder)]
        command = [sys.executable, "-m", "deploy.cli", "gateway", *where, *(["--embedded"] if self._embedded else [])]
        with (self.folder / "gateway.out").open("ab") as log:
            self._process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **self._env}, stdout=log, stderr=log)

    def wait_until_ready(self) -> None:
        deadline_s = time.monotonic() + _READY_TIMEOUT_S
        while not self._answers():
            assert self._process is not None
            assert self._process.poll() is None, self.log
            assert time.monotonic() < deadline_s, self.log
            time.sleep(0.02)

    def wait_until_replayed(self) -> None:
        """Until everything that it accepted is on the broker."""
        deadline_s = time.monotonic() + _REPLAYED_TIMEOUT_S
        while self._metric("tieline_gateway_spool_bytes"):
            assert time.monotonic() < deadline_s, self.log
            time.sleep(0.1)

    def wait_until_empty(self) -> None:
        """Until nothing is left in the spool: all is on a log that lasts, or in the store."""
        deadline_s = time.monotonic() + _REPLAYED_TIMEOUT_S
        while any(path.stat().st_size for path in self.spool.glob("*.seg")):
            assert time.monotonic() < deadline_s, self.log
            time.sleep(0.1)

    def kill(self) -> None:
        """kill -9, and the process is gone."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """A clean stop; returns the exit code."""
        return self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> int:
        process, self._process = self._process, None
        if process is None:
            return 0
        process.send_signal(how)
        return process.wait(30)

    def _metric(self, name: str) -> float:
        request = urllib.request.Request(f"{self.url}/metrics", headers=self.headers)
        with urllib.request.urlopen(request, timeout=5) as answer:
            lines = answer.read().decode().splitlines()
        return next(float(line.split()[-1]) for line in lines if line.startswith(f"{name} "))

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/health/ready", timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False


def write_key(folder: Path) -> None:
    """Make `KEY` the actor key of a data folder."""
    path = folder / "actor.key"
    path.write_text(f"{KEY.key_id}:{KEY.secret.hex()}\n")
    path.chmod(0o600)


def headers_of(token: str) -> dict[str, str]:
    """What lets one post NDJSON."""
    return {"Authorization": f"Bearer {token}", "Content-Type": "application/x-ndjson"}
