"""Whatever goes wrong, the message says what to do, the exit code says whose turn it is, and no secret is told."""

from __future__ import annotations

import json
import socket
import ssl
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.grafana.api import Grafana
from deploy.grafana.push import check
from deploy.grafana.settings import GrafanaSettings
from schemas.errors import ConfigError, TielineError, TransientError
from tests.integration.grafana.conftest import as_role
from tests.integration.grafana.fake.answers import Answer, Request
from tests.integration.grafana.fake.contract import Contract
from tests.integration.grafana.fake.server import PLUGIN, FakeGrafana, serving
from tests.integration.grafana.wanted import PASSWORD, push, wanted

PEM = Path(__file__).parent / "fake" / "loopback.pem"
TOKEN = "glsa_admin"


def failure(act: Callable[[], object]) -> TielineError:
    """What an act fails with; its whole traceback is free of secrets."""
    with pytest.raises(TielineError) as raised:
        act()
    told = "".join(traceback.format_exception(raised.value)) + repr(raised.value.__dict__)
    for secret in (TOKEN, PASSWORD):
        assert secret not in told
    assert raised.value.__cause__ is None
    return raised.value


def answering(
    status: int, body: object = None, path: str = "", raw: bytes | None = None, **headers: str
) -> Callable[[Request], Answer | None]:
    """Answers so to every request, or those to a path."""

    def answer(request: Request) -> Answer | None:
        if path not in request.path:
            return None
        content = {"Content-Type": "application/json"} | {
            key.replace("_", "-"): value for key, value in headers.items()
        }
        return Answer(status, body, raw, content)

    return answer


@pytest.mark.parametrize(
    ("status", "kind", "advice"),
    [
        (400, ConfigError, "report it"),
        (401, ConfigError, "GRAFANA_TOKEN"),
        (403, ConfigError, "--no-data-source"),
        (404, ConfigError, "whole address"),
        (409, ConfigError, "--folder"),
        (412, ConfigError, "push again"),
        (422, ConfigError, "report it"),
        (429, TransientError, "push again later"),
        (500, TransientError, "its log"),
        (502, TransientError, "its log"),
    ],
)
def test_a_status_says_what_to_do(
    fake: FakeGrafana, grafana: Grafana, status: int, kind: type[TielineError], advice: str
) -> None:
    fake.instead = answering(status, {"message": "because"}, path="/dashboards/db")
    error = failure(lambda: push(grafana, wanted()))
    assert isinstance(error, kind)
    assert advice in str(error)
    assert "because" in str(error)
    assert "Live handoffs" in str(error)


def test_a_wrong_token(fake: FakeGrafana) -> None:
    error = failure(lambda: check(as_role(fake, "revoked")))
    assert isinstance(error, ConfigError)
    assert "make a new one" in str(error)
    assert "revoked" not in str(error)


def test_a_viewers_token(fake: FakeGrafana) -> None:
    error = failure(lambda: push(as_role(fake, "viewer"), wanted(data_source=None)))
    assert "role Admin" in str(error)
    assert not fake.library.folders


def test_an_editor_can_do_the_rest(fake: FakeGrafana) -> None:
    push(as_role(fake, "editor"), wanted(data_source=None))
    assert fake.library.dashboards
    assert not fake.sources.sources


def test_a_missing_plugin(fake: FakeGrafana, grafana: Grafana) -> None:
    fake.plugins.clear()
    error = failure(lambda: check(grafana))
    assert isinstance(error, ConfigError)
    assert f"GF_PLUGINS_PREINSTALL_SYNC={PLUGIN}" in str(error)


@pytest.mark.parametrize("version", ["11.5.9", "9.0.0", "11.5.0-pre"])
def test_an_old_version(fake: FakeGrafana, grafana: Grafana, version: str) -> None:
    fake.version = version
    error = failure(lambda: check(grafana))
    assert isinstance(error, ConfigError)
    assert str(error) == f"Grafana {version} is older than 11.6; upgrade Grafana, then push again"


@pytest.mark.parametrize("version", ["11.6.0", "12.0.0", "13.2.3+security-01", ""])
def test_a_new_enough_version(fake: FakeGrafana, grafana: Grafana, version: str) -> None:
    fake.version = version
    assert check(grafana) == (version or "of an unknown version")


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    error = failure(lambda: check(at(f"http://127.0.0.1:{port}")))
    assert isinstance(error, TransientError)
    assert f"http://127.0.0.1:{port} cannot be reached" in str(error)
    assert "refused" in str(error)


def test_a_name_that_nobody_has() -> None:
    error = failure(lambda: check(at("http://grafana.invalid")))
    assert isinstance(error, TransientError)
    assert "check the address" in str(error)


def test_no_answer_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        error = failure(lambda: check(at(url, timeout_s=0.2)))
    assert isinstance(error, TransientError)
    assert "in time" in str(error)


