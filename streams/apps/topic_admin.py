"""Creating and describing Tieline's topics, with kafka-python."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import NamedTuple

from kafka import KafkaAdminClient
from kafka.admin import NewTopic
from kafka.errors import AuthorizationError, KafkaError, TopicAlreadyExistsError

from schemas.errors import ConfigError, TransientError
from schemas.topics import TOPICS
from streams.transport.broker import AnyBroker, Broker

CONNECT_TIMEOUT_S = 10.0
KNOWN_WITHIN_S = 20.0
_REFUSED_AFTER_S = 1.0


class TopicState(NamedTuple):
    """One topic as the broker has it; `partitions` 0 means it does not exist."""

    name: str
    partitions: int
    needed: int

    @property
    def right(self) -> bool:
        """Whether it can be used as it is."""
        return self.partitions == self.needed


@contextmanager
def admin(broker: AnyBroker) -> Iterator[KafkaAdminClient]:
    """A connected admin client.

    Raises: TransientError: no broker answers. ConfigError: one does, and refuses us, or what is done inside.
    """
    where = Broker.of(broker)
    client = _connected(where)
    try:
        yield client
    except AuthorizationError as error:
        raise ConfigError(f"broker {where}: does not let this account do that ({type(error).__name__})") from error
    except KafkaError as error:
        raise TransientError(f"broker {where}: {type(error).__name__}") from error
    finally:
        client.close()


def _connected(broker: Broker) -> KafkaAdminClient:
    if broker.security.protocol != "PLAINTEXT":
        # A broker that refuses us is found out after a second: the client itself goes on trying till the end.
        with suppress(TransientError):
            return _client(broker, _REFUSED_AFTER_S)
    return _client(broker, CONNECT_TIMEOUT_S)


def _client(broker: Broker, timeout_s: float) -> KafkaAdminClient:
    try:
        return KafkaAdminClient(bootstrap_timeout_ms=int(timeout_s * 1000), **broker.kafka_python_options())
    except KafkaError as error:
        raise _fault(broker, error) from error


def _fault(broker: Broker, error: KafkaError) -> ConfigError | TransientError:
    if broker.security.protocol == "PLAINTEXT":
        return TransientError(f"broker {broker}: {type(error).__name__}")
    from streams.transport.refusal import refusal_of  # and aiokafka with it

    return refusal_of(broker, error)


def create_topics(broker: AnyBroker, replication_factor: int = 1) -> list[str]:
    """Create the topics that do not exist; safe to call again. Returns the names of those created.

    Args:
        replication_factor: copies of every partition, each on another broker. With three or more a record is
            acknowledged once all but one at least have it: nothing acknowledged is lost with any one broker, and
            writing goes on without it.
    Raises:
        TransientError: no broker answers.
        ConfigError: a topic exists with another number of partitions; it cannot be changed without losing order.
    """
    with admin(broker) as client:
        existing = set(client.list_topics())
        missing = [topic for topic in TOPICS if topic.name not in existing]
        wanted = [
            NewTopic(
                name=topic.name,
                num_partitions=topic.partitions,
                replication_factor=replication_factor,
                topic_configs=topic.config | _in_sync(replication_factor),
            )
            for topic in missing
        ]
        try:
            if wanted:
                client.create_topics(wanted)
        except TopicAlreadyExistsError:
            pass  # another process was faster; what it made is checked below
    wrong = [state for state in _once_known(partial(describe_topics, broker)) if not state.right]
    if wrong:
        found = ", ".join(f"{state.name} has {state.partitions} and needs {state.needed}" for state in wrong)
        raise ConfigError(f"topics with another number of partitions: {found}")
    return [topic.name for topic in missing]


def _in_sync(replication_factor: int) -> dict[str, str]:
    """Kafka's own default for `acks=all` is one copy, which may be on the broker that dies next."""
    return {"min.insync.replicas": str(replication_factor - 1)} if replication_factor > 2 else {}


def _once_known(
    describe: Callable[[], list[TopicState]], timeout_s: float = KNOWN_WITHIN_S, pause_s: float = 0.1
) -> list[TopicState]:
    """The topics, once those that were just created are known: a busy broker tells of them a moment later."""
    deadline_s = time.monotonic() + timeout_s
    while True:
        states = describe()
        if all(state.partitions for state in states) or time.monotonic() > deadline_s:
            return states
        time.sleep(pause_s)


def describe_topics(broker: AnyBroker) -> list[TopicState]:
    """All of Tieline's topics as the broker has them, in the order of `TOPICS`.

    Raises: TransientError: no broker answers.
    """
    names = [topic.name for topic in TOPICS]
    with admin(broker) as client:
        existing = set(client.list_topics())
        described = client.describe_topics([name for name in names if name in existing]) if existing else []
    partitions = {entry["name"]: len(entry["partitions"]) for entry in described}
    return [TopicState(topic.name, partitions.get(topic.name, 0), topic.partitions) for topic in TOPICS]
