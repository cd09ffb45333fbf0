"""Who is let in: the right host name, the right origin, and a token where one is asked for."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from urllib.parse import urlencode, urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from deploy.board.address import Address
from deploy.board.markup import tag

COOKIE = "tieline_board"
THIRTY_DAYS_S = 30 * 86_400
WRONG_TOKEN_PAUSE_S = 1.0
_OPEN = ("/health", "/login", "/assets/", "/echarts/")
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self';"
        " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # not "no-referrer": forms would then come from the origin "null"
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Admission:
    """Middleware, and the log-in page."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._token = address.token.get_secret_value() if address.token else ""

    @property
    def middleware(self) -> Middleware:
        @web.middleware
        async def admit(request: web.Request, handler: Handler) -> web.StreamResponse:
            try:
                response = await self._admitted(request, handler)
            except web.HTTPException as refusal:
                refusal.headers.update(_HEADERS)
                raise
            if not response.prepared:
                response.headers.update(_HEADERS)
                response.headers.setdefault("Cache-Control", "no-store")
            return response

        return admit

    async def _admitted(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        host = request.headers.get("Host", "")
        if not self._address.answers_to(host):
            raise web.HTTPMisdirectedRequest(
                text="The board does not know itself by this name; say --name NAME when it is started.\n"
            )
        if not is_same_origin(request.headers.get("Origin"), host):
            raise web.HTTPForbidden(text="Requests from pages of other sites are refused.\n")
        if "token" in request.query and request.method == "GET":
            return await self._log_in(request.query["token"], _without_token(request), request)
        if self._token and not request.path.startswith(_OPEN) and not self._knows(request):
            if request.method == "GET" and "text/html" in request.headers.get("Accept", ""):
                raise web.HTTPSeeOther(f"/login?{urlencode({'next': request.path_qs})}")
            raise web.HTTPUnauthorized(text="A token is needed.\n", headers={"WWW-Authenticate": "Bearer"})
        return await handler(request)

    async def login_page(self, request: web.Request) -> web.StreamResponse:
        """GET: the form. POST: the token, for a cookie that scripts cannot read."""
        if request.method == "POST":
            form = await request.post()
            return await self._log_in(str(form.get("token", "")), _own_path(str(form.get("next", ""))), request)
        return _login_form(_own_path(request.query.get("next", "")))

    async def _log_in(self, shown: str, then: str, request: web.Request) -> web.StreamResponse:
        if self._token and not _same(shown, self._token):
            await asyncio.sleep(WRONG_TOKEN_PAUSE_S)
            return _login_form(then, "This is not the board's token.", status=403)
        response = web.HTTPSeeOther(then)
        if self._token:
            secure = request.secure or request.headers.get("X-Forwarded-Proto") == "https"
            response.set_cookie(
                COOKIE, self._pass, max_age=THIRTY_DAYS_S, httponly=True, samesite="Strict", secure=secure, path="/"
            )
        raise response

    def _knows(self, request: web.Request) -> bool:
        scheme, _, bearer = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return _same(bearer.strip(), self._token)
        return _same(request.cookies.get(COOKIE, ""), self._pass)

    @property
    def _pass(self) -> str:
        """What the cookie holds: made from the token, so a new token ends all log-ins, and does not tell it."""
        return hmac.new(self._token.encode(), b"tieline board cookie", hashlib.sha256).hexdigest()


def is_same_origin(origin: str | None, host: str) -> bool:
    """Browsers say where a request that matters comes from; programs say nothing."""
    return origin is None or (urlsplit(origin).netloc.lower() == host.strip().lower() != "")


def _same(shown: str, expected: str) -> bool:
    return hmac.compare_digest(shown.encode(), expected.encode())


def _own_path(path: str) -> str:
    """Only a path of this board: no other site is redirected to."""
    parts = urlsplit(path)
    own = path.startswith("/") and not path.startswith(("//", "/\\")) and not parts.scheme and not parts.netloc
    return path if own and path.isprintable() else "/"


def _without_token(request: web.Request) -> str:
    left = [(name, value) for name, value in request.query.items() if name != "token"]
    return _own_path(f"{request.path}?{urlencode(left)}" if left else request.path)


def _login_form(then: str, problem: str = "", status: int = 200) -> web.Response:
    form = tag(
        "form",
        tag("h1", "Tieline"),
        tag("p", problem, class_="away", role="alert") if problem else None,
        tag("label", "The board's token", for_="token"),
        tag("input", type="password", id="token", name="token", autocomplete="current-password", required=True),
        tag("input", type="hidden", name="next", value=then),
        tag("button", "Log in", type="submit"),
        method="post",
        action="/login",
        class_="login",
    )
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("title", "Log in · Tieline"),
        tag("link", rel="stylesheet", href="/assets/board.css"),
    )
    document = tag("html", head, tag("body", tag("main", form)), lang="en")
    return web.Response(text=f"<!doctype html>{document}", content_type="text/html", status=status)
