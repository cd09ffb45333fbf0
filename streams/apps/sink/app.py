"""The `sink` app: writes rows, state and the archive of events to the store, and repairs what came late.

An offset is committed only after the store has acknowledged everything before it and the touched windows are
aggregated again. Writing something twice changes nothing.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, replace

from aiokafka.errors import KafkaError

from schemas import topics
from schemas.dead_letter import DeadLetter, dead_letter_id, payload_hash
from schemas.errors import InvalidEvent, TransientError
from schemas.events import Event
from schemas.policy import PolicyBook
from schemas.topics import work_item_key
from streams.apps.clock import Clock, wall_clock
from streams.apps.guard import run_beside
from streams.apps.intake import partition_of, read_content, received_at
from streams.apps.meter import Counted, Meter, Reports
from streams.apps.sink import metrics as names
from streams.apps.sink.lane import Lane
from streams.apps.sink.repair import repair
from streams.apps.sink.store import Item, Store
from streams.apps.until_done import until_done
from streams.apps.worker_watch import Checks, WorkerWatch
from streams.telemetry.values import Values
from streams.transport.app import BatchApp, batch_app
from streams.transport.barrier import is_barrier
from streams.transport.batch import PartitionBatch, Record, TopicPartition
from streams.transport.broker import AnyBroker
from streams.transport.producer import BatchProducer
from streams.transport.settings import TransportSettings

GROUP = "tieline-sink"
ROW_TABLES = {
    topics.HANDOFFS: "handoffs",
    topics.EXCHANGES: "exchanges",
    topics.PROBLEMS: "problems",
    topics.EVIDENCE: "evidence",
    topics.STATE: "work_items",
    topics.DEAD_LETTERS: "dead_letters",
    topics.MEASURES: "measures",
    topics.SIGNALS: "signals",
}
AT_ONCE = frozenset({"handoffs", "dead_letters", "signals"})
"""What somebody waits for. Everything else is written together, less often: an insert costs the same whatever its size,
and evidence a look-up and a re-aggregation of windows besides."""
_BEFORE_REPAIRS = (topics.EVENTS, topics.HANDOFFS, topics.EXCHANGES, topics.PROBLEMS, topics.EVIDENCE)
_LOOK_AGAIN_S, _STORED_WITHIN_S = 0.05, 60.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class SinkSettings:
    """Settings of the `sink` app.

    Attributes:
        gather_s: how long a flush waits for more rows; most of a batch arrives together.
        at_once_interval_s: `AT_ONCE` is written at most this often.
        together_interval_s: the rest is written, and windows re-aggregated, at most this often.
        commit_interval_s: how often offsets are committed.
        priors_idle_s: priors are computed this soon after evidence has stopped coming.
        priors_interval_s: and at least this often while it keeps coming.
        due_interval_s: how often evicted items with a passed deadline are looked for.
    """

    gather_s: float = 0.01
    at_once_interval_s: float = 0.06
    together_interval_s: float = 1.0
    commit_interval_s: float = 0.5
    priors_idle_s: float = 2.0
    priors_interval_s: float = 15.0
    due_interval_s: float = 5.0


class Sink:
    """Wires a store to a `BatchApp`."""

    def __init__(
        self,
        app: BatchApp,
        broker: AnyBroker,
        store: Store,
        policies: PolicyBook,
        settings: SinkSettings | None = None,
        clock: Clock = wall_clock,
        checks: Checks = dict,
    ) -> None:
        self.app, self.store, self.policies, self.clock = app, store, policies, clock
        self.settings = settings or SinkSettings()
        self.producer = BatchProducer(broker)
        self._opened = False
        self.values = app.values
        self.values.want(names.SINK)
        self._meter = Meter("sink", counted=Counted(self.values, names.EVENTS, names.FLUSH_S))
        self.watch = WorkerWatch(app, self._meter, checks)
        self._waiting_late: list[tuple[PartitionBatch, set[Item]]] = []
        self._some_late = asyncio.Event()
        self._repairing = asyncio.Lock()
        self._at_once = self._lane(self.settings.at_once_interval_s, at_once=4)
        self._together = self._lane(self.settings.together_interval_s, before=self._at_once)
        self._processes: set[str] = set()

    def _lane(self, every_s: float, at_once: int = 1, before: Lane | None = None) -> Lane:
        return Lane(
            self.store,
            self.app.offsets,
            gather_s=self.settings.gather_s,
            every_s=every_s,
            at_once=at_once,
            before=before,
            meter=self._meter,
        )

    def register(self) -> None:
        """Attach everything to the app; call once."""
        self.watch.register()
        self.values.before_text(self._look)
        self.app.on_assigned(self._on_assigned)
        self.app.on_revoked(self._on_revoked)
        self.app.feed(self._archive, topics.EVENTS, name="tieline-sink-events")
        for topic, table in ROW_TABLES.items():
            self.app.feed(self._rows_of(table), topic, name=f"tieline-sink-{table.replace('_', '-')}")
        self.app.feed(self._late, topics.LATE, name="tieline-sink-late")
        lanes = (self._at_once.run, self._together.run)
        reports = Reports(self.app, self.producer, self._meter)
        run_beside(
            self.app, *lanes, self._commit_loop, self._priors_loop, self._due_loop, self._repair_loop, reports.run
        )

    def _rows_of(self, table: str) -> Callable[[PartitionBatch], Awaitable[None]]:
        lane = self._at_once if table in AT_ONCE else self._together

        async def take(batch: PartitionBatch) -> None:
            await lane.add(table, [record.value for record in _data(batch) if record.value is not None], batch)

        return take

    async def _archive(self, batch: PartitionBatch) -> None:
        """Events that `infer` would refuse are not archived: it has reported them already."""
        rows, processes = [], set()
        records = _data(batch)
        self._meter.read(len(records))
        for record in records:
            try:
                event, payload = read_content(record)
            except InvalidEvent:
                continue
            processes.add(event.process)
            rows.append(self._archive_row(event, payload, record, batch.topic))
        await self._declare(processes)
        await self._together.add("events", rows, batch)

    async def _late(self, batch: PartitionBatch) -> None:
        """First the archive, then the repair: whichever of two late events comes last sees both."""
        rows, items = [], set[Item]()
        for record in _data(batch):
            try:
                event, payload = read_content(record)
            except InvalidEvent as error:
                place = {"topic": topics.LATE, "partition": batch.partition, "offset": record.offset}
                _log.error("not an event in %s at offset %d: %s", topics.LATE, record.offset, error, extra=place)
                continue
            items.add((event.process, event.subject))
            rows.append(self._archive_row(event, payload, record, topics.LATE))
        await self.store.add("events", rows)
        last_only = replace(batch, records=batch.records[-1:])
        self._waiting_late.append((last_only, items))
        self._some_late.set()

    async def _repair_loop(self) -> None:
        """Late events, in order. Not where they are read: events that a repair waits for come by the same way."""
        while True:
            await self._some_late.wait()
            self._some_late.clear()
            taken, self._waiting_late = self._waiting_late, []
            while taken := [(batch, items) for batch, items in taken if self.app.offsets.is_current(batch)]:
                try:
                    await self._stored_up_to_now({batch.partition for batch, items in taken if items})
                    break
                except TransientError as error:
                    _log.warning("late events are looked at again later: %s", error)
                    await asyncio.sleep(error.retry_after_s)
            await self._repair(sorted({item for _, some in taken for item in some}))
            for batch, _ in taken:
                self._at_once.note(batch)

    def _archive_row(self, event: Event, payload: bytes, record: Record, topic: str) -> bytes:
        return self.store.archive_row(event, payload, received_at(record), topic, record.partition, record.offset)

    async def _declare(self, processes: set[str]) -> None:
        unknown = processes - self._processes
        if unknown:
            await self.store.declare(self.policies, unknown)
            self._processes |= unknown

    async def _commit_loop(self) -> None:
        while True:
            await asyncio.sleep(self.settings.commit_interval_s)
            await self._commit()

    async def _commit(self) -> None:
        try:
            await self.app.commit_safe()
        except TransientError as error:  # nothing is lost: the offsets go with the next commit
            _log.warning("offsets not committed: %s", error)

    async def _priors_loop(self) -> None:
        """Soon after the last change, for who looks at figures then; while changes keep coming, now and then."""
        computed_at_s = time.monotonic()
        while True:
            await asyncio.sleep(self.settings.priors_idle_s)
            late = time.monotonic() - computed_at_s >= self.settings.priors_interval_s
            if self._opened and (late or self._together.idle):
                await self.store.refresh_priors()
                computed_at_s = time.monotonic()

    async def _due_loop(self) -> None:
        """Deadlines of evicted items: nobody holds them in memory, so the store is asked."""
        while True:
            await asyncio.sleep(self.settings.due_interval_s)
            if not self._opened:
                continue
            now = self.clock()
            held = {tp.partition for tp in self.app.offsets.assigned() if tp.topic == topics.EVENTS}
            due = [item for item in await self.store.due_items(now) if _partition(item) in held]
            if due:
                try:
                    await self._stored_up_to_now({_partition(item) for item in due})
                except TransientError as error:
                    _log.warning("deadlines of evicted work items are looked at later: %s", error)
                    continue
                await self._repair(due)
                await self.store.flush()

    async def _repair(self, items: Sequence[Item]) -> None:
        """One at a time, and from what is written: two of one item could each take the other's rows for none."""
        async with self._repairing:
            await self.store.flush()
            await repair(self.store, items, self.policies, self.clock())
            self.values.add(names.REPAIRED, len(items))

    async def _stored_up_to_now(self, partitions: Collection[int]) -> None:
        """Wait until the store has all that is in these partitions of the events, and of the rows said of them.

        `infer` has read the events, and said the rows, when it evicts an item. A repair from less would say rows of
        half an item, which nobody takes back: `infer` never said them.

        Records that Kafka has deleted are not waited for.

        Raises: TransientError: no broker answers, the partitions are not held, or it takes longer than a minute.
        """
        tps = [TopicPartition(topic, partition) for topic in _BEFORE_REPAIRS for partition in partitions]
        try:
            ends, starts = await self.app.end_offsets(tps), await self.app.start_offsets(tps)
        except KafkaError as error:
            raise TransientError(f"the ends of partitions: {type(error).__name__}") from error
        ends = {tp: end for tp, end in ends.items() if starts.get(tp, 0) < end}
        give_up_at_s = time.monotonic() + _STORED_WITHIN_S
        while time.monotonic() < give_up_at_s:
            reached = {tp: self.app.offsets.safe_up_to(tp) for tp in tps}
            if None in reached.values():
                raise TransientError("a partition is not ours any more, or not yet")
            if all(offset is None or offset >= ends.get(tp, 0) for tp, offset in reached.items()):
                return
            await asyncio.sleep(_LOOK_AGAIN_S)
        raise TransientError("what was there before them is not stored yet")

    async def _on_assigned(self, tps: frozenset[TopicPartition]) -> None:
        if not self._opened:
            await self.producer.start()
            await self.store.open(self._refused)
            named = {name for policy in self.policies.policies for name in policy.processes if name != "*"}
            await self._declare(named)
            self._opened = True
        else:
            await self.store.take_over()

    async def _on_revoked(self, tps: frozenset[TopicPartition]) -> None:
        await self._together.flush()
        await self._at_once.flush()
        await self.app.commit_safe()

    def _look(self) -> None:
        """What is not counted as it happens."""
        rows, size = self.store.unwritten()
        self.values.set(names.BUFFER_ROWS, rows + self._at_once.waiting + self._together.waiting)
        self.values.set(names.BUFFER_BYTES, size)

    async def _refused(self, table: str, row: bytes, code: str) -> None:
        """A row that the store will never take is a bug of ours: said loudly, and the rest goes on."""
        self.values.add(names.DEAD_ROWS, 1, table)
        _log.error("the store refused a row of %s: %s", table, code, extra={"table": table, "reason": code})
        letter = DeadLetter(
            id=dead_letter_id(code, table, -1, -1, row),
            stage="sink",
            code=f"refused_{code}"[:64],
            field=table,
            payload_sha256=payload_hash(row),
            payload_bytes=len(row),
            at=self.clock(),
        )
        record = (letter.id.encode(), letter.model_dump_json().encode())
        await until_done(lambda: self.producer.produce(topics.DEAD_LETTERS, 0, [record]), self.values)


def _partition(item: Item) -> int:
    return partition_of(work_item_key(*item))


def _data(batch: PartitionBatch) -> list[Record]:
    """The records that are not somebody's barrier."""
    return [record for record in batch.records if not is_barrier(record)]


def sink_app(
    broker: AnyBroker,
    store: Store,
    policies: PolicyBook,
    settings: SinkSettings | None = None,
    transport: TransportSettings | None = None,
    clock: Clock = wall_clock,
    values: Values | None = None,
    checks: Checks = dict,
) -> BatchApp:
    """The `sink` app, ready to run with `run_app`.

    Args:
        broker: an address is plaintext.
        store: where everything goes.
        values: what is counted, where the store counts too.
        checks: what else has to be well before the worker is ready.
    """
    app = batch_app(GROUP, broker, settings=transport, values=values)
    Sink(app, broker, store, policies, settings, clock, checks).register()
    return app
