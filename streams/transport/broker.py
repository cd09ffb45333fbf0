"""Where Kafka is, and how it is spoken to there."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

from schemas.errors import ConfigError
from streams.transport.security import BrokerSecurity

PLAINTEXT = BrokerSecurity()


@dataclass(frozen=True)
class Broker:
    """A Kafka cluster: what every part that connects to one is given. As text it is its addresses, without secrets.

    Attributes:
        servers: `host:port` of the brokers that are asked first.
    """

    servers: tuple[str, ...]
    security: BrokerSecurity = PLAINTEXT

    def __post_init__(self) -> None:
        if not self.servers or not all(server and server.isprintable() for server in self.servers):
            raise ConfigError("the address of a broker is empty, expected host:port")

    @classmethod
    def of(cls, broker: AnyBroker) -> Broker:
        """A broker as it is; addresses (`host:port`, several with commas between or in a list) in plaintext.

        Raises: ConfigError: there is no address.
        """
        return broker if isinstance(broker, Broker) else cls.at(broker)

    @classmethod
    def at(cls, servers: str | Sequence[str], security: BrokerSecurity | None = None) -> Self:
        """The brokers at these addresses. Raises: ConfigError: there is none."""
        parts = servers.split(",") if isinstance(servers, str) else servers
        return cls(tuple(part.strip() for part in parts), security or PLAINTEXT)

    def __str__(self) -> str:
        return ",".join(self.servers)

    @cached_property
    def tls(self) -> ssl.SSLContext | None:
        """One context for all connections, made at the first; None without TLS. Raises: ConfigError: see
        `BrokerSecurity.tls`."""
        return self.security.tls()

    def aiokafka_options(self) -> dict[str, Any]:
        """Keyword arguments of aiokafka's clients; the password is in them."""
        return {"bootstrap_servers": list(self.servers)} | self.security_options()

    def kafka_python_options(self) -> dict[str, Any]:
        """Keyword arguments of kafka-python's clients; the password is in them."""
        return {"bootstrap_servers": list(self.servers)} | self.security_options()

    def security_options(self) -> dict[str, Any]:
        """Both without the addresses: the two clients name these things alike. Empty for plaintext."""
        if self.security.protocol == "PLAINTEXT":
            return {}
        return {
            "security_protocol": self.security.protocol,
            "ssl_context": self.tls,
        } | self.security.sasl_options()


AnyBroker = str | Sequence[str] | Broker
"""What parts that connect take; plain addresses are plaintext."""
