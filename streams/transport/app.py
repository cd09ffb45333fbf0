"""A Faust app set up for partition batches, explicit names and raw bytes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

import faust
from aiokafka.errors import KafkaError
from faust.auth import Credentials, SASLCredentials, SSLCredentials
from faust.exceptions import ConsumerNotStarted
from faust.tables.manager import TableManager
from faust.types import Message

from schemas.errors import ConfigError
from streams.telemetry.values import Values
from streams.telemetry.worker_metrics import WORKER
from streams.transport.batch import TopicPartition
from streams.transport.broker import AnyBroker, Broker
from streams.transport.contact import Contact
from streams.transport.deliver import Handle, deliver
from streams.transport.in_flight import InFlight
from streams.transport.membership import Membership
from streams.transport.offsets import Offsets
from streams.transport.settings import TransportSettings

_MISSED_HEARTBEATS = 3
PartitionHook = Callable[[frozenset[TopicPartition]], Awaitable[None]]


class BatchSchema(faust.Schema):  # type: ignore[misc] # untyped base
    """Hands a `PartitionBatch` through untouched; records stay raw bytes."""

    def compile(self, app: Any, **_options: Any) -> Any:
        """Faust's decode function for a topic."""
        create_event = app.create_event

        async def decode(message: Message, *, propagate: bool = False) -> Any:
            return create_event(None, message.value, None, message)

        return decode


class NoTables(TableManager):  # type: ignore[misc] # untyped base
    """Faust's table manager without tables: it also ends a rebalance, so it cannot be left out."""

    async def on_start(self) -> None:
        """As Faust's, without the second it sleeps for tables to be declared."""
        await self._update_channels()
        await self.recovery.start()

    def add(self, table: Any) -> Any:
        """Refuse. Raises: ConfigError: state belongs into a topic of our own, see ADR 0002."""
        raise ConfigError(f"table {table.name}: an app for partition batches keeps no Faust tables")


