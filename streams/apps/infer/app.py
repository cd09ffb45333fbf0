"""The `infer` app: folds batches of events, writes what changed, keeps checkpoints.

The order of writes is what makes a crash harmless: rows acknowledged, then the states of the changed items
acknowledged, then the offset committed. State may be ahead of the offset, never behind; folding is a union, so what is
read again changes nothing.
"""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass

from schemas import topics
from schemas.errors import InvalidEvent, TransientError
from schemas.policy import PolicyBook
from schemas.topics import event_key
from streams.apps.clock import Clock, wall_clock
from streams.apps.guard import run_beside
from streams.apps.infer import metrics as names
from streams.apps.infer.items import Packing
from streams.apps.infer.outbox import Outbox
from streams.apps.infer.partition import Partition
from streams.apps.intake import dead_letter, read_content, received_at
from streams.apps.meter import Counted, Meter, Reports, further_behind
from streams.apps.refusals import Refusals
from streams.apps.state import decode_state
from streams.apps.until_done import all_done, until_done
from streams.apps.worker_watch import WorkerWatch
from streams.transport.app import BatchApp, batch_app
from streams.transport.barrier import is_barrier, read_to_barrier
from streams.transport.batch import PartitionBatch, Record, TopicPartition
from streams.transport.broker import AnyBroker
from streams.transport.producer import BatchProducer
from streams.transport.settings import TransportSettings

