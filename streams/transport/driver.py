"""Faust transport `tieline://`: a partition's records arrive as one message, and offsets follow our own rule.

Faust finds `Transport` by URL scheme through the entry-point group `faust.transports`. Everything between the fetch
and the agent (streams, agents, sensors, timers) stays Faust's; fetching, positions and commits are ours, because
Faust spends four tasks on every record and loses records when a first batch or a commit fails
(docs/adr/0002-batch-transport.md).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Coroutine, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from aiokafka.errors import KafkaError
from faust.exceptions import ConsumerNotStarted
from faust.transport.drivers import aiokafka as stock
from faust.types import TP, ConsumerMessage

from schemas.errors import InvariantError, TransientError
from streams.telemetry.worker_metrics import COMMIT_FAILURES, REBALANCES
from streams.transport.batch import PartitionBatch, TopicPartition, batch_of
from streams.transport.consumer_thread import BatchConsumerThread
from streams.transport.deliver import is_wanted

if TYPE_CHECKING:
    from streams.transport.app import BatchApp

T = TypeVar("T")
_IDLE_WAIT_S = 0.2
_RETRY_PAUSE_S = 0.2


class _NothingRead(dict[Any, None]):
    """Stands in for what Faust remembers of how far each partition was read, and remembers nothing.

    Faust drops, without a word, whatever ends before the offset it remembers, and it notes that offset also for a
    message that a hand-over overtook on its way to the agent: what has to be read again would be lost.
    """

    def __missing__(self, _tp: Any) -> None:
        return None

    def __setitem__(self, _tp: Any, _offset: Any) -> None:
        """Forget it."""


class Consumer(stock.Consumer):  # type: ignore[misc] # untyped base
    """Consumer of partition batches.

    A partition is *readable* from the end of its restore until its revocation. Only readable partitions are
    fetched, and what was fetched under another assignment is dropped; this does not lean on Faust's flow flags.
    It is *told of* from the end of the application's `on_assigned` until `on_revoked`.
    """

    app: BatchApp
    _thread: BatchConsumerThread

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._read_offset = _NothingRead()
        self._readable: dict[TopicPartition, int] = {}
        self._restored: dict[TopicPartition, int] = {}
        self._told: frozenset[TopicPartition] = frozenset()
        self._some_readable = asyncio.Event()
        self._taking_over: asyncio.Task[None] | None = None
        self._commit_turn = asyncio.Lock()
        self._hand_over_turn = asyncio.Lock()
        self._generation = -1

    def _new_consumer_thread(self) -> BatchConsumerThread:
        return BatchConsumerThread(self, loop=self.loop, beacon=self.beacon)

    async def _in_thread(self, call: Coroutine[Any, Any, T]) -> T:
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(call, self._thread.thread_loop))

    # Reading

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[Any, ConsumerMessage]]:  # noqa: ASYNC109 - Faust's
        """One message per partition that brought records; its value is a `PartitionBatch`."""
        if not self.flow_active:
            await self.wait(self.can_resume_flow)
        if not await self._wait_readable(timeout):
            return
        began_under, fetched = await self._in_thread(self._thread.fetch(self._fetchable, _IDLE_WAIT_S))
        for aiokafka_tp, records in fetched.items():
            tp = TopicPartition(*aiokafka_tp)
            # Asked anew for every partition: handing over the one before may have waited across a revocation.
            if records and not self.should_stop and self._readable.get(tp) == began_under[tp]:
                batch = batch_of(tp, records, began_under[tp])
                self.app.offsets.delivered(batch)
                yield TP(*tp), self._message(batch)

    def _fetchable(self) -> Mapping[TopicPartition, int]:
        paused = self._paused_partitions
        return {tp: assignment for tp, assignment in self._readable.copy().items() if tp not in paused}

    async def _wait_readable(self, timeout_s: float) -> bool:
        try:
            await asyncio.wait_for(self._some_readable.wait(), timeout_s)
        except TimeoutError:
            return False
        return not self.should_stop

    def _message(self, batch: PartitionBatch) -> ConsumerMessage:
        last = batch.records[-1]
        return ConsumerMessage(
            topic=batch.topic,
            partition=batch.partition,
            offset=last.offset,
            timestamp=last.timestamp_ms / 1000,
            timestamp_type=0,
            headers=None,
            key=None,
            value=batch,
            checksum=None,
            tp=TP(*batch.tp),
            generation_id=self.app.consumer_generation_id,
        )

    def on_buffer_full(self, tp: Any) -> None:
        """Nothing: a full buffer blocks the fetch loop, which is the back-pressure. Faust would also drop the
        partition from its active set and then sleep a second at a time."""

    def on_buffer_drop(self, tp: Any) -> None:
        """Nothing: see `on_buffer_full`."""

    # Assignment

    async def on_partitions_revoked(self, revoked: Collection[Any]) -> None:
        """Finish the batch in work, let the application save, commit what is safe; only then let go."""
        await self.hand_over([TopicPartition(*tp) for tp in revoked])
        await super().on_partitions_revoked(revoked)

    async def hand_over(self, tps: Collection[TopicPartition]) -> None:
        """Stop reading `tps`, run the application's `on_revoked` to its end, commit, void all later marks.

        A revocation during a stop, and a stop during a revocation, wait for each other.
        """
        self._close(tps)
        async with self._hand_over_turn:
            await self._hand_over(tps)

    async def _hand_over(self, tps: Collection[TopicPartition]) -> None:
        in_flight = self.app.in_flight
        in_flight.handing_over.set()
        try:
            await self._stop_taking_over()
            self._close(tps)
            told = self._told.intersection(tps)
            self._told -= told
            if not await in_flight.drained(self.app.transport_settings.hand_over_wait_s):
                self.log.warning("A batch is still in work; its marks will be void: %s", sorted(tps))
            if told and not self.app.has_crashed:
                await self._save(told)
        finally:
            self.app.offsets.revoke(tps)
            if not self.app.should_stop:
                in_flight.handing_over.clear()

    def _close(self, tps: Collection[TopicPartition]) -> None:
        for tp in tps:
            self._readable.pop(tp, None)
            self._restored.pop(tp, None)
        if not self._readable:
            self._some_readable.clear()

    async def _save(self, tps: frozenset[TopicPartition]) -> None:
        try:
            await self.app.run_revoked_hooks(tps)
            await self.commit_safe()
        except TransientError as error:
            self.log.warning("Not saved before the partitions went, will be read again: %s: %s", error, sorted(tps))
        except Exception as error:
            # Must end here: aiokafka would log it and go on with the rebalance.
            await self.app.crash(error)

    async def on_partitions_assigned(self, assigned: Collection[Any], generation_id: int = 0) -> None:
        """Start a new assignment; nothing is read before `take_over` and `resume_flow`."""
        self._generation = generation_id
        self.app.offsets.assign(TopicPartition(*tp) for tp in assigned)
        self.app.values.add(REBALANCES)
        await super().on_partitions_assigned(assigned, generation_id)

    async def take_over(self) -> None:
        """Run the application's `on_assigned`, then set the position of every partition; ends early if revoked.

        Runs outside the group's join, so that heartbeats go on however long a restore takes.
        """
        await self._stop_taking_over()
        tps = self.app.offsets.assigned()
        if not tps:
            return
        task = self._taking_over = asyncio.create_task(self._take_over(tps))
        try:
            await task
        except asyncio.CancelledError:
            if self._taking_over is task:  # not by a revocation
                if not is_wanted():
                    await self.app.crash(InvariantError("a restore was cancelled from inside"))
                raise

    async def _take_over(self, tps: frozenset[TopicPartition]) -> None:
        while True:
            try:
                positions = await self._starting_positions(tps)
                await self.app.run_assigned_hooks(tps)
                self._told = tps
                await self._in_thread(self._thread.move_to(positions))
                break
            except (TransientError, KafkaError) as error:
                self.log.warning("Taking over partitions failed, trying again: %s", error)
                await asyncio.sleep(getattr(error, "retry_after_s", _RETRY_PAUSE_S))
        for tp, position in positions.items():
            self.app.offsets.start_at(tp, position)
            assignment = self.app.offsets.assignment_of(tp)
            if assignment is not None:
                self._restored[tp] = assignment

    async def _starting_positions(self, tps: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        """The committed offsets; a partition without one gets its earliest offset committed first, so that a failing
        first batch of a new group is read again."""
        committed, earliest = await self._in_thread(self._thread.committed_or_earliest(tps))
        if earliest:
            await self._commit(earliest)
        return committed | earliest

    async def _stop_taking_over(self) -> None:
        task, self._taking_over = self._taking_over, None
        if task is not None and not task.done():
            task.cancel()
            await asyncio.wait([task])

    def resume_flow(self) -> None:
        """Open the restored partitions. Faust calls this right after it cleared its queues, never before."""
        super().resume_flow()
        restored, self._restored = self._restored, {}
        self._readable.update(restored)
        if self._readable:
            self._some_readable.set()

    async def perform_seek(self) -> None:
        """Nothing: `take_over` has set every position."""

    # Committing

    async def commit_safe(self) -> None:
        """Commit every offset marked safe; returns once the broker acknowledged.

        Raises: TransientError: not acknowledged; nothing changed in what we believe, call again.
        """
        async with self._commit_turn:
            marks = self.app.offsets.uncommitted()
            if marks:
                await self._commit({tp: mark.next_offset for tp, mark in marks.items()})
                self.app.offsets.acknowledged(marks)

    async def _commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        try:
            async with asyncio.timeout(self.app.transport_settings.commit_timeout_s):
                await self._in_thread(self._thread.commit_until_acknowledged(offsets, self._generation))
        except (KafkaError, ConsumerNotStarted, TimeoutError) as error:
            self.app.values.add(COMMIT_FAILURES)
            raise TransientError(f"commit to group {self.app.conf.id}: {error!r}") from error

    async def commit(self, topics: Any = None, start_new_transaction: bool = True) -> bool:
        """What Faust's commit timer calls: whatever is safe, and no harm done if the broker is away."""
        if self.app.client_only or self.app.has_crashed:
            return False
        try:
            await self.commit_safe()
        except TransientError as error:
            self.log.warning("Commit failed, will be tried again: %s", error)
            return False
        return True

    async def verify_all_partitions_active(self) -> None:
        """Nothing: Faust's livelock detector measures its own acknowledgements, which are not used here."""


class Transport(stock.Transport):  # type: ignore[misc] # untyped base
    """What `tieline://host:port` stands for."""

    Consumer: ClassVar[type[Consumer]] = Consumer
    driver_version = f"tieline-batches over {stock.Transport.driver_version}"
