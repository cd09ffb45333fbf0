"""The embedded store as a child process on a free loopback port, and requests to it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import clickhouse_connect
from clickhouse_connect.driver.client import Client

from deploy.embedded.front.accounts import ensure_passwords


@dataclass
class Store:
    """A running front.

    Attributes:
        folder: its data folder.
        log: what it wrote so far goes here.
    """

    folder: Path
    process: subprocess.Popen[bytes]
    port: int
    log: Path
    passwords: dict[str, str] = field(repr=False, default_factory=dict)

    def client(self, user: str = "tieline", **options: Any) -> Client:
        return clickhouse_connect.get_client(
            host="127.0.0.1", port=self.port, username=user, password=self.passwords[user], **options
        )

    def http(
        self, path: str, body: bytes | None = None, user: str | None = "tieline", **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        """A request as it is, without a ClickHouse client: status, headers, body."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if user is not None:
            sent |= {"X-ClickHouse-User": user, "X-ClickHouse-Key": self.passwords[user]}
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data=body, headers=sent)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status, dict(answer.headers), answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, dict(error.headers), error.read()

    def raw_query(self, sql: str) -> bytes:
        """A request as bytes, for tests that speak to the socket themselves."""
        password = self.passwords["tieline"]
        head = f"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-ClickHouse-User: tieline\r\nX-ClickHouse-Key: {password}\r\n"
        return f"{head}Content-Length: {len(sql)}\r\n\r\n{sql}".encode()

    def end(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(timeout=20)


Starter = Callable[[Path], Store]


def start_store(folder: Path) -> Store:
    """The front over `folder`; returns once it answers."""
    folder.mkdir(parents=True, exist_ok=True)
    log = folder.parent / f"{folder.name}.log"
    with log.open("ab") as file:
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "deploy.embedded.front",
                "--data",
                str(folder),
                "--port",
                "0",
                "--log-level",
                "debug",
            ],
            stdout=subprocess.PIPE,
            stderr=file,
            env={name: value for name, value in os.environ.items() if name != "TIELINE_PARENT"},
        )
    assert process.stdout is not None
    word, _, port = process.stdout.readline().decode().strip().partition(" ")
    assert word == "ready", log.read_text()
    return Store(folder, process, int(port), log, ensure_passwords(folder))


def health(store: Store) -> dict[str, Any]:
    status, _, body = store.http("/tieline/health", user=None)
    assert status == 200
    answer: dict[str, Any] = json.loads(body)
    return answer
