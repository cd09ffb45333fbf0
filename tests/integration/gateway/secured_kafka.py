"""An Apache Kafka that nobody gets into by chance: a password (SCRAM over TLS) or a certificate (mTLS)."""

from __future__ import annotations

from pathlib import Path

from deploy.kafka.broker import KafkaBroker
from deploy.kafka.broker import free_port as another_port
from tests.integration.gateway.certificates import Certificates

USER, PASSWORD = "tieline", "for-tests-only"
STRANGER = "stranger"
"""Has a password, the same, and no rights."""
_HOST = "127.0.0.1"


class SecuredKafka(KafkaBroker):
    """The listener of `address` is for the tests themselves, in plaintext.

    Attributes:
        by_password: `host:port` of SASL_SSL with SCRAM-SHA-512; the user is `USER`.
        by_certificate: `host:port` of SSL with a client certificate.
    """

    def __init__(self, data: Path, certificates: Certificates) -> None:
        super().__init__(data)
        self.certificates = certificates
        self.by_password = f"{_HOST}:{another_port()}"
        self.by_certificate = f"{_HOST}:{another_port()}"

    def password_env(self, password: str = PASSWORD) -> dict[str, str]:
        """The environment of whoever comes with a password."""
        return {
            "TIELINE_BROKER": self.by_password,
            "TIELINE_KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
            "TIELINE_KAFKA_SASL_MECHANISM": "SCRAM-SHA-512",
            "TIELINE_KAFKA_SASL_USERNAME": USER,
            "TIELINE_KAFKA_SASL_PASSWORD": password,
            "TIELINE_KAFKA_CA_FILE": str(self.certificates.authority),
        }

    def certificate_env(self, client: Certificates | None = None) -> dict[str, str]:
        """The environment of whoever comes with a certificate: these tests' own, unless given."""
        shown = client or self.certificates
        return self.server_env() | {
            "TIELINE_KAFKA_CERT_FILE": str(shown.client),
            "TIELINE_KAFKA_KEY_FILE": str(shown.client_key),
        }

    def server_env(self) -> dict[str, str]:
        """The environment of whoever comes to the listener for certificates without one."""
        return {
            "TIELINE_BROKER": self.by_certificate,
            "TIELINE_KAFKA_SECURITY_PROTOCOL": "SSL",
            "TIELINE_KAFKA_CA_FILE": str(self.certificates.authority),
        }

    def _accounts(self) -> list[str]:
        scram = [f"SCRAM-SHA-512=[name={name},password={PASSWORD}]" for name in (USER, STRANGER)]
        return [word for account in scram for word in ("--add-scram", account)]

    def _write_settings(self) -> Path:
        path = super()._write_settings()
        plain = f"listeners=PLAINTEXT://{_HOST}:{self.port}"
        secured = f"PASSWORD://{self.by_password},CERTIFICATE://{self.by_certificate}"
        settings = path.read_text().replace(plain, f"{plain},{secured}")
        path.write_text(settings + self._security())
        return path

    def _security(self) -> str:
        store = self.data / "server.both.pem"
        store.write_text(self.certificates.server_key.read_text() + self.certificates.server.read_text())
        return f"""\
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,PASSWORD:SASL_SSL,CERTIFICATE:SSL
sasl.enabled.mechanisms=SCRAM-SHA-512
listener.name.password.scram-sha-512.sasl.jaas.config=\
org.apache.kafka.common.security.scram.ScramLoginModule required;
ssl.keystore.type=PEM
ssl.keystore.location={store}
ssl.truststore.type=PEM
ssl.truststore.location={self.certificates.authority}
listener.name.certificate.ssl.client.auth=required
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS;User:{USER};User:CN=client
"""
