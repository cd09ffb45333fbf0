"""What all endpoints share: who asks, how failures are answered, and what is counted."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from schemas.errors import InvalidEvent, TransientError
from streams.gateway import metrics as names
from streams.gateway.breaker import BreakerOpen
from streams.gateway.http.gateway import Gateway
from streams.gateway.http.problems import Refused
from streams.gateway.intake import place_of
from streams.gateway.limits import TooBusy
from streams.gateway.tokens import NoTokens, Scope, Token, Unauthorised

Handler = Callable[[Request], Awaitable[Response]]
_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="tieline"'}
_log = logging.getLogger("tieline.gateway")


def endpoint(gateway: Gateway, name: str, handler: Handler) -> Handler:
    """The handler with its failures answered as problems, counted and timed under `name`.

    Nothing leaves it: what is not foreseen is logged by kind and place only, and answered with 500.
    """

    async def handle(request: Request) -> Response:
        began_s = gateway.clock_s()
        try:
            response = await handler(request)
        except Exception as error:
            refused = _refusal_of(error, gateway)
            gateway.metrics.add(names.REFUSED, 1, name, names.code_label(refused.code))
            response = refused.response()
        gateway.metrics.add(names.REQUESTS, 1, name, str(response.status_code))
        gateway.metrics.observe(names.REQUEST_SECONDS, gateway.clock_s() - began_s, name)
        return response

    return handle


def _refusal_of(error: Exception, gateway: Gateway) -> Refused:
    """The problem that an error is answered with."""
    match error:
        case Refused():
            return error
        case TooBusy():
            return Refused(error.code, retry_after_s=error.retry_after_s)
        case BreakerOpen():
            return Refused("breaker_open", retry_after_s=error.retry_after_s)
        case TransientError():
            return Refused("unavailable", retry_after_s=error.retry_after_s)
        case NoTokens():
            if gateway.clock_s() >= gateway.say_no_tokens_at_s:
                gateway.say_no_tokens_at_s = gateway.clock_s() + 60.0
                _log.error("requests are refused because there is no token yet: run `tieline tokens create`")
            return Refused("no_tokens", headers=_CHALLENGE)
        case Unauthorised():
            return Refused("bad_token", headers=_CHALLENGE)
        case InvalidEvent():
            return Refused("invalid_events", errors=[(0, InvalidEvent(error.code, error.field))])
    _log.error("a request failed: %s", place_of(error))
    return Refused("internal")


def token_of(gateway: Gateway, request: Request, *scopes: Scope) -> Token:
    """Who asks, by a bearer token with one of these scopes.

    Raises: Unauthorised: there is no active token. Refused: `scope_missing`.
    """
    scheme, _, shown = request.headers.get("authorization", "").partition(" ")
    token = gateway.tokens.holder(shown.strip() if scheme.lower() == "bearer" else "")
    if token.scopes.isdisjoint(scopes):
        raise Refused("scope_missing", scope=scopes[0])
    return token