@pytest.mark.parametrize(
    ("kind", "raw"),
    [("text/html", b"<html>Log in</html>"), ("application/json", b"<html>"), ("application/json", b'"yes"')],
)
def test_a_log_in_page(fake: FakeGrafana, grafana: Grafana, kind: str, raw: bytes) -> None:
    fake.instead = answering(200, raw=raw, path="/folders", Content_Type=kind)
    error = failure(lambda: push(grafana, wanted()))
    assert isinstance(error, ConfigError)
    assert "log-in page" in str(error)


def test_another_service_at_that_address(fake: FakeGrafana, grafana: Grafana) -> None:
    fake.instead = answering(200, {"status": "ok"})
    error = failure(lambda: check(grafana))
    assert isinstance(error, ConfigError)
    assert "not Grafana" in str(error)


def test_an_address_without_its_path(fake: FakeGrafana, grafana: Grafana) -> None:
    fake.instead = answering(404, raw=b"<html>nothing here</html>", Content_Type="text/html")
    error = failure(lambda: check(grafana))
    assert isinstance(error, ConfigError)
    assert "with the path" in str(error)


def test_a_page_of_a_proxys_error_is_not_quoted(fake: FakeGrafana, grafana: Grafana) -> None:
    fake.instead = answering(502, raw=b"<html><h1>Bad gateway</h1></html>", Content_Type="text/html")
    error = failure(lambda: check(grafana))
    assert isinstance(error, TransientError)
    assert "<" not in str(error)


def test_the_token_does_not_travel_with_a_redirect(contract: Contract, fake: FakeGrafana, grafana: Grafana) -> None:
    with serving(FakeGrafana(contract)) as elsewhere:
        fake.instead = lambda request: Answer(
            302, raw=b"", headers={"Location": elsewhere.url + request.path, "Content-Type": "text/plain"}
        )
        error = failure(lambda: check(grafana))
        assert isinstance(error, ConfigError)
        assert "--grafana" in str(error)
        assert elsewhere.requests == []


def test_secrets_that_come_back_are_not_repeated(fake: FakeGrafana) -> None:
    settings = GrafanaSettings.model_validate({"url": fake.url, "token": TOKEN})
    grafana = Grafana(settings, secrets=[PASSWORD])
    fake.instead = lambda request: Answer(
        400, {"message": f"bad {request.headers['authorization']} {json.dumps(request.body)}"}
    )
    failure(lambda: grafana.create_data_source({"uid": "x", "secureJsonData": {"password": PASSWORD}}))


@pytest.mark.parametrize("token", ["two words", "zwölf", "a\nb"])
def test_a_token_with_strange_characters_is_not_repeated(token: str) -> None:
    error = failure(lambda: GrafanaSettings.of("http://x", env={"GRAFANA_TOKEN": token}))
    assert isinstance(error, ConfigError)
    assert token not in str(error)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("", "expected a URL"),
        ("grafana:3000", "expected a URL"),
        ("https://admin:secret@grafana", "leave user and password out"),
        ("http://grafana?verify=false", "without a query"),
        ("http://grafana:99999", "expected a URL"),
    ],
)
def test_an_address_that_cannot_be_right(url: str, says: str) -> None:
    error = failure(lambda: GrafanaSettings.of(url, env={"GRAFANA_TOKEN": "t"}))
    assert says in str(error)
    assert "secret@" not in str(error)


def test_a_file_for_the_token(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("glsa_admin\n")
    assert GrafanaSettings.of("http://x", path, env={}).token.get_secret_value() == TOKEN
    assert "glsa" not in repr(GrafanaSettings.of("http://x", path, env={}))
    with pytest.raises(ConfigError, match="cannot read"):
        GrafanaSettings.of("http://x", tmp_path / "none", env={})
    with pytest.raises(ConfigError, match="GRAFANA_TOKEN"):
        GrafanaSettings.of("http://x", env={})


def test_a_grafana_below_a_path(fake: FakeGrafana) -> None:
    assert check(at(f"{fake.url}/grafana/")) == "13.2.3"


def test_a_certificate_that_nobody_vouches_for(contract: Contract) -> None:
    with serving(FakeGrafana(contract), tls()) as fake:
        error = failure(lambda: check(at(fake.url)))
        assert isinstance(error, ConfigError)
        assert "--ca-file" in str(error)
        assert check(at(fake.url, ca_file=PEM)) == "13.2.3"


def test_no_tls_where_tls_was_expected(fake: FakeGrafana) -> None:
    error = failure(lambda: check(at(fake.url.replace("http:", "https:"))))
    assert isinstance(error, TielineError)
    assert "https://127.0.0.1" in str(error)


def at(url: str, **more: object) -> Grafana:
    """Grafana at an address."""
    return Grafana(GrafanaSettings.model_validate({"url": url.rstrip("/"), "token": TOKEN, **more}))


def tls() -> ssl.SSLContext:
    """With a certificate that nobody trusts."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(PEM)
    return context
