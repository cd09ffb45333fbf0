"""Why there is no connection to Kafka, in one line: clients only say that there is none.

aiokafka writes what a broker answered to its log and raises *unable to bootstrap*; kafka-python tries on until its
time is over. So after a failure one more connection is made, by hand, and its error is put into words. None of them
is a secret: user name and addresses are said, passwords and contents of certificates are not.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

from aiokafka.conn import create_conn, get_ip_port_afi
from aiokafka.errors import (
    AuthenticationFailedError,
    IllegalSaslStateError,
    KafkaError,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
)

from schemas.errors import ConfigError, TransientError
from streams.transport.broker import Broker
from streams.transport.security import (
    CA_FILE_ENV,
    CERT_FILE_ENV,
    MECHANISM_ENV,
    PASSWORD_ENV,
    PROTOCOL_ENV,
    USERNAME_ENV,
)

PROBE_TIMEOUT_S = 5.0
_EXPIRED, _NOT_YET = 10, 9
_OTHER_NAME = frozenset({62, 64})
"""OpenSSL's X509_V_ERR_…: HOSTNAME_MISMATCH, IP_ADDRESS_MISMATCH."""


@asynccontextmanager
async def connecting(broker: Broker) -> AsyncIterator[None]:
    """Start an aiokafka client in here.

    Raises: ConfigError, TransientError: the client did not connect; see `refusal`.
    """
    try:
        yield
    except KafkaError as error:
        raise await refusal(broker, error) from error
    except ValueError as error:
        if not broker.security.sasl:
            raise
        raise await refusal(broker, error) from error  # aiokafka's, of a broker that only pretends to know us


async def refusal(broker: Broker, error: BaseException) -> ConfigError | TransientError:
    """What to raise for `error`, which a client raised while connecting.

    Returns: ConfigError if waiting does not help: the account or a certificate is refused, the broker is not the one
        that is named, the two sides speak different protocols. TransientError otherwise.
    Cost: one connection for each address where there is security; none in plaintext.
    """
    if broker.security.protocol == "PLAINTEXT":
        return TransientError(f"broker {broker}: {error!r}")
    found = [await _asked(broker, server) for server in broker.servers]
    refused = next((each for each in found if isinstance(each, ConfigError)), None)
    away = next((each for each in found if each is not None), None)
    return refused or away or TransientError(f"broker {broker}: {type(error).__name__}")


def refusal_of(broker: Broker, error: BaseException) -> ConfigError | TransientError:
    """`refusal` for whoever is not asynchronous; inside of an event loop, too."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, refusal(broker, error)).result()


async def _asked(broker: Broker, server: str) -> ConfigError | TransientError | None:
    """What one address says; None: it lets us in."""
    host, port, _ = get_ip_port_afi(server)
    try:
        async with asyncio.timeout(PROBE_TIMEOUT_S):
            connection = await create_conn(
                host, port, request_timeout_ms=int(PROBE_TIMEOUT_S * 1000), **broker.security_options()
            )
        # With TLS 1.3 a server says only after the handshake that it does not take a client's certificate; that all
        # versions have been asked for by now means that it did.
        connection.close()
        return None
    except Exception as error:  # who knows what is at that port
        return _in_words(broker, server, error)


def _in_words(broker: Broker, server: str, error: BaseException) -> ConfigError | TransientError:
    tls = _tls_error(error)
    if isinstance(tls, ssl.SSLCertVerificationError):
        return _not_believed(broker, server, tls)
    if tls is not None:
        return _tls_failed(broker, server, tls)
    return _not_let_in(broker, server, error)


def _tls_error(error: BaseException | None) -> ssl.SSLError | None:
    while error is not None and not isinstance(error, ssl.SSLError):
        error = error.__cause__
    return error


def _not_believed(broker: Broker, server: str, error: ssl.SSLCertVerificationError) -> ConfigError | TransientError:
    """We do not take the broker's certificate."""
    if error.verify_code in (_EXPIRED, _NOT_YET):
        when = "has expired" if error.verify_code == _EXPIRED else "is not valid yet"
        return TransientError(f"broker {server}: its certificate, or its authority's, {when}")
    if error.verify_code in _OTHER_NAME:
        return ConfigError(f"broker {server}: its certificate is for another name than this address")
    trusted = f"{CA_FILE_ENV} ({broker.security.ca_file})" if broker.security.ca_file else "the system's list"
    why = f"its certificate is not from an authority in {trusted}: {error.verify_message}"
    return ConfigError(f"broker {server}: {why}; see {CA_FILE_ENV}")


def _tls_failed(broker: Broker, server: str, error: ssl.SSLError) -> ConfigError | TransientError:
    reason = error.reason or type(error).__name__
    if "ALERT" in reason and ("CERT" in reason or "UNKNOWN_CA" in reason):
        ours = "refuses our certificate" if broker.security.cert_file else "wants a certificate of ours"
        return ConfigError(f"broker {server}: {ours} ({reason}); see {CERT_FILE_ENV}")
    if reason in ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE"):
        return ConfigError(f"broker {server}: no TLS there ({reason}); see {PROTOCOL_ENV}")
    return TransientError(f"broker {server}: TLS failed: {reason}")


def _not_let_in(broker: Broker, server: str, error: BaseException) -> ConfigError | TransientError:
    security = broker.security
    if isinstance(error, SaslAuthenticationFailed | AuthenticationFailedError):
        return ConfigError(
            f"broker {server}: refuses user {security.username!r} ({security.mechanism}): no such user, or another"
            f" password; see {USERNAME_ENV} and {PASSWORD_ENV}"
        )
    if isinstance(error, UnsupportedSaslMechanismError):
        return ConfigError(f"broker {server}: does not offer {security.mechanism}; see {MECHANISM_ENV}")
    if isinstance(error, IllegalSaslStateError):
        return ConfigError(f"broker {server}: wants no user name and password at this port; see {PROTOCOL_ENV}")
    if isinstance(error, ValueError):
        return ConfigError(f"broker {server}: does not know the password of {security.username!r} itself")
    if isinstance(error, OSError) and not isinstance(error, ConnectionResetError | TimeoutError):
        return TransientError(f"broker {server}: does not answer ({type(error).__name__})")
    what = f"does not answer, or not in {security.protocol} ({type(error).__name__})"
    return TransientError(f"broker {server}: {what}; see {PROTOCOL_ENV}")
