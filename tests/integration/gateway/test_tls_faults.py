"""What is said when a broker's certificate is not to be believed: TLS servers of our own, so no Kafka is needed."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from schemas.errors import ConfigError, TransientError
from streams.apps import topic_admin
from streams.apps.topic_admin import describe_topics
from streams.transport.broker import Broker
from streams.transport.producer import BatchProducer, ProducerSettings
from streams.transport.security import BrokerSecurity
from tests.integration.gateway.certificates import Certificates, certificates, openssl

IMPATIENT = ProducerSettings(request_timeout_s=2.0)


@pytest.fixture(scope="module")
def pems(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return certificates(tmp_path_factory.mktemp("good"))


@asynccontextmanager
async def tls_server(pems: Certificates) -> AsyncIterator[int]:
    """A server that shakes hands and says nothing; its port on loopback."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pems.server, pems.server_key)

    def hang_up(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with await asyncio.start_server(hang_up, "127.0.0.1", 0, ssl=context) as server:
        yield server.sockets[0].getsockname()[1]


async def fault(pems: Certificates, authority: Path, connect: Callable[[Broker], object]) -> object:
    """What `connect` raises where a server has these certificates and `authority` is trusted."""
    async with tls_server(pems) as port:
        broker = Broker.at(f"127.0.0.1:{port}", BrokerSecurity(protocol="SSL", ca_file=authority))
        with pytest.raises((ConfigError, TransientError)) as told:
            await asyncio.to_thread(connect, broker)
        return told.value


def by_producer(broker: Broker) -> None:
    asyncio.run(BatchProducer(broker, IMPATIENT).start())


def by_admin(broker: Broker) -> None:
    describe_topics(broker)


async def test_an_authority_that_is_not_ours_is_a_setting_to_correct(pems: Certificates, tmp_path: Path) -> None:
    other = certificates(tmp_path)
    told = await fault(pems, other.authority, by_producer)
    assert isinstance(told, ConfigError)
    assert "not from an authority in TIELINE_KAFKA_CA_FILE" in str(told)


async def test_the_admin_client_tells_it_too(pems: Certificates, tmp_path: Path) -> None:
    other = certificates(tmp_path)
    told = await fault(pems, other.authority, by_admin)
    assert isinstance(told, ConfigError)
    assert "not from an authority in TIELINE_KAFKA_CA_FILE" in str(told)


async def test_a_certificate_for_another_name_is_a_setting_to_correct(tmp_path: Path) -> None:
    elsewhere = certificates(tmp_path, names="DNS:kafka.example")
    told = await fault(elsewhere, elsewhere.authority, by_producer)
    assert isinstance(told, ConfigError)
    assert "is for another name than this address" in str(told)


async def test_an_expired_certificate_may_be_renewed_by_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expired = certificates(tmp_path, days=-1)
    told = await fault(expired, expired.authority, by_producer)
    assert isinstance(told, TransientError)
    assert "has expired" in str(told)
    monkeypatch.setattr(topic_admin, "CONNECT_TIMEOUT_S", 0.2)
    told_by_admin = await fault(expired, expired.authority, by_admin)
    assert isinstance(told_by_admin, TransientError)
    assert "has expired" in str(told_by_admin)


async def test_who_speaks_tls_and_no_kafka_is_waited_for(pems: Certificates) -> None:
    told = await fault(pems, pems.authority, by_producer)
    assert isinstance(told, TransientError)
    assert "not in SSL" in str(told)


def test_a_key_is_opened_with_its_password_and_with_no_other(pems: Certificates, tmp_path: Path) -> None:
    locked, password = tmp_path / "locked.key", tmp_path / "password"
    password.write_text("opens-the-key\n")
    openssl(tmp_path, "ec", "-aes256", "-in", str(pems.client_key), "-out", str(locked), "-passout", f"file:{password}")
    env = {
        "TIELINE_KAFKA_SECURITY_PROTOCOL": "SSL",
        "TIELINE_KAFKA_CERT_FILE": str(pems.client),
        "TIELINE_KAFKA_KEY_FILE": str(locked),
    }
    assert BrokerSecurity.from_env(env | {"TIELINE_KAFKA_KEY_PASSWORD_FILE": str(password)}).encrypted
    with pytest.raises(ConfigError, match="TIELINE_KAFKA_KEY_PASSWORD_FILE: does not open"):
        BrokerSecurity.from_env(env | {"TIELINE_KAFKA_KEY_PASSWORD": "another"})
    with pytest.raises(ConfigError, match="TIELINE_KAFKA_KEY_PASSWORD_FILE: is needed to open"):
        BrokerSecurity.from_env(env)


def test_a_key_of_another_certificate_is_refused(pems: Certificates) -> None:
    env = {
        "TIELINE_KAFKA_SECURITY_PROTOCOL": "SSL",
        "TIELINE_KAFKA_CERT_FILE": str(pems.client),
        "TIELINE_KAFKA_KEY_FILE": str(pems.server_key),
    }
    with pytest.raises(
        ConfigError, match="TIELINE_KAFKA_CERT_FILE, TIELINE_KAFKA_KEY_FILE: no certificate and its key"
    ):
        BrokerSecurity.from_env(env)