class BatchApp(faust.App):  # type: ignore[misc] # untyped base
    """A Faust app whose agents receive `PartitionBatch`es; made by `batch_app`.

    Attributes:
        kafka: where it reads.
        offsets: what was delivered, is safe, is committed.
        membership: whether this worker may still write in the name of its partitions.
        in_flight: the handlers at work.
        contact: whether the broker answers.
        values: what this worker counts.
        checks: what has to be `ok` before this worker is ready, by name.
    """

    def __init__(
        self, name: str, kafka: Broker, *, transport_settings: TransportSettings, values: Values, **options: Any
    ) -> None:
        self.kafka = kafka
        self.transport_settings = transport_settings
        self.offsets = Offsets()
        self.membership = Membership(transport_settings.session_timeout_s)
        self.in_flight = InFlight()
        self.contact = Contact(transport_settings.heartbeat_interval_s * _MISSED_HEARTBEATS)
        self.values = values
        self._assigned_hooks: list[PartitionHook] = []
        self._revoked_hooks: list[PartitionHook] = []
        self.checks: Callable[[], Mapping[str, str]] = dict
        super().__init__(name, **options)
        self.on_rebalance_complete.connect(self._restore)

    def on_assigned(self, hook: PartitionHook) -> PartitionHook:
        """Register a hook that runs before the first record of newly assigned partitions is delivered.

        It may take as long as it needs: the worker stays a member. It is cancelled when the partitions are revoked
        meanwhile, and called again after it raised TransientError; any other error ends the worker.
        """
        self._assigned_hooks.append(hook)
        return hook

    def on_revoked(self, hook: PartitionHook) -> PartitionHook:
        """Register a hook that runs to its end before partitions are given up, at a clean stop too.

        It may write, mark and `commit_safe`. It is not called after a crash. TransientError means *not saved*: the
        partitions go all the same and what was not marked is read again by whoever has them next.
        """
        self._revoked_hooks.append(hook)
        return hook

    async def run_assigned_hooks(self, tps: frozenset[TopicPartition]) -> None:
        """Call every `on_assigned` hook in order of registration."""
        for hook in self._assigned_hooks:
            await hook(tps)

    async def run_revoked_hooks(self, tps: frozenset[TopicPartition]) -> None:
        """Call every `on_revoked` hook in order of registration."""
        for hook in self._revoked_hooks:
            await hook(tps)

    def feed(self, handle: Handle, *topics: str, name: str) -> None:
        """Have `handle` called with every batch of these topics, one at a time, through an agent called `name`.

        A topic can be fed to one agent only. See `deliver` for what errors do. Agents run side by side; one agent
        never runs twice at once.
        """

        async def feeder(stream: Any) -> None:
            await deliver(stream, handle)

        self.agent(self.batches(*topics), name=name)(feeder)

    def batches(self, *topics: str) -> Any:
        """The Faust topic for an agent of your own: `async for batch in stream`. Needs `deliver`'s care with
        errors: an exception must not leave such an agent."""
        return self.topic(*topics, schema=BatchSchema(), acks=False, internal=False)

    async def commit_safe(self) -> None:
        """Commit every offset marked safe; returns once the broker acknowledged.

        Raises: TransientError: not acknowledged; nothing changed in what we believe, call again.
        """
        await self.consumer.commit_safe()

    def end_of(self, tp: TopicPartition) -> int | None:
        """Where a held partition ended when it was last fetched; None: not known yet. Asks nobody.

        Wrong on Tansu after a batch.
        """
        if self._consumer is None:
            return None
        try:
            end: int | None = self._consumer.highwater(tp)
        except (KafkaError, ConsumerNotStarted, AssertionError, AttributeError, KeyError):
            return None  # the consumer's thread may be losing the partition meanwhile
        return end

    async def end_offsets(self, tps: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        """Where these partitions end now. On Tansu possibly too low after a batch.

        Raises: KafkaError: no broker answers.
        """
        found = await self.consumer.highwaters(*tps)
        return {TopicPartition(*tp): end for tp, end in found.items()}

    async def start_offsets(self, tps: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        """Where the first records of these partitions are that were not deleted yet.

        Raises: KafkaError: no broker answers.
        """
        found = await self.consumer.earliest_offsets(*tps)
        return {TopicPartition(*tp): start for tp, start in found.items()}

    @property
    def has_crashed(self) -> bool:
        """Whether this worker is going down after an error; it then saves and commits nothing."""
        return bool(self._crashed.is_set())

    async def _restore(self, *_sender: Any, **_details: Any) -> None:
        await self.consumer.take_over()

    def _create_directories(self) -> None:
        """Nothing: Faust would make a folder for tables in the working directory."""

    async def on_stop(self) -> None:
        """Hand over as in a revocation, then stop as Faust does."""
        if self._consumer is not None:
            await self._consumer.hand_over(self.offsets.assigned())
        await super().on_stop()


def batch_app(
    name: str,
    broker: AnyBroker,
    *,
    settings: TransportSettings | None = None,
    values: Values | None = None,
    **faust_options: Any,
) -> BatchApp:
    """A Faust app for partition batches: its name is the consumer group, nothing is created on the broker.

    Args:
        name: app and consumer group, exactly as on the wire.
        broker: where it reads and, if anybody has Faust produce, writes.
        values: made for a list that has all of `WORKER`.
        faust_options: passed to `faust.App`.
    Raises: ConfigError: a name with a module path or a blank broker.
    """
    ours, kafka = settings or TransportSettings(), Broker.of(broker)
    if not name or "__main__" in name:
        raise ConfigError(f"an app needs a name of its own, not {name!r}")
    counted = values or Values(WORKER)
    return BatchApp(
        name, kafka, transport_settings=ours, values=counted, **(_faust_settings(kafka, ours) | faust_options)
    )


def _credentials(kafka: Broker) -> Credentials | None:
    """The same for what Faust itself would connect: its producer."""
    security = kafka.security
    if security.sasl:
        return SASLCredentials(
            username=security.username,
            password=security.password.get_secret_value(),
            ssl_context=kafka.tls,
            mechanism=security.mechanism,
        )
    return SSLCredentials(kafka.tls) if security.encrypted else None


def _faust_settings(kafka: Broker, ours: TransportSettings) -> dict[str, Any]:
    return {
        "broker": [f"tieline://{address}" for address in kafka.servers],
        "broker_credentials": _credentials(kafka),
        "version": 1,
        "autodiscover": False,
        "key_serializer": "raw",
        "value_serializer": "raw",
        "web_enabled": False,
        "store": "memory://",
        "TableManager": NoTables,
        "topic_allow_declare": False,
        "topic_disable_leader": True,
        "stream_buffer_maxsize": ours.buffered_batches,
        "stream_wait_empty": False,
        "broker_session_timeout": ours.session_timeout_s,
        "broker_heartbeat_interval": ours.heartbeat_interval_s,
        "broker_rebalance_timeout": ours.rebalance_timeout_s,
        "broker_max_poll_interval": ours.max_poll_interval_s,
    }
