"""The FastAPI application: paths, and what the OpenAPI document says of them."""

from __future__ import annotations

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from streams.gateway.http.deliveries import Deliveries
from streams.gateway.http.endpoint import Handler, endpoint
from streams.gateway.http.events import Events
from streams.gateway.http.gateway import Gateway
from streams.gateway.http.health import Health
from streams.gateway.http.openapi import OPERATIONS, SOURCE, openapi_document
from streams.gateway.http.page import PAGE_HEADERS, page
from streams.gateway.http.problems import Refused

NO_TELEMETRY = {"tracing": False, "metrics": False, "logs": False, "operation_spans": False, "auto_configure": False}
"""FastAPI's own reports would hold paths, messages of errors and stack traces, and could leave the machine."""


def gateway_app(gateway: Gateway) -> FastAPI:
    """The gateway as an ASGI application. Its log has to be started before the first request."""
    app = FastAPI(
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        telemetry=NO_TELEMETRY,  # type: ignore[arg-type]
        exception_handlers={HTTPException: _no_route},
    )
    for path, name, handler in _handlers(gateway):
        for method in OPERATIONS[path]:
            # Starlette's own routes: FastAPI's would look at signatures for each request, and here is nothing to find.
            app.add_route(path, endpoint(gateway, name, handler), [method.upper()], name, include_in_schema=False)
    app.openapi = openapi_document  # type: ignore[method-assign]
    app.add_route("/openapi.json", _openapi, ["GET"], "openapi", include_in_schema=False)
    app.add_route("/docs", _docs, ["GET"], "docs", include_in_schema=False)
    return app


def _handlers(gateway: Gateway) -> list[tuple[str, str, Handler]]:
    events, deliveries, health = Events(gateway), Deliveries(gateway), Health(gateway)
    return [
        ("/v1/events", "events", events.keep),
        ("/v1/validate", "validate", events.validate),
        (SOURCE, "sources", deliveries.take),
        (f"{SOURCE}/{{type}}", "resources", deliveries.take_resource),
        (f"{SOURCE}/{{type}}/{{id}}", "resources", deliveries.take_resource),
        ("/health/live", "live", health.live),
        ("/health/ready", "ready", health.ready),
        ("/metrics", "metrics", health.metrics),
    ]


async def _openapi(_: Request) -> Response:
    return JSONResponse(openapi_document())


async def _docs(_: Request) -> Response:
    return HTMLResponse(page(openapi_document()), headers=PAGE_HEADERS)


async def _no_route(_: Request, error: Exception) -> Response:
    """What Starlette refuses by itself: no such path, or not this method."""
    if isinstance(error, HTTPException) and error.status_code == 405:
        return Refused("wrong_method", headers=error.headers).response()
    return Refused("not_found").response()
