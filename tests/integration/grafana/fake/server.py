"""The fake on a port of loopback."""

from __future__ import annotations

import json
import re
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.integration.grafana.fake.alerting import Alerting
from tests.integration.grafana.fake.answers import Answer, Refusal, Request
from tests.integration.grafana.fake.contract import Contract
from tests.integration.grafana.fake.library import Library
from tests.integration.grafana.fake.notes import Notes
from tests.integration.grafana.fake.sources import Sources

PLUGIN = "grafana-clickhouse-datasource"
TOKENS = {"glsa_admin": "Admin", "glsa_editor": "Editor", "glsa_viewer": "Viewer"}
_DENIED = "You'll need additional permissions to perform this action. Permissions needed: {}"


class FakeGrafana:
    """State, and what it answers.

    Attributes:
        requests: all that were received, in order.
        violations: what no Grafana would have understood, and answers that no Grafana gives.
        instead: answers some requests in another way: given a request, an answer, or None for the usual one.
    """

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self.url = ""
        self.version = "13.2.3"
        self.plugins = {PLUGIN: "4.20.0"}
        self.library = Library(contract)
        self.sources = Sources()
        self.alerting = Alerting(self.library)
        self.notes = Notes()
        self.requests: list[Request] = []
        self.violations: list[str] = []
        self.instead: Callable[[Request], Answer | None] = lambda _: None
        parts = (self.library, self.sources, self.alerting, self.notes)
        self._routes = [(method, re.compile(path), answer) for part in parts for method, path, answer in part.routes()]

    @property
    def writes(self) -> list[Request]:
        return [request for request in self.requests if request.writes]

    def answer(self, request: Request) -> Answer:
        """What Grafana would."""
        self.requests.append(request)
        other = self.instead(request)
        if other is not None:
            return other
        faults = self._contract.request_faults(request.method, request.path, list(request.query), request.body)
        try:
            answer = Answer(400, {"message": f"bad request data: {faults}"}) if faults else self._usual(request)
        except Refusal as refusal:
            answer = refusal.answer
        except Exception as error:  # a mistake of the fake's: the test is told, not the server's thread
            faults, answer = [f"the fake broke: {error!r}"], Answer(500, {"message": "broken"})
        faults += self._contract.answer_faults(request.method, request.path, answer.status, answer.body)
        self.violations += [f"{request.method} {request.path}: {fault}" for fault in faults]
        return answer

    def _usual(self, request: Request) -> Answer:
        path = request.path.removeprefix("/api")
        if path == "/health":
            return Answer(body={"commit": "0000000", "database": "ok", "version": self.version})
        self._refuse(request, path)
        plugin = re.fullmatch(r"/plugins/([^/]+)/settings", path)
        if plugin:
            return self._plugin(plugin[1])
        for method, pattern, answer in self._routes:
            match = pattern.fullmatch(path)
            if match and method == request.method:
                found: Answer = answer(request, *(unquote(part) for part in match.groups()))
                return found
        raise Refusal(404, "Not found")

    def _refuse(self, request: Request, path: str) -> None:
        role = TOKENS.get(request.headers.get("authorization", "").removeprefix("Bearer "))
        if role is None:
            raise Refusal(401, "Invalid API key", messageId="api-key.invalid", statusCode=401, traceID="")
        of_sources = path.startswith("/datasources")
        if role != "Admin" and (of_sources or (role == "Viewer" and request.writes)):
            wanted = "datasources:write" if of_sources else "dashboards:write"
            raise Refusal(403, _DENIED.format(wanted), title="Access denied", accessErrorId="ACE0000000000")

    def _plugin(self, plugin: str) -> Answer:
        if plugin not in self.plugins:
            raise Refusal(404, "Plugin not found, no installed plugin with that id")
        return Answer(body={"id": plugin, "type": "datasource", "info": {"version": self.plugins[plugin]}})


@contextmanager
def serving(fake: FakeGrafana, tls: ssl.SSLContext | None = None) -> Iterator[FakeGrafana]:
    """On a free port, until the end of the block; under `/grafana` as well as under `/`."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # head and body in one piece: else each answer waits for an acknowledgement

        def _answer(self) -> None:
            parts = urlsplit(self.path)
            length = int(self.headers.get("Content-Length") or 0)
            body: Any = json.loads(self.rfile.read(length)) if length else None
            headers = {key.lower(): value for key, value in self.headers.items()}
            path = parts.path.removeprefix("/grafana")
            answer = fake.answer(Request(self.command, path, parse_qs(parts.query), body, headers))
            data = answer.raw if answer.raw is not None else b"" if answer.status == 204 else _json(answer.body)
            self.send_response(answer.status)
            for key, value in {**answer.headers, "Content-Length": str(len(data))}.items():
                self.send_header(key, value)
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _answer  # noqa: N815 - names of http.server

        def log_message(self, *_: object) -> None:
            """Says nothing: tests look at `requests`."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    fake.url = f"{'https' if tls else 'http'}://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=5)


def _json(body: object) -> bytes:
    return json.dumps(body).encode()
