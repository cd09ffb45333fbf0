"""Whether it runs, whether it can keep events, and what it counted."""

from __future__ import annotations

from collections.abc import Mapping

from prometheus_client import CONTENT_TYPE_LATEST
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from schemas.errors import TielineError
from streams.gateway import metrics as names
from streams.gateway.http.endpoint import token_of
from streams.gateway.http.gateway import Gateway
from streams.gateway.http.problems import Refused
from streams.gateway.log_metrics import READY_STATES, note_log
from streams.telemetry.worker_metrics import READY


class Health:
    """The endpoints for whoever watches the gateway."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def live(self, _: Request) -> Response:
        """200 while the process answers."""
        return JSONResponse({"status": "live"})

    async def ready(self, _: Request) -> Response:
        """200 while events can be kept, on Kafka or on the spool."""
        checks = self._checks()
        if self._is_ready(checks):
            return JSONResponse({"status": "ready", "checks": checks})
        raise Refused("not_ready", retry_after_s=5, checks=checks)

    async def metrics(self, request: Request) -> Response:
        """Prometheus' text format, for tokens with `metrics:read`."""
        token_of(self._gateway, request, "metrics:read")
        self._look()
        return Response(self._gateway.metrics.text(), media_type=CONTENT_TYPE_LATEST)

    def _checks(self) -> dict[str, str]:
        return {"log": str(self._gateway.log.state), "keys": self._keys()}

    @staticmethod
    def _is_ready(checks: Mapping[str, str]) -> bool:
        return checks["log"] in READY_STATES and checks["keys"] == "ok"

    def _keys(self) -> str:
        try:
            self._gateway.edge.roles("")
        except TielineError:
            return "unusable"
        return "ok"

    def _look(self) -> None:
        """What is not counted as it happens is looked at when somebody asks."""
        gateway, metrics, log = self._gateway, self._gateway.metrics, self._gateway.log
        metrics.set(names.BODY_BYTES, gateway.room.bytes + gateway.strangers.bytes)
        note_log(metrics, log)
        metrics.set(READY, self._is_ready(self._checks()))
        for name, entry in gateway.sources.items():
            metrics.set(names.BREAKER, entry.intake.breaker.state != "closed", name)
        metrics.set(names.BREAKER, gateway.senders.any_open, names.EVENTS_SOURCE)
