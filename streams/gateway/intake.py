"""From what was sent to what is durable: a source's deliveries, and events that integrators post."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import PurePath
from traceback import extract_tb
from typing import Protocol

from schemas.dead_letter import DeadLetter, dead_letter_id, payload_hash
from schemas.errors import InvalidEvent, TransientError
from streams.gateway import metrics as names
from streams.gateway.breaker import Breaker
from streams.gateway.connectors.connector import Connector, Context, Delivery, Snapshots
from streams.gateway.edge.draft import Draft, Reading
from streams.gateway.edge.edge import UNCLASSIFIED, Edge, Sealed
from streams.gateway.edge.marks import Marks
from streams.gateway.metrics import Metrics

AT_ONCE = 500
"""Events that are sealed before other requests get their turn: 10 ms."""

_log = logging.getLogger("tieline.gateway")


class Log(Protocol):
    """Where events become durable; `EventLog` is one."""

    async def keep(self, records: Sequence[tuple[bytes, bytes]]) -> None:
        """Return once they are durable. Raises: TransientError, InvalidEvent."""
        ...

    async def keep_dead_letters(self, letters: Sequence[DeadLetter]) -> None:
        """Return once they are durable. Raises: TransientError."""
        ...


class PendingSnapshots(Snapshots, Protocol):
    """What one delivery told of its resources, until it is known whether that is durable."""

    def commit(self) -> bool:
        """The drafts are durable."""
        ...

    def discard(self) -> None:
        """The drafts are not durable: nothing was told."""
        ...


class NoSnapshots:
    """For connectors that compare with nothing: nothing was ever told."""

    def last(self, resource: str) -> Mapping[str, object] | None:
        """None."""
        return None

    def keep(self, resource: str, snapshot: Mapping[str, object]) -> None:
        """Nothing."""

    def commit(self) -> bool:
        """Nothing."""
        return True

    def discard(self) -> None:
        """Nothing."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a delivery. Everything that was not kept has been counted, and has a dead letter if it is a loss.

    Attributes:
        kept: events that are durable.
        unused: how much was understood and is of no use to Tieline.
        invalid: what was read and is no valid event.
        unreadable: why the whole delivery could not be read, if it could not.
    """

    kept: int = 0
    unused: int = 0
    invalid: tuple[InvalidEvent, ...] = ()
    unreadable: InvalidEvent | None = None

    @property
    def outcome(self) -> str:
        """One word for it."""
        if self.unreadable is not None:
            return "unreadable"
        if self.invalid:
            return "invalid"
        return "kept" if self.kept else "unused"


@dataclass(frozen=True, slots=True)
class Feeding:
    """A source as its intake needs it; `uri` is the CloudEvents source of its events."""

    name: str
    uri: str
    process: str
    site: str = ""
    marks: Marks = field(default_factory=Marks)
    options: Mapping[str, object] = field(default_factory=dict)


class Intake:
    """One source's way in, for HTTP and MLLP alike. For one event loop."""

    def __init__(
        self,
        feeding: Feeding,
        connector: Connector,
        edge: Edge,
        log: Log,
        breaker: Breaker,
        metrics: Metrics,
        snapshots: Callable[[], PendingSnapshots] = NoSnapshots,
    ) -> None:
        self.feeding, self.connector, self.breaker = feeding, connector, breaker
        self._edge, self._log, self._metrics = edge, log, metrics
        self._snapshots = snapshots

    async def take(self, delivery: Delivery) -> Taken:
        """Read a delivery and keep what it says; returns once events and dead letters are durable.

        Raises:
            TransientError: nothing is promised, the sender has to send it again; BreakerOpen: nor was it looked at.
        """
        self.breaker.enter()
        snapshots = self._snapshots()
        try:
            taken = await self._take(delivery, snapshots)
        except TransientError:
            self._metrics.add(names.DELIVERIES, 1, self.feeding.name, "not_kept")
            raise
        if taken.unreadable is None:
            snapshots.commit()
        self._count(taken)
        return taken

    async def _take(self, delivery: Delivery, snapshots: PendingSnapshots) -> Taken:
        reading = self._read(delivery, snapshots)
        if isinstance(reading, InvalidEvent):
            await self._bury(delivery, [(-1, reading)])
            return Taken(unreadable=reading)
        sealed, invalid = await self._sealed(reading.drafts, delivery.received_at)
        # That no word rule says what a response is, is no fault of anybody's.
        unused = [*reading.unused, *(error.code for _, error in invalid if error.code == UNCLASSIFIED)]
        invalid = [(index, error) for index, error in invalid if error.code != UNCLASSIFIED]
        try:
            await self._log.keep([(each.key, each.value) for each in sealed])
        except InvalidEvent as error:  # larger than Kafka takes, which the edge's own limit should have caught
            await self._bury(delivery, [(-1, error)])
            return Taken(unreadable=error)
        await self._bury(delivery, invalid)
        for code in unused:
            self._metrics.add(names.UNUSED, 1, self.feeding.name, names.unused_label(code))
        return Taken(len(sealed), len(unused), tuple(error for _, error in invalid))

    def _read(self, delivery: Delivery, snapshots: Snapshots) -> Reading | InvalidEvent:
        feeding = self.feeding
        try:
            roles = self._edge.roles(feeding.process)
            context = Context(feeding.process, roles, snapshots, feeding.options)
            return self.connector.read(delivery, context)
        except InvalidEvent as invalid:
            return InvalidEvent(invalid.code, invalid.field)  # a new one: a traceback holds on to the payload
        except Exception as error:  # a connector must not do this; nothing of what it says may be repeated
            _log.error("the connector of %s failed: %s", feeding.name, place_of(error))
            return InvalidEvent("connector_failed")

    async def _sealed(
        self, drafts: Sequence[Draft], now: datetime
    ) -> tuple[list[Sealed], list[tuple[int, InvalidEvent]]]:
        feeding, sealed, invalid = self.feeding, list[Sealed](), list[tuple[int, InvalidEvent]]()
        for index, draft in enumerate(drafts):
            if index and index % AT_ONCE == 0:
                await asyncio.sleep(0)
            placed = replace(draft, site=feeding.site) if feeding.site and not draft.site else draft
            try:
                sealed.append(self._edge.seal(placed, feeding.uri, feeding.process, feeding.marks, now))
            except InvalidEvent as error:
                invalid.append((index, InvalidEvent(error.code, error.field)))
        return sealed, invalid

    async def _bury(self, delivery: Delivery, errors: Sequence[tuple[int, InvalidEvent]]) -> None:
        if errors:
            letters = [
                dead_letter(self.feeding.name, index, error, delivery.body, delivery.received_at)
                for index, error in errors
            ]
            await self._log.keep_dead_letters(letters)

    def _count(self, taken: Taken) -> None:
        name, metrics = self.feeding.name, self._metrics
        metrics.add(names.DELIVERIES, 1, name, taken.outcome)
        metrics.add(names.EVENTS_KEPT, taken.kept, name)
        for error in (*taken.invalid, *([taken.unreadable] if taken.unreadable else [])):
            metrics.add(names.EVENTS_INVALID, 1, name, names.code_label(error.code))
        self.breaker.record(taken.unreadable is not None or len(taken.invalid) > taken.kept)


def dead_letter(source: str, index: int, error: InvalidEvent, payload: bytes, at: datetime) -> DeadLetter:
    """What could not be used of a delivery. `topic` names the source, `offset` the event in it, -1 for all of it."""
    return DeadLetter(
        id=dead_letter_id(error.code, source, -1, index, payload),
        stage="gateway",
        code=error.code,
        field=error.field,
        topic=source,
        offset=index,
        payload_sha256=payload_hash(payload),
        payload_bytes=len(payload),
        at=at.astimezone(UTC),
    )


def place_of(error: BaseException) -> str:
    """What kind of error it is and where it happened, without what it says: that may be somebody's name."""
    frames = extract_tb(error.__traceback__)
    where = f" at {PurePath(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{where}"
