"""What the environment says about security, and that no secret is in anything that is shown."""

from __future__ import annotations

import logging
import ssl
from pathlib import Path

import pytest

from deploy.composition.target import find_broker
from schemas.errors import ConfigError
from streams.transport.app import batch_app
from streams.transport.broker import Broker
from streams.transport.security import BrokerSecurity

SECRET = "hunter2-hunter2"
SASL = {
    "TIELINE_KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
    "TIELINE_KAFKA_SASL_USERNAME": "tieline",
    "TIELINE_KAFKA_SASL_PASSWORD": SECRET,
}


def refused(**env: str) -> str:
    """What is said about an environment that is refused; never a secret."""
    with pytest.raises(ConfigError) as told:
        BrokerSecurity.from_env(env)
    assert SECRET not in str(told.value)
    return str(told.value)


def test_nothing_said_is_plaintext() -> None:
    assert BrokerSecurity.from_env({}).protocol == "PLAINTEXT"
    assert BrokerSecurity.from_env({"TIELINE_KAFKA_CA_FILE": ""}) == BrokerSecurity()
    assert Broker.at("a:1").aiokafka_options() == {"bootstrap_servers": ["a:1"]}


def test_a_password_is_given_to_both_clients_and_shown_by_nothing() -> None:
    broker = Broker.at("a:1", BrokerSecurity.from_env(SASL))
    for options in (broker.aiokafka_options(), broker.kafka_python_options()):
        assert options["security_protocol"] == "SASL_SSL"
        assert options["sasl_mechanism"] == "SCRAM-SHA-512"
        assert options["sasl_plain_username"] == "tieline"
        assert options["sasl_plain_password"] == SECRET
    assert SECRET not in f"{broker} {broker!r} {broker.security} {broker.security!r} {broker.security.model_dump()}"


def test_the_faust_app_of_a_secured_broker_shows_no_secret(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        app = batch_app("group", Broker.at("a:1", BrokerSecurity.from_env(SASL)))
        shown = f"{app!r} {app.conf!r} {app.conf.broker!r} {app.conf.broker_credentials!r} {app.kafka!r}"
    assert app.conf.broker_credentials.password == SECRET
    assert SECRET not in shown + caplog.text


def test_a_password_comes_from_a_file_without_its_line_break(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text(f"{SECRET}\r\n")
    env = SASL | {"TIELINE_KAFKA_SASL_PASSWORD": "", "TIELINE_KAFKA_SASL_PASSWORD_FILE": str(file)}
    assert BrokerSecurity.from_env(env).password.get_secret_value() == SECRET


def test_a_password_file_that_is_no_password_is_named(tmp_path: Path) -> None:
    empty, binary = tmp_path / "empty", tmp_path / "binary"
    empty.write_text("\n")
    binary.write_bytes(b"\xff\xfe")
    env = SASL | {"TIELINE_KAFKA_SASL_PASSWORD": ""}
    assert "is empty" in refused(**env, TIELINE_KAFKA_SASL_PASSWORD_FILE=str(empty))
    assert "not text in UTF-8" in refused(**env, TIELINE_KAFKA_SASL_PASSWORD_FILE=str(binary))
    told = refused(**env, TIELINE_KAFKA_SASL_PASSWORD_FILE=str(tmp_path / "none"))
    assert told.startswith("TIELINE_KAFKA_SASL_PASSWORD_FILE: No such file")


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"TIELINE_KAFKA_SASL_USERNAME": ""}, "TIELINE_KAFKA_SASL_USERNAME"),
        ({"TIELINE_KAFKA_SASL_PASSWORD": ""}, "TIELINE_KAFKA_SASL_PASSWORD or TIELINE_KAFKA_SASL_PASSWORD_FILE"),
        ({"TIELINE_KAFKA_SASL_PASSWORD_FILE": "x"}, "TIELINE_KAFKA_SASL_PASSWORD, TIELINE_KAFKA_SASL_PASSWORD_FILE"),
        ({"TIELINE_KAFKA_SASL_PASSWORD": f"{SECRET}\0"}, "TIELINE_KAFKA_SASL_PASSWORD or"),
        ({"TIELINE_KAFKA_SASL_USERNAME": "a,b=c"}, "TIELINE_KAFKA_SASL_USERNAME"),
        ({"TIELINE_KAFKA_SASL_MECHANISM": SECRET}, "TIELINE_KAFKA_SASL_MECHANISM: expected SCRAM-SHA-512"),
        ({"TIELINE_KAFKA_SECURITY_PROTOCOL": SECRET}, "TIELINE_KAFKA_SECURITY_PROTOCOL: expected PLAINTEXT"),
        ({"TIELINE_KAFKA_SECURITY_PROTOCOL": ""}, "TIELINE_KAFKA_SASL_USERNAME, TIELINE_KAFKA_SASL_PASSWORD: set, but"),
        ({"TIELINE_KAFKA_SECURITY_PROTOCOL": "SSL"}, "TIELINE_KAFKA_SASL_PASSWORD: set, but"),
        ({"TIELINE_KAFKA_CA_FILE": "/no/such/file"}, "TIELINE_KAFKA_CA_FILE: No such file"),
        ({"TIELINE_KAFKA_CERT_FILE": __file__}, "TIELINE_KAFKA_CERT_FILE: set without TIELINE_KAFKA_KEY_FILE"),
        ({"TIELINE_KAFKA_KEY_FILE": __file__}, "TIELINE_KAFKA_KEY_FILE: set without TIELINE_KAFKA_CERT_FILE"),
        ({"TIELINE_KAFKA_KEY_PASSWORD": SECRET}, "TIELINE_KAFKA_KEY_PASSWORD: set without TIELINE_KAFKA_CERT_FILE"),
        ({"TIELINE_KAFKA_CA_FILE": __file__}, "TIELINE_KAFKA_CA_FILE: no certificates of an authority"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused_by_name(changes: dict[str, str], named: str) -> None:
    assert named in refused(**(SASL | changes))


def test_tls_files_without_tls_are_refused() -> None:
    env = SASL | {"TIELINE_KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT", "TIELINE_KAFKA_CA_FILE": __file__}
    assert "TIELINE_KAFKA_CA_FILE: set, but" in refused(**env)


def test_files_that_are_no_certificate_and_key_are_refused() -> None:
    told = refused(
        TIELINE_KAFKA_SECURITY_PROTOCOL="SSL",
        TIELINE_KAFKA_CERT_FILE=__file__,
        TIELINE_KAFKA_KEY_FILE=__file__,
    )
    assert told.startswith("TIELINE_KAFKA_CERT_FILE, TIELINE_KAFKA_KEY_FILE: no certificate and its key")


def test_tls_always_asks_for_the_name_and_the_authority() -> None:
    context = BrokerSecurity(protocol="SSL").tls()
    assert context is not None
    assert context.check_hostname
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2


def test_addresses_are_several_with_commas_or_in_a_list() -> None:
    assert Broker.of("a:1, b:2") == Broker.of(["a:1", "b:2"])
    assert str(Broker.of("a:1,b:2")) == "a:1,b:2"


@pytest.mark.parametrize("nothing", ["", " ", "a:1,", [], [""]])
def test_no_address_is_refused(nothing: str | list[str]) -> None:
    with pytest.raises(ConfigError):
        Broker.of(nothing)


def test_the_embedded_broker_is_spoken_to_in_plaintext_whatever_the_environment_says() -> None:
    assert find_broker("127.0.0.1:1", embedded=True, env=SASL).security.protocol == "PLAINTEXT"
    assert find_broker("127.0.0.1:1", env=SASL).security.protocol == "SASL_SSL"
