"""Who is let in, request by request."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from deploy.board import admission
from deploy.board.address import Address
from deploy.board.admission import COOKIE, Admission

TOKEN = "a-long-random-token-0123456789"
OPEN, GUARDED = Address(), Address.checked("0.0.0.0", 80, TOKEN, ("board.example.org",))


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission, "WRONG_TOKEN_PAUSE_S", 0.0)


async def _asked(
    address: Address, path: str = "/d/live", host: str = "localhost", **headers: str
) -> web.StreamResponse:
    """What a GET gets: the page, or what was raised instead."""

    async def page(_: web.Request) -> web.StreamResponse:
        return web.Response(text="figures")

    given = {"Host": host, "Accept": "text/html", **{name.replace("_", "-"): value for name, value in headers.items()}}
    request = make_mocked_request("GET", path, headers=given)
    try:
        return await Admission(address).middleware(request, page)
    except web.HTTPException as instead:
        return instead


async def _pass() -> str:
    """The cookie that the token buys."""
    answer = await _asked(GUARDED, f"/d/live?token={TOKEN}&site=a")
    assert answer.status == 303
    assert answer.headers["Location"] == "/d/live?site=a"
    return answer.cookies[COOKIE].value


async def test_this_machine_is_let_in() -> None:
    assert (await _asked(OPEN)).status == 200


async def test_unknown_name_is_refused() -> None:
    assert (await _asked(OPEN, host="evil.example.org")).status == 421


async def test_page_of_another_site_cannot_listen() -> None:
    assert (await _asked(OPEN, "/live/live", Origin="http://evil.example.org")).status == 403
    assert (await _asked(OPEN, "/live/live", Origin="http://localhost")).status == 200


async def test_browser_without_a_token_is_asked_for_it() -> None:
    answer = await _asked(GUARDED, "/d/ties?site=a&site=b")
    assert answer.status == 303
    there = urlsplit(answer.headers["Location"])
    assert (there.path, parse_qs(there.query)) == ("/login", {"next": ["/d/ties?site=a&site=b"]})


async def test_program_without_a_token_is_refused() -> None:
    assert (await _asked(GUARDED, Accept="*/*")).status == 401


async def test_websocket_without_a_token_is_refused() -> None:
    assert (await _asked(GUARDED, "/live/live", Accept="", Upgrade="websocket")).status == 401


async def test_token_of_a_link_becomes_a_cookie_that_scripts_and_other_sites_cannot_use() -> None:
    answer = await _asked(GUARDED, f"/?token={TOKEN}")
    cookie = answer.cookies[COOKIE]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Strict"
    assert TOKEN not in cookie.value


async def test_cookie_lets_in() -> None:
    assert (await _asked(GUARDED, Cookie=f"{COOKIE}={await _pass()}")).status == 200


async def test_cookie_of_an_earlier_token_does_not() -> None:
    other = Address.checked("0.0.0.0", 80, TOKEN + "-new", ("board.example.org",))
    assert (await _asked(other, Cookie=f"{COOKIE}={await _pass()}")).status == 303


@pytest.mark.parametrize("wrong", ["", "guess", TOKEN + "x", "ü"])
async def test_wrong_token_is_refused_everywhere(wrong: str) -> None:
    assert (await _asked(GUARDED, f"/?token={wrong}")).status == 403
    assert (await _asked(GUARDED, Authorization=f"Bearer {wrong}", Accept="*/*")).status == 401
    assert (await _asked(GUARDED, Cookie=f"{COOKIE}={wrong}", Accept="*/*")).status == 401


async def test_bearer_lets_in() -> None:
    assert (await _asked(GUARDED, Authorization=f"Bearer {TOKEN}")).status == 200


async def test_cookie_is_for_https_only_behind_a_proxy_that_speaks_it() -> None:
    answer = await _asked(GUARDED, f"/?token={TOKEN}", host="board.example.org", X_Forwarded_Proto="https")
    assert answer.cookies[COOKIE]["secure"]


@pytest.mark.parametrize("path", ["//evil.example.org", "/\\evil.example.org", "https://evil.example.org", "", "x"])
def test_log_in_never_leads_to_another_site(path: str) -> None:
    assert admission._own_path(path) == "/"


async def test_pages_may_load_nothing_from_elsewhere() -> None:
    policy = (await _asked(OPEN)).headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy


async def test_refusals_have_the_same_protection() -> None:
    assert "Content-Security-Policy" in (await _asked(GUARDED)).headers


def test_script_and_style_name_no_other_host() -> None:
    static = Path(admission.__file__).parent / "static"
    for name in ("board.css", "board.js"):
        assert "//" not in (static / name).read_text().replace("${scheme}://${location.host}", "").replace("// ", "")
