"""Where the gateway listens, and where it does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from schemas.errors import ConfigError
from streams.gateway.http.server import Listening, Tls, serve
from tests.unit.gateway.gateways import World

TLS = Tls(Path("cert.pem"), Path("key.pem"))


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_loopback_needs_no_tls(host: str) -> None:
    Listening(host, 1).check()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "gateway.example", "", "127.0.0.1.example"])
def test_wider_than_loopback_needs_tls_or_a_proxy_that_speaks_it(host: str) -> None:
    with pytest.raises(ConfigError, match="--behind-proxy"):
        Listening(host, 1).check()
    Listening(host, 1, TLS).check()
    Listening(host, 1, behind_proxy=True).check()


def test_certificate_that_cannot_be_used_ends_the_start(tmp_path: Path) -> None:
    for cert in (tmp_path / "none.pem", tmp_path / "wrong.pem"):
        (tmp_path / "wrong.pem").write_text("hunter2")
        listening = Listening(port=1, tls=Tls(cert, cert))
        with pytest.raises(ConfigError, match="certificate") as refused:
            serve(World(tmp_path).app, listening, None)  # type: ignore[arg-type]
        assert "hunter2" not in str(refused.value)


def test_url_says_how_it_is_reached() -> None:
    assert Listening("::1", 8, TLS).url == "https://[::1]:8"
    assert Listening(port=8).url == "http://127.0.0.1:8"
