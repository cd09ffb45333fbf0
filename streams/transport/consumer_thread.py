"""The aiokafka consumer and the calls into it, all on Faust's consumer thread.

A thread of its own keeps heartbeats going while a handler is busy.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import aiokafka
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import CommitFailedError, ConsumerStoppedError, KafkaError, for_code
from aiokafka.protocol.commit import OffsetFetchRequest
from aiokafka.protocol.group import HeartbeatRequest, JoinGroupRequest, SyncGroupRequest
from aiokafka.structs import OffsetAndMetadata
from faust.transport.drivers import aiokafka as stock

from streams.transport.batch import TopicPartition
from streams.transport.contact import Contact
from streams.transport.membership import Membership
from streams.transport.refusal import connecting

if TYPE_CHECKING:
    from streams.transport.driver import Consumer

# Errors after which the broker still counts the sender as a member.
_STILL_MEMBER = frozenset({"NoError", "RebalanceInProgressError"})
_NO_MEMBER = frozenset({"UnknownMemberIdError", "IllegalGenerationError", "FencedInstanceIdError"})
_RETRY_PAUSE_S = 0.1
_TOPICS_PAUSE_S = 0.25


class BatchConsumerThread(stock.AIOKafkaConsumerThread):  # type: ignore[misc] # untyped base
    """Faust's consumer thread with our consumer settings, exact positions and honest commits."""

    consumer: Consumer

    async def on_start(self) -> None:
        """Start the consumer; every answer of the group coordinator tells whether we are still a member."""
        self._fetching = asyncio.Lock()
        async with connecting(self.app.kafka):
            await super().on_start()
        if not self.app.client_only:
            consumer = self._ensure_consumer()
            coordinator = consumer._coordinator
            # aiokafka keeps these errors for whoever reads next. A worker with a full buffer, or in a restore, reads
            # nothing, and aiokafka would wait for ever: it ends instead.
            coordinator._push_error_to_user = self._end_worker_and_wait
            for routine in (coordinator._coordination_task, consumer._fetcher._fetch_task):
                routine.add_done_callback(self._routine_ended)
            coordinator._send_req = _watched(coordinator._send_req, self.app.membership, self.app.contact)

    def _routine_ended(self, routine: asyncio.Task[None]) -> None:
        error = None if routine.cancelled() else routine.exception()
        if error is not None:
            self._end_worker(error)

    def _end_worker(self, error: BaseException) -> None:
        asyncio.run_coroutine_threadsafe(self.app.crash(error), self.parent_loop)

    def _end_worker_and_wait(self, error: BaseException) -> Coroutine[Any, Any, object]:
        """Returns: what aiokafka is to wait for, the closing of the consumer."""
        self._end_worker(error)
        return asyncio.wait([self._ensure_consumer()._coordinator._closing])

    def _create_worker_consumer(self, transport: Any) -> aiokafka.AIOKafkaConsumer:
        conf, ours = self.app.conf, self.app.transport_settings
        # Range, not Faust's default round robin: it gives partition p of every topic with the same partition count
        # to the same worker, whatever the counts of workers and partitions.
        return aiokafka.AIOKafkaConsumer(
            client_id=conf.broker_client_id,
            group_id=conf.id,
            bootstrap_servers=stock.server_list(transport.url, transport.default_port),
            partition_assignment_strategy=[RangePartitionAssignor],
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_poll_records=ours.max_batch_records,
            max_poll_interval_ms=_ms(ours.max_poll_interval_s),
            max_partition_fetch_bytes=ours.max_partition_fetch_bytes,
            fetch_max_bytes=ours.fetch_max_bytes,
            fetch_max_wait_ms=ours.fetch_max_wait_ms,
            request_timeout_ms=_ms(conf.broker_request_timeout),
            session_timeout_ms=_ms(ours.session_timeout_s),
            heartbeat_interval_ms=_ms(ours.heartbeat_interval_s),
            rebalance_timeout_ms=_ms(ours.rebalance_timeout_s),
            metadata_max_age_ms=conf.consumer_metadata_max_age_ms,
            connections_max_idle_ms=conf.consumer_connections_max_idle_ms,
            **self.app.kafka.security_options(),
        )

    async def subscribe(self, topics: Iterable[str]) -> None:
        """Join the group once all topics exist. Joining earlier gives a worker nothing of an absent topic until its
        metadata expire, minutes later, and makes Tansu create it with a partition count of its own."""
        wanted, told = set(topics), False
        while not self.app.should_stop:
            missing = wanted - await self.call_thread(self._existing_topics)
            if not missing:
                await super().subscribe(wanted)
                return
            if not told:
                self.log.warning(
                    "Waiting for topics to be created, or for the right to read them: %s", ", ".join(sorted(missing))
                )
            told = True
            await asyncio.sleep(_TOPICS_PAUSE_S)

    async def _existing_topics(self) -> set[str]:
        try:
            cluster = await self._ensure_consumer()._client.fetch_all_metadata()
        except KafkaError as error:
            self.log.warning("No answer about topics, asking again: %s", error)
            return set()
        self.app.contact.answered()
        return set(cluster.topics())

    async def fetch(
        self, readable: Callable[[], Mapping[TopicPartition, int]], timeout_s: float
    ) -> tuple[Mapping[TopicPartition, int], Mapping[Any, list[Any]]]:
        """Records by partition, with the assignments that were readable when the fetch began.

        One fetch at a time, and none while positions are being set: a fetch that waits across a rebalance could
        otherwise drain records of the next assignment and have them thrown away as stale.
        """
        consumer = self._ensure_consumer()
        async with self._fetching:
            began_under = dict(readable())
            if not began_under:
                return began_under, {}
            if consumer._closed or consumer._fetcher._closed:
                raise ConsumerStoppedError
            with consumer._fetcher._subscriptions.fetch_context():
                records = await consumer._fetcher.fetched_records(
                    set(began_under), timeout=timeout_s, max_records=self.app.transport_settings.max_batch_records
                )
            return began_under, records

    async def move_to(self, positions: Mapping[TopicPartition, int]) -> None:
        """Read on from exactly these offsets; buffered records of these partitions are dropped."""
        async with self._fetching:
            for tp, offset in positions.items():
                self._ensure_consumer().seek(stock.ensure_aiokafka_TP(tp), offset)

    async def committed_or_earliest(
        self, tps: Iterable[TopicPartition]
    ) -> tuple[dict[TopicPartition, int], dict[TopicPartition, int]]:
        """(committed offsets, earliest offsets of the partitions that have none)."""
        consumer = self._ensure_consumer()
        wanted = [stock.ensure_aiokafka_TP(tp) for tp in tps]
        known = await consumer._coordinator.fetch_committed_offsets(wanted)
        committed = {TopicPartition(*tp): kept.offset for tp, kept in known.items() if kept.offset >= 0}
        unknown = [tp for tp in wanted if TopicPartition(*tp) not in committed]
        earliest = await consumer.beginning_offsets(unknown) if unknown else {}
        return committed, {TopicPartition(*tp): offset for tp, offset in earliest.items()}

    async def commit_until_acknowledged(self, offsets: Mapping[TopicPartition, int], generation: int) -> None:
        """Commit under this generation of the group, trying again while the broker says that may help.

        aiokafka's own `commit` would send a retry under whatever generation the group has by then.
        Raises: KafkaError: not committed, or not known to be.
        """
        coordinator = self._ensure_consumer()._coordinator
        wanted = {stock.ensure_aiokafka_TP(tp): OffsetAndMetadata(offset, "") for tp, offset in offsets.items()}
        while True:
            await coordinator.ensure_coordinator_known()
            if coordinator.generation != generation:
                raise CommitFailedError(f"the group went from generation {generation} to {coordinator.generation}")
            try:
                return await coordinator._do_commit_offsets(None, wanted)  # type: ignore[no-any-return] # None
            except KafkaError as error:
                if not error.retriable:
                    raise
                await asyncio.sleep(_RETRY_PAUSE_S)


def _watched(send: Callable[[Any], Any], membership: Membership, contact: Contact) -> Callable[[Any], Any]:
    """`send`, reporting to `membership` what the answers to heartbeats and group syncs say about us."""

    async def send_watched(request: Any) -> Any:
        sent_at_s = membership.now_s()
        with contact.joining() if isinstance(request, JoinGroupRequest) else nullcontext():
            response = await send(request)
        contact.answered()
        if isinstance(request, OffsetFetchRequest) and getattr(response, "error_code", None):
            # aiokafka takes such an answer, of a coordinator that is still loading, for *nothing was ever committed*.
            raise for_code(response.error_code)()
        if isinstance(request, HeartbeatRequest | SyncGroupRequest):
            error = for_code(response.error_code).__name__
            if error in _STILL_MEMBER:
                membership.confirmed(sent_at_s)
            elif error in _NO_MEMBER:
                membership.lost()
        return response

    return send_watched


def _ms(seconds: float) -> int:
    return int(seconds * 1000)
