"""A gateway of one's own: answers what it is told to, and remembers what it was asked."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any


@dataclass
class Asked:
    """One request."""

    path: str
    headers: dict[str, str]
    events: list[dict[str, Any]]


@dataclass
class Answering:
    """Attributes:
    answers: (status, headers, body) for the next requests; when there are none left everything is accepted. A status
        of 0 drops the connection without an answer.
    """

    url: str = ""
    asked: list[Asked] = field(default_factory=list)
    answers: list[tuple[int, dict[str, str], dict[str, Any]]] = field(default_factory=list)


@contextmanager
def answering(*answers: tuple[int, dict[str, str], dict[str, Any]]) -> Iterator[Answering]:
    """A server on this machine."""
    state = Answering(answers=list(answers))

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            state.asked.append(Asked(self.path, {k.lower(): v for k, v in self.headers.items()}, json.loads(body)))
            status, headers, told = state.answers.pop(0) if state.answers else accepted(len(json.loads(body)))
            if not status:
                self.close_connection = True
                return
            raw = json.dumps(told).encode()
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(raw))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        state.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield state
        finally:
            server.shutdown()
            thread.join()


def accepted(events: int) -> tuple[int, dict[str, str], dict[str, Any]]:
    """All of them."""
    results = [{"index": n, "status": "accepted", "id": str(n)} for n in range(events)]
    return 202, {}, {"accepted": events, "invalid": 0, "results": results}


def problem(status: int, code: str, **more: Any) -> tuple[int, dict[str, str], dict[str, Any]]:
    """A problem document."""
    return status, {}, {"type": f"urn:tieline:problem:{code}", "status": status, **more}
