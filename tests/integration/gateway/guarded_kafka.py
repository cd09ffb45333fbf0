"""An Apache Kafka that knows who is who (SASL PLAIN on a second listener) and lets nobody do what no ACL allows."""

from __future__ import annotations

import shlex
from pathlib import Path

from kafka import KafkaAdminClient
from kafka.admin import ACL, ACLOperation, ACLPermissionType, ResourcePattern, ResourceType

from deploy.kafka.broker import KafkaBroker
from deploy.kafka.broker import free_port as another_port

PASSWORD = "for-tests-only"
PRINCIPALS = ("tickets", "tieline-gateway", "tieline-infer", "tieline-sink", "tieline-signals")
_HOST = "127.0.0.1"


class GuardedKafka(KafkaBroker):
    """Whoever comes without SASL is the administrator.

    Attributes:
        guarded: `host:port` of the listener that asks for names.
    """

    def __init__(self, data: Path) -> None:
        super().__init__(data)
        self._guarded_port = another_port()
        self.guarded = f"{_HOST}:{self._guarded_port}"

    def _write_settings(self) -> Path:
        path = super()._write_settings()
        users = " ".join(f'user_{name}="{PASSWORD}"' for name in PRINCIPALS)
        login = f"org.apache.kafka.common.security.plain.PlainLoginModule required {users};"
        settings = path.read_text().replace(
            f"listeners=PLAINTEXT://{_HOST}:{self.port}",
            f"listeners=PLAINTEXT://{_HOST}:{self.port},GUARDED://{self.guarded}",
        )
        settings += f"""\
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,GUARDED:SASL_PLAINTEXT
sasl.enabled.mechanisms=PLAIN
listener.name.guarded.plain.sasl.jaas.config={login}
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS
"""
        path.write_text(settings)
        return path


def login(principal: str) -> dict[str, str]:
    """Options of kafka-python's clients for somebody."""
    return {
        "security_protocol": "SASL_PLAINTEXT",
        "sasl_mechanism": "PLAIN",
        "sasl_plain_username": principal,
        "sasl_plain_password": PASSWORD,
    }


def grant(broker: str, script: str) -> int:
    """Do what lines of `$ACLS --add …` (kafka-acls.sh) say, without that program; returns how many rights it were."""
    rights = [right for line in _lines(script) for right in _rights(line)]
    client = KafkaAdminClient(bootstrap_servers=broker)
    try:
        answer = client.create_acls(rights)
    finally:
        client.close()
    assert not answer["failed"], answer
    return len(rights)


def _lines(script: str) -> list[list[str]]:
    return [shlex.split(line) for line in script.replace("\\\n", " ").splitlines() if line.strip()]


def _rights(words: list[str]) -> list[ACL]:
    assert words[:2] == ["$ACLS", "--add"], words
    options: dict[str, list[str]] = {}
    for name, value in zip(words[2::2], words[3::2], strict=True):
        options.setdefault(name.removeprefix("--"), []).append(value)
    (principal,) = options.pop("allow-principal")
    operations = [ACLOperation[name.upper()] for name in options.pop("operation")]
    resources = [ResourcePattern(ResourceType[kind.upper()], name) for kind in options for name in options[kind]]
    return [
        ACL(principal, "*", operation, ACLPermissionType.ALLOW, resource)
        for resource in resources
        for operation in operations
    ]
