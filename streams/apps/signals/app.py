"""The `signals` app: one speaker, chosen by the one partition of its own topic.

It reads what it says: an offset of `tieline.signals` is committed only once the store has everything before it. So
whoever holds the partition next reads all that the store may not have yet, up to a barrier of its own, before it says
anything: a signal is said once, also if the speaker was killed the moment after.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import uuid4

from pydantic import ValidationError

from schemas import topics
from schemas.errors import TransientError
from schemas.signal import EPISODE_KINDS, KINDS, Finding, Signal, SignalKind, Subject
from streams.apps.clock import Clock, wall_clock
from streams.apps.guard import Loop, run_beside
from streams.apps.meter import Meter, Reports
from streams.apps.signals import metrics as names
from streams.apps.signals.saying import closed_signals, new_signals, newest
from streams.apps.signals.settings import Kinds
from streams.apps.signals.store import Listener, Nobody, SignalStore
from streams.apps.until_done import until_done
from streams.apps.worker_watch import Checks, WorkerWatch
from streams.telemetry.values import Values
from streams.transport.app import BatchApp, batch_app
from streams.transport.barrier import BARRIER_KEY, is_barrier
from streams.transport.batch import PartitionBatch, Record, TopicPartition
from streams.transport.broker import AnyBroker
from streams.transport.producer import BatchProducer
from streams.transport.settings import TransportSettings

GROUP = "tieline-signals"
RUN = "live"
PLACE = TopicPartition(topics.SIGNALS, 0)
_TICK_S = 1.0
_log = logging.getLogger(__name__)


class Signals:
    """Looks at the store every few seconds, and says what has begun and what has ended.

    Args:
        listener: is told everything that was said.
        clock: what now is; `elapsed_s` only goes forward.
    """

    def __init__(
        self,
        app: BatchApp,
        broker: AnyBroker,
        store: SignalStore,
        kinds: Kinds,
        listener: Listener | None = None,
        clock: Clock = wall_clock,
        elapsed_s: Callable[[], float] = time.monotonic,
        checks: Checks = dict,
    ) -> None:
        self.app, self.store, self.kinds, self.clock = app, store, kinds, clock
        self.listener: Listener = listener or Nobody()
        self.producer = BatchProducer(broker)
        self.opened: dict[Subject, Signal] = {}
        self.unwritten: dict[str, Signal] = {}
        self._elapsed_s = elapsed_s
        self._next_s: dict[SignalKind, float] = {}
        self.values = app.values
        self.values.want(names.SIGNALS)
        self._meter = Meter("signals")
        self.watch = WorkerWatch(app, self._meter, checks)
        self._started = self._begun = False
        self._token = b""
        self._caught_up = asyncio.Event()
        self._reached: PartitionBatch | None = None
        self._writing = asyncio.Lock()
        self._turn: asyncio.Task[None] | None = None

    def register(self, *beside: Loop) -> None:
        """Attach everything to the app; call once. `beside` runs as long as the app does."""
        self.watch.register()
        self.values.before_text(self._show)
        self.app.on_assigned(self._on_assigned)
        self.app.on_revoked(self._on_revoked)
        self.app.feed(self.handle, topics.SIGNALS, name="tieline-signals-said")
        reports = Reports(self.app, self.producer, self._meter, topic=topics.SIGNALS)
        run_beside(self.app, self._loop, reports.run, *beside)

    @property
    def speaks(self) -> bool:
        """Whether this worker is the one that says things, as far as the broker has told it."""
        return self._caught_up.is_set() and PLACE in self.app.offsets.assigned() and self.app.membership.is_fresh()

    async def handle(self, batch: PartitionBatch) -> None:
        """What was said, by this worker or an earlier one: not known to be in the store yet."""
        for record in batch.records:
            if is_barrier(record):
                if record.value == self._token:
                    self._caught_up.set()
            elif (signal := _signal(record)) is not None:
                self.unwritten |= newest([*filter(None, [self.unwritten.get(signal.signal)]), signal])
        self._reached = batch

    async def turn(self) -> None:
        """Look at everything that is due to be looked at, once."""
        if not self._begun:
            await self._begin()
        await self._confirm()
        for kind in KINDS:
            if self._elapsed_s() >= self._next_s.get(kind, 0.0):
                await self._look(kind)
                self._next_s[kind] = self._elapsed_s() + self.kinds.of(kind).every_s

    async def _begin(self) -> None:
        unwritten = list(self.unwritten.values())
        known = newest([*unwritten, *await self.store.said(unwritten), *await self.store.opened()])
        self.opened = {signal.subject: signal for signal in known.values() if signal.state == "opened"}
        await self.listener.begin(list(known.values()))
        self._begun = True
        _log.info("speaking: %d signals are open", len(self.opened))

    async def _confirm(self) -> None:
        """Forget what the store has, and commit up to where it has everything."""
        reached = self._reached
        if self.unwritten:
            for kept in await self.store.said(list(self.unwritten.values())):
                waiting = self.unwritten.get(kept.signal)
                if waiting is not None and waiting.said_at <= kept.said_at:
                    del self.unwritten[kept.signal]
        if reached is not None and not self.unwritten:
            self.app.offsets.mark_safe_up_to(PLACE, reached.next_offset, reached.assignment)
            self._reached = None if self._reached is reached else self._reached
            try:
                await self.app.commit_safe()
            except TransientError as error:  # what is read again is confirmed again
                _log.warning("offsets not committed: %s", error)

    async def _look(self, kind: SignalKind) -> None:
        now, chosen = self.clock(), self.kinds.of(kind)
        found = await self.store.findings(kind, now) if chosen.enabled else []
        findings = [finding for finding in found if chosen.wants(finding)]
        opened = {subject: signal for subject, signal in self.opened.items() if signal.kind == kind}
        fresh = new_signals(RUN, findings, opened, {}, chosen.is_urgent, now)
        if fresh:
            earlier = newest(await self.store.said(fresh))
            fresh = new_signals(RUN, findings, opened, earlier, chosen.is_urgent, now)
        await self._say([*fresh, *await self._ended(kind, opened, findings, now)])

    async def _ended(
        self, kind: SignalKind, opened: dict[Subject, Signal], findings: Sequence[Finding], now: datetime
    ) -> list[Signal]:
        subjects = {finding.subject for finding in findings}
        gone = [signal for subject, signal in opened.items() if subject not in subjects]
        chosen = [signal for signal in gone if self.kinds.of(kind).enabled and self.kinds.of(kind).wants(signal)]
        ended = await self.store.endings(chosen, now) if chosen and kind in EPISODE_KINDS else {}
        return closed_signals(gone, findings, ended, now)

    async def _say(self, signals: Sequence[Signal]) -> None:
        """Onto the log; what is not acknowledged was not said."""
        if not signals:
            return
        pairs = [(signal.signal.encode(), signal.model_dump_json().encode()) for signal in signals]
        write = self._meter.begin(None)
        async with self._writing:
            if not self.speaks:
                return
            await until_done(lambda: self.producer.produce(topics.SIGNALS, 0, pairs), self.values)
            self._meter.done(write)
            self._meter.read(len(signals))
            for signal in signals:
                self.unwritten[signal.signal] = signal
                if signal.state == "opened":
                    self.opened[signal.subject] = signal
                else:
                    self.opened.pop(signal.subject, None)
            self.listener.said(signals)
        for signal in signals:
            self.values.add(names.SAID, 1, signal.kind, signal.state)
            extra = {"of_process": signal.process} if signal.process else {}
            _log.info("%s %s: %s", signal.kind, signal.state, signal.signal, extra=extra)

    def _show(self) -> None:
        """What is not counted as it happens."""
        self.values.set(names.SPEAKS, self.speaks)
        self.values.set(names.OPEN, len(self.opened))

    async def _loop(self) -> None:
        while True:
            await asyncio.sleep(_TICK_S)
            if not self.speaks:
                continue
            self._turn = asyncio.create_task(self.turn())
            try:
                await asyncio.wait([self._turn])
            finally:
                self._turn.cancel()
            if not self._turn.cancelled():
                self._turn.result()

    async def _on_assigned(self, tps: frozenset[TopicPartition]) -> None:
        if not self._started:
            await self.store.open()
            await self.producer.start()
            self._started = True
        if PLACE in tps:
            async with self._writing:  # it may have been lost without being revoked
                self._forget()
            self._token = uuid4().bytes
            await self.producer.produce(topics.SIGNALS, 0, [(BARRIER_KEY, self._token)])

    async def _on_revoked(self, tps: frozenset[TopicPartition]) -> None:
        """Finish what is being said, and say no more."""
        async with self._writing:
            self._forget()

    def _forget(self) -> None:
        if self._turn is not None:
            self._turn.cancel()  # it compares with what was said before somebody else may have spoken
        self._caught_up.clear()
        self._begun, self._reached = False, None
        self.opened, self.unwritten, self._next_s = {}, {}, {}
        self.listener.end()


def _signal(record: Record) -> Signal | None:
    try:
        return Signal.model_validate_json(record.value or b"")
    except ValidationError:
        _log.error("not a signal in %s at offset %d", topics.SIGNALS, record.offset)
        return None


def signals_app(
    broker: AnyBroker,
    store: SignalStore,
    kinds: Kinds,
    listener: Listener | None = None,
    transport: TransportSettings | None = None,
    clock: Clock = wall_clock,
    beside: Sequence[Loop] = (),
    values: Values | None = None,
    checks: Checks = dict,
) -> tuple[BatchApp, Signals]:
    """The `signals` app, ready to run with `run_app`, and what it does."""
    app = batch_app(GROUP, broker, settings=transport, values=values)
    signals = Signals(app, broker, store, kinds, listener, clock, checks=checks)
    signals.register(*beside)
    return app, signals
