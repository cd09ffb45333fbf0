"""The `signals` app, put together: settings from YAML, the store it looks at, the webhooks it tells."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from schemas import topics
from schemas.dead_letter import DeadLetter
from schemas.errors import ConfigError, InvariantError, TransientError
from schemas.signal import Delivery, Finding, Signal, SignalKind
from sinks.clickhouse.faults import StoreAway
from sinks.clickhouse.migrate import require_current
from sinks.clickhouse.queries import signals as queries
from sinks.clickhouse.retry import Retry
from sinks.clickhouse.settings import ClickHouseSettings, connect
from streams.apps.clock import Clock, wall_clock
from streams.apps.signals import metrics as names
from streams.apps.signals.app import RUN, Signals, signals_app
from streams.apps.signals.settings import Kinds
from streams.apps.store_watch import StoreMetrics, StoreWatch
from streams.gateway.source_files import read_settings
from streams.telemetry.values import Values
from streams.transport.app import BatchApp
from streams.transport.broker import AnyBroker
from streams.transport.settings import TransportSettings
from streams.webhooks.deliveries import Deliveries
from streams.webhooks.outbox import Outbox
from streams.webhooks.sender import HttpSender
from streams.webhooks.settings import Receiver, SignalsFile, receivers

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

SIGNALS_ENV = "TIELINE_SIGNALS"
SIGNALS_FILE = "signals.yaml"
_RETRY_S = 2.0
Result = TypeVar("Result")
_log = logging.getLogger("tieline.signals")


def read_signals_file(path: Path | None) -> SignalsFile:
    """The settings in a file; None: the defaults, without any webhook.

    Raises: ConfigError: with file, field and what was expected.
    """
    return SignalsFile() if path is None else read_settings(path, SignalsFile, "kinds:")


def signals_path(given: Path | None, folder: Path, env: Mapping[str, str] = os.environ) -> Path | None:
    """The settings file: as given, else `TIELINE_SIGNALS`, else `signals.yaml` in the data folder if it is there."""
    if given or env.get(SIGNALS_ENV):
        return given or Path(env[SIGNALS_ENV])
    found = folder / SIGNALS_FILE
    return found if found.exists() else None


class SignalsOnClickHouse:
    """The store of the app and of deliveries. A store that is away is waited for, and that is said."""

    def __init__(self, settings: ClickHouseSettings, kinds: Kinds, watch: StoreWatch | None = None) -> None:
        self._settings, self._kinds, self._watch = settings, kinds, watch
        self._retry = Retry(self._say, threads=2)
        self._client: Client | None = None

    async def open(self) -> None:
        """Raises: ConfigError: the account is refused, or migrations are missing. TransientError: no answer."""
        try:
            client = await asyncio.to_thread(connect, self._settings)
        except TransientError:  # whoever opens says so and tries again
            if self._watch is not None:
                self._watch.troubled("no_answer")
            raise
        if self._watch is not None:
            self._watch.answers()
        await self._retry.call(lambda: require_current(client))
        self._client = client

    async def opened(self) -> list[Signal]:
        return await self._ask(lambda client: queries.open_signals(client, RUN))

    async def said(self, signals: Sequence[Signal]) -> list[Signal]:
        return await self._ask(lambda client: queries.said_signals(client, signals)) if signals else []

    async def findings(self, kind: SignalKind, now: datetime) -> list[Finding]:
        return await self._ask(lambda client: self._found(client, kind, now))

    async def endings(self, signals: Sequence[Signal], now: datetime) -> Mapping[str, datetime | None]:
        return await self._ask(lambda client: self._ended(client, signals, now))

    async def recent(self, since: datetime) -> list[Signal]:
        return await self._ask(lambda client: queries.recent_signals(client, RUN, since))

    async def deliveries(self, since: datetime) -> list[Delivery]:
        return await self._ask(lambda client: queries.deliveries(client, since))

    async def record(self, deliveries: Sequence[Delivery]) -> None:
        await self._ask(lambda client: queries.put_deliveries(client, deliveries))

    def _found(self, client: Client, kind: SignalKind, now: datetime) -> list[Finding]:
        if kind == "tie_shifted":
            return queries.shifted_ties(client, RUN, now)
        if kind == "data_quality":
            chosen = self._kinds.data_quality
            limits = queries.ShareLimits(*(getattr(chosen, name) for name in queries.ShareLimits._fields))
            return queries.doubtful_data(client, RUN, limits, now)
        due_from, due_until = self._due(kind, now)
        ask = queries.overdue_handoffs if kind == "handoff_overdue" else queries.unanswered_problems
        return ask(client, RUN, due_from, due_until)

    def _ended(self, client: Client, signals: Sequence[Signal], now: datetime) -> dict[str, datetime | None]:
        handoffs = [signal for signal in signals if signal.kind == "handoff_overdue"]
        problems = [signal for signal in signals if signal.kind == "problem_unanswered"]
        return {
            **queries.handoff_endings(client, RUN, handoffs, self._due("handoff_overdue", now)[1]),
            **queries.problem_endings(client, RUN, problems, self._due("problem_unanswered", now)[1]),
        }

    def _due(self, kind: SignalKind, now: datetime) -> tuple[datetime, datetime]:
        chosen = self._kinds.handoff_overdue if kind == "handoff_overdue" else self._kinds.problem_unanswered
        until = now - timedelta(seconds=chosen.after_s)
        return until - timedelta(seconds=chosen.within_s), until

    def _say(self, trouble: StoreAway | None) -> None:
        """The store is away, or back: operators look for this line."""
        if trouble is None:
            _log.warning("the store answers again")
        else:
            _log.warning("the store is away, nothing can be said until it answers: %s", trouble)
        if self._watch is not None:
            self._watch.answers() if trouble is None else self._watch.troubled(trouble.fault.kind)

    async def _ask(self, ask: Callable[[Client], Result]) -> Result:
        client = self._client
        if client is None:
            raise InvariantError("the store is used before it is open")
        return await self._retry.call(lambda: ask(client))


def signals_worker(
    broker: AnyBroker,
    clickhouse: ClickHouseSettings,
    settings: SignalsFile,
    transport: TransportSettings | None = None,
    clock: Clock = wall_clock,
) -> BatchApp:
    """The app with its webhooks, ready to run with `run_app`.

    Raises: ConfigError: a secret cannot be read.
    """
    values = Values(names.SIGNALS)
    watch = StoreWatch(values, StoreMetrics(names.STORE_AWAY, names.STORE_AWAY_S, names.RETRIES))
    store = SignalsOnClickHouse(clickhouse, settings.kinds, watch)
    told = receivers(settings)
    speaker = Speaker()
    outbox = Outbox(told, settings.quiet.calendar if settings.quiet else None)
    sender = HttpSender()
    values.before_text(lambda: values.set(names.WAITING, len(outbox.waiting)))
    deliveries = Deliveries(
        outbox, sender, store, speaker.bury, speaker.speaks, clock, lambda told: values.add(names.WEBHOOKS, 1, told)
    )

    async def deliver() -> None:
        async with sender:
            await deliveries.run()

    app, speaker.signals = signals_app(
        broker,
        store,
        settings.kinds,
        deliveries,
        transport,
        clock,
        [deliver] if told else [],
        values,
        watch.checks,
    )
    return app


class Speaker:
    """Deliveries and the app know each other; this is where they meet."""

    signals: Signals | None = None

    def speaks(self) -> bool:
        """Whether this worker is the one that speaks."""
        return self.signals is not None and self.signals.speaks

    async def bury(self, letters: Sequence[DeadLetter]) -> None:
        """Onto `tieline.dead-letters`; returns once they are acknowledged."""
        if self.signals is None or not letters:
            return
        pairs = [(letter.id.encode(), letter.model_dump_json().encode()) for letter in letters]
        while True:
            try:
                await self.signals.producer.produce(topics.DEAD_LETTERS, 0, pairs)
                return
            except TransientError as error:
                _log.warning("dead letters not written, trying again: %s", error)
                await asyncio.sleep(_RETRY_S)


def receiver_named(settings: SignalsFile, name: str) -> Receiver:
    """One webhook with its secrets. Raises: ConfigError: there is none of that name, or a secret cannot be read."""
    for receiver in receivers(settings):
        if receiver.name == name:
            return receiver
    known = ", ".join(sorted(settings.webhooks)) or "none"
    raise ConfigError(f"there is no webhook {name}; known: {known}")


def listed(clickhouse: ClickHouseSettings, only_open: bool, limit: int) -> list[Signal]:
    """Signals for people to read: those that are open, or all of the last 30 days; at most `limit`, the newest last."""
    client = connect(clickhouse)
    try:
        if only_open:
            return queries.open_signals(client, RUN)[-limit:]
        return queries.recent_signals(client, RUN, datetime.now(UTC) - timedelta(days=30), limit)
    finally:
        client.close()