GROUP = "tieline-infer"
_ROWS_AT_ONCE = 1_000
"""Of one work item, as JSON; most have ten."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class InferSettings:
    """Settings of the `infer` app.

    Attributes:
        gather_s: how long a write waits for more events; a fetch brings several partitions.
        checkpoint_interval_s: at most this long between checkpoints; what a restart reads again.
        checkpoint_events: a checkpoint comes earlier after so many events.
        tick_interval_s: how often deadlines are looked at.
        max_unwritten_events: intake waits above this, so that a slow broker bounds memory.
        max_outbox_bytes: rows are sent once there are more of them.
        slice_items: work items folded before other tasks of the process get their turn.
        say_restored: say the rows of restored items again. Where the broker forgets, a state may have been archived
            while rows that were produced before it were still on their way, and then nobody else has them.
    """

    gather_s: float = 0.01
    checkpoint_interval_s: float = 2.0
    checkpoint_events: int = 20_000
    tick_interval_s: float = 0.5
    max_unwritten_events: int = 20_000
    max_outbox_bytes: int = 16 * 1024 * 1024
    slice_items: int = 100
    say_restored: bool = False


class _StaleError(Exception):
    """This worker may have lost its partitions: a successor may be ahead of what it holds."""


class Infer:
    """Wires partitions, outbox and checkpoints to a `BatchApp`."""

    def __init__(
        self,
        app: BatchApp,
        broker: AnyBroker,
        policies: PolicyBook,
        settings: InferSettings | None = None,
        clock: Clock = wall_clock,
    ) -> None:
        self.app, self.broker, self.policies, self.clock = app, broker, policies, clock
        self.settings = settings or InferSettings()
        self.partitions: dict[int, Partition] = {}
        self._packing = Packing()
        self.outbox = Outbox()
        self.producer = BatchProducer(broker)
        self._started = False
        self._writing = asyncio.Lock()
        self._intake = asyncio.Lock()
        self._folded = asyncio.Event()
        self._written = asyncio.Event()
        self._unwritten_events = 0
        self._unsaved_events = 0
        self._checkpoint_at_s = time.monotonic()
        self.values = app.values
        self.values.want(names.INFER)
        self._meter = Meter("infer", counted=Counted(self.values, names.EVENTS, names.WRITE_S))
        self._refusals = Refusals(self.values, names.REFUSED)
        self.watch = WorkerWatch(app, self._meter)
        self._unwritten_newest_ms: int | None = None

    def register(self) -> None:
        """Attach everything to the app; call once."""
        self.watch.register()
        self.values.before_text(self._look)
        self.app.on_assigned(self._on_assigned)
        self.app.on_revoked(self._on_revoked)
        self.app.feed(self.handle, topics.EVENTS, name="tieline-infer-events")
        reports = Reports(self.app, self.producer, self._meter)
        run_beside(self.app, self._write_loop, self._tick_loop, reports.run)

    async def handle(self, batch: PartitionBatch) -> None:
        """Fold one batch; writing follows on its own, in `_write_loop`, and goes on meanwhile."""
        while self._unwritten_events > self.settings.max_unwritten_events:
            self._written.clear()
            await self._written.wait()
        async with self._intake:
            partition = self.partitions.get(batch.partition)
            if partition is None or not self.app.offsets.is_current(batch):
                return
            barriers, began_s = 0, time.perf_counter()
            for record in batch.records:
                if is_barrier(record):
                    barriers += 1
                else:
                    self._fold(partition, record)
            partition.assignment, partition.next_offset = batch.assignment, batch.next_offset
            self._unwritten_events += len(batch)
            self._unsaved_events += len(batch)
            self._meter.read(len(batch) - barriers)
            self.values.add(names.BATCHES)
            self.values.observe(names.FOLD_S, time.perf_counter() - began_s)
            self._unwritten_newest_ms = further_behind(self._unwritten_newest_ms, batch)
        self._folded.set()

    def _fold(self, partition: Partition, record: Record) -> None:
        try:
            event, content = read_content(record, partition.folds)
            key = event_key(event)
            if partition.is_stub(key):
                self.outbox.add_late(partition.number, key, content)
                self.values.add(names.LATE)
                return
            loser = partition.fold(event, received_at(record), record.offset, content)
            if loser is not None:
                self._refuse(record, InvalidEvent("conflict", "id"), loser)
        except InvalidEvent as error:
            self._refuse(record, error, record.value or b"")

    def _refuse(self, record: Record, error: InvalidEvent, payload: bytes) -> None:
        self.outbox.add_dead_letter(dead_letter("infer", topics.EVENTS, record, error, payload))
        self._refusals.note(error.code, topics.EVENTS, record)

    async def _write_loop(self) -> None:
        """Write what changed as soon as it changed; keep a checkpoint when one is due."""
        while True:
            if not self._checkpoint_due():
                wait_s = self._checkpoint_at_s + self.settings.checkpoint_interval_s - time.monotonic()
                await _wait(self._folded, max(0.0, wait_s) if self._has_unsaved() else None)
                await asyncio.sleep(self.settings.gather_s)
            self._folded.clear()
            async with self._writing:
                await self._write()
                if self._checkpoint_due():
                    await self._checkpoint()

    async def _write(self) -> None:
        """All changes of all partitions into the outbox and to the broker, until acknowledged.

        Events that are folded meanwhile may be in it or not: they count as unwritten.
        """
        self._refusals.say()
        as_of, events = self.clock(), self._unwritten_events
        write, self._unwritten_newest_ms = self._meter.begin(self._unwritten_newest_ms), None
        reached: list[tuple[Partition, int]] = []
        sent = False
        for partition in list(self.partitions.values()):
            reached.append((partition, partition.next_offset))
            for count, (key, rows) in enumerate(partition.take_changes(as_of), start=1):
                for start in range(0, len(rows), _ROWS_AT_ONCE):
                    self.outbox.add_rows(partition.number, key, rows[start : start + _ROWS_AT_ONCE])
                    if self.outbox.row_bytes > self.settings.max_outbox_bytes:
                        await self._send()
                        sent = True
                if count % self.settings.slice_items == 0:
                    await asyncio.sleep(0)
        if len(self.outbox):
            await self._send()
            sent = True
        if sent:
            self._meter.done(write)
        else:
            self._meter.drop(write)
        for partition, offset in reached:
            partition.written_offset = offset
        self._unwritten_events -= events
        self._written.set()

    async def _send(self) -> None:
        for topic, count in self.outbox.waiting().items():
            self.values.add(names.RECORDS, count, topic)
        await until_done(lambda: self.outbox.send(self.producer), self.values)

    def _has_unsaved(self) -> bool:
        return self._unsaved_events > 0 or any(partition.has_unsaved() for partition in self.partitions.values())

    def _checkpoint_due(self) -> bool:
        waited_s = time.monotonic() - self._checkpoint_at_s
        late = waited_s >= self.settings.checkpoint_interval_s
        return self._has_unsaved() and (late or self._unsaved_events >= self.settings.checkpoint_events)

    async def _checkpoint(self) -> None:
        """States, then offsets. A worker that may have lost its partitions writes no state, however far it has come:
        a successor may be ahead of it.

        Intake waits while states are taken: one that held an event whose rows are not written would hide that event
        from a restart, which takes it for known and says nothing.
        """
        if not self.app.membership.is_fresh():
            await asyncio.sleep(self.settings.tick_interval_s)
            return
        began_s = time.perf_counter()
        async with self._intake:
            await self._write()
            as_of = self.clock()
            states = {number: partition.take_states(as_of) for number, partition in self.partitions.items()}
            self._unsaved_events = 0
        try:
            await until_done(lambda: self._keep_states(states), self.values)
        except _StaleError:
            # To wait here until it is fresh again would keep a hand-over waiting, which is what could make it so.
            for number, partition in self.partitions.items():
                partition.states_not_kept(key for key, _ in states[number])
            return
        for number, partition in self.partitions.items():
            partition.states_kept()
            if partition.assignment >= 0:
                tp = TopicPartition(topics.EVENTS, number)
                self.app.offsets.mark_safe_up_to(tp, partition.written_offset, partition.assignment)
        self._checkpoint_at_s = time.monotonic()
        await self._commit()
        self.values.observe(names.CHECKPOINT_S, time.perf_counter() - began_s)

    async def _keep_states(self, states: dict[int, list[tuple[bytes, bytes]]]) -> None:
        if not self.app.membership.is_fresh():
            raise _StaleError
        writes = (self.producer.produce(topics.STATE, number, records) for number, records in states.items() if records)
        await all_done(writes)

    async def _commit(self) -> None:
        try:
            await self.app.commit_safe()
        except TransientError as error:  # nothing is lost: the offset goes with the next checkpoint
            _log.warning("offsets not committed: %s", error)

    async def _tick_loop(self) -> None:
        """Deadlines pass without any event."""
        while True:
            await asyncio.sleep(self.settings.tick_interval_s)
            self._refusals.say()
            now = self.clock()
            for partition in list(self.partitions.values()):
                partition.tick(now)
            if any(partition.unsaid() or partition.has_unsaved() for partition in self.partitions.values()):
                self._folded.set()

    async def _on_assigned(self, tps: frozenset[TopicPartition]) -> None:
        """Read the state of new partitions before their first event is delivered."""
        if not self._started:
            await self.producer.start()
            self._started = True
        began_s = time.perf_counter()
        numbers = sorted(tp.partition for tp in tps if tp.topic == topics.EVENTS)
        restored = {number: Partition(number, self.policies, packing=self._packing) for number in numbers}
        async for record in read_to_barrier(topics.STATE, numbers, broker=self.broker, producer=self.producer):
            if record.value is not None:
                restored[record.partition].restore(decode_state(record.value))
        ends = await self.app.end_offsets(TopicPartition(topics.EVENTS, number) for number in numbers)
        for number, partition in restored.items():
            end = ends.get(TopicPartition(topics.EVENTS, number), 0)
            partition.start(wall_clock(), self.settings.say_restored, end)
        async with self._writing:
            self.partitions.update(restored)
        self._folded.set()
        items = sum(len(partition.folds) for partition in restored.values())
        took_s = time.perf_counter() - began_s
        self.values.observe(names.RESTORE_S, took_s)
        self.values.add(names.RESTORED, items)
        _log.info("%d partitions assigned, %d work items restored in %.1f s", len(numbers), items, took_s)

    async def _on_revoked(self, tps: frozenset[TopicPartition]) -> None:
        """Write and keep everything of these partitions, then forget them."""
        async with self._writing:
            try:
                await self._write()
                await self._checkpoint()
            finally:
                for tp in tps:
                    self.partitions.pop(tp.partition, None)

    def _look(self) -> None:
        """What is not counted as it happens."""
        self.values.set(names.OPEN_ITEMS, sum(len(partition.folds) for partition in self.partitions.values()))
        self.values.set(names.STUBS, sum(len(partition.stubs) for partition in self.partitions.values()))
        self.values.set(names.UNWRITTEN, self._unwritten_events)


async def _wait(event: asyncio.Event, timeout_s: float | None) -> None:
    try:
        await asyncio.wait_for(event.wait(), timeout_s)
    except TimeoutError:
        return


def infer_app(
    broker: AnyBroker,
    policies: PolicyBook,
    settings: InferSettings | None = None,
    transport: TransportSettings | None = None,
    clock: Clock = wall_clock,
) -> BatchApp:
    """The `infer` app, ready to run with `run_app`.

    Args:
        broker: an address is plaintext.
        clock: what `as_of` is; a pinned one makes two runs comparable row by row.
    """
    app = batch_app(GROUP, broker, settings=transport)
    Infer(app, broker, policies, settings, clock).register()
    return app
