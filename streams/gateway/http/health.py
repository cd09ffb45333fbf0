"""Whether it runs, whether it can keep events, and what it counted."""

from __future__ import annotations

from prometheus_client import CONTENT_TYPE_LATEST
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from schemas.errors import TielineError
from streams.gateway import metrics as names
from streams.gateway.http.endpoint import token_of
from streams.gateway.http.gateway import Gateway
from streams.gateway.http.problems import Refused

READY_STATES = frozenset({"kafka", "spool"})


class Health:
    """The endpoints for whoever watches the gateway."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def live(self, _: Request) -> Response:
        """200 while the process answers."""
        return JSONResponse({"status": "live"})

    async def ready(self, _: Request) -> Response:
        """200 while events can be kept, on Kafka or on the spool."""
        checks = {"log": str(self._gateway.log.state), "keys": self._keys()}
        if checks["log"] in READY_STATES and checks["keys"] == "ok":
            return JSONResponse({"status": "ready", "checks": checks})
        raise Refused("not_ready", retry_after_s=5, checks=checks)

    async def metrics(self, request: Request) -> Response:
        """Prometheus' text format, for tokens with `metrics:read`."""
        token_of(self._gateway, request, "metrics:read")
        self._look()
        return Response(self._gateway.metrics.text(), media_type=CONTENT_TYPE_LATEST)

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
        metrics.set(names.LOG_ON_SPOOL, log.state == "spool")
        metrics.set(names.LOG_ACCEPTS, log.state in READY_STATES)
        metrics.set(names.SPOOL_BYTES, log.depth_bytes)
        metrics.set(names.SPOOL_AGE, log.oldest_s)
        metrics.set(names.SPOOL_DAMAGED, log.damaged_segments)
        for name, entry in gateway.sources.items():
            metrics.set(names.BREAKER, entry.intake.breaker.state != "closed", name)
        metrics.set(names.BREAKER, gateway.senders.any_open, names.EVENTS_SOURCE)
