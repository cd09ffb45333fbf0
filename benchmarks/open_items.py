"""Many open work items at once: what each takes in `infer`'s memory, and how long a restart with all of them takes.

The first of them come as events. The others are put into `tieline.state` directly, as a worker would have left them: a
million would take the run half an hour to fold, which other benchmarks measure.
"""

from __future__ import annotations

import re
import time
from asyncio import sleep
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import groupby
from operator import attrgetter

import psutil
import zstandard

from benchmarks.infer_on_kafka import MIB, Kafka, kafka, produce
from benchmarks.live_items import Due, staying_open
from benchmarks.load import POLICY, policies
from benchmarks.plan import Plan
from benchmarks.report import Figure, figure
from benchmarks.usage import usage
from schemas import topics
from schemas.decoding import decode
from schemas.rows import WorkItemRow
from schemas.topics import split_key
from streams.apps.state import decode_state, history_of
from streams.inference.fold import WorkItemFold
from streams.inference.history import History
from streams.transport.producer import BatchProducer

BYTES_PER_OPEN_ITEM, RESTART_S = 1_200.0, 60.0
OPEN_EVENTS = (2, 4)
"""Of an encounter, up to its open offer; of a ticket, up to its second owner, who has not worked yet."""
FOLDED = 20_000
_FIRST = 2 * 24 * 200
"""Folded before memory is first read: so many that every partition has as many decoded items as it keeps."""
_DUE_S = 12 * 3600.0
_CHUNK = 20_000
_SETTLE_S = 10.0


async def many_open(plan: Plan, items: int) -> list[Figure]:
    """Memory for each open item, and the time from the start of a process until it has read all of them."""
    folded = min(items, FOLDED)
    first = min(_FIRST, folded // 2)
    async with kafka(POLICY) as on, BatchProducer(on.address) as producer:
        async with on.infer() as child:
            process = psutil.Process(child.pid)
            await _send(producer, _open(range(first)))
            await on.caught_up(producer)
            empty = process.memory_info().rss
            plan.say(f"memory: {empty / MIB:.0f} MiB before; sending {folded - first:,} items")
            await _send(producer, _open(range(first, folded)))
            await on.caught_up(producer)
            await sleep(_SETTLE_S)
            full = process.memory_info().rss
        plan.say(f"memory: {full / MIB:.0f} MiB with them; {items - folded:,} more items into the topic of states")
        await _send(producer, states(range(folded, items)), topics.STATE)
        plan.say("starting again")
        began_s = time.monotonic()
        async with on.infer(ready_timeout_s=1800.0) as child:
            restart_s = time.monotonic() - began_s
            restart_cpu_s = usage(child.pid).cpu_s
            await sleep(_SETTLE_S)
            restored, peak = psutil.Process(child.pid).memory_info().rss, usage(child.pid).peak_mib
            _require_restored(on, items)
    name = f"infer, {items:,} open items, {sum(OPEN_EVENTS) / 2:g} events each"
    return [
        figure(name, f"more bytes for each of {folded - first:,} that came", "B", [(full - empty) / (folded - first)]),
        figure(
            name,
            "bytes for each after a restart, the process itself included",
            "B",
            [restored / items],
            **({"at_most": BYTES_PER_OPEN_ITEM} if items >= 1_000_000 else {}),
        ),
        figure(name, "restart until all partitions are read", "s", [restart_s], at_most=RESTART_S),
        figure(name, "CPU of the restart", "s", [restart_cpu_s]),
        figure(name, "resident after the restart", "MiB", [restored / MIB]),
        figure(name, "peak of the restart", "MiB", [peak]),
    ]


def _open(numbers: Iterable[int]) -> Iterator[Due]:
    return staying_open(numbers, OPEN_EVENTS, _DUE_S)


def states(numbers: Iterable[int]) -> Iterator[Due]:
    """What a checkpoint would have written of these items. Cost: 30 µs each.

    Raises: AssertionError: that is not what a fold of the same events says.
    """
    compressor = zstandard.ZstdCompressor(level=1)
    for number, (key, events) in enumerate(groupby(_open(numbers), key=attrgetter("key"))):
        contents = sorted(event.value for event in events)
        process, subject = split_key(key)
        row = WorkItemRow(
            run="live",
            process=process,
            work_item=subject,
            state=compressor.compress(b"\n".join([b"1", *contents])),
            events=len(contents),
            last_arrival_at=datetime.now(UTC),
            next_deadline_at=_deadline(process, subject, contents),
        )
        value = row.model_dump_json().encode()
        if number < 2:
            _require_same(value, contents)
        yield Due(key, value)


_AFTER: dict[str, float] = {}


def _deadline(process: str, subject: str, contents: list[bytes]) -> datetime:
    """As far after now as that of the first item of its kind."""
    now = datetime.now(UTC)
    if process not in _AFTER:
        fold = _fold(process, subject, contents, now)
        assert fold.next_deadline_at is not None, "an open item waits for something"
        _AFTER[process] = (fold.next_deadline_at - now).total_seconds()
    return datetime.fromtimestamp(now.timestamp() + _AFTER[process], UTC)


def _fold(process: str, subject: str, contents: list[bytes], now: datetime) -> WorkItemFold:
    fold = WorkItemFold(process, subject, now)
    for content in contents:
        fold.add(decode(content), now)
    fold.changes(policies(), now)
    return fold


def _require_same(value: bytes, contents: list[bytes]) -> None:
    row, history = decode_state(value), History()
    for content in contents:
        history.add(decode(content))
    if (row.events, history_of(row)) != (len(history), history.encode()):
        raise AssertionError("these are not the states of folds")


async def _send(producer: BatchProducer, due: Iterable[Due], topic: str = topics.EVENTS) -> None:
    chunk = list[Due]()
    for one in due:
        chunk.append(one)
        if len(chunk) == _CHUNK:
            await produce(producer, chunk, topic)
            chunk.clear()
    await produce(producer, chunk, topic)


def _require_restored(on: Kafka, items: int) -> None:
    """Raises: AssertionError: infer restored another number of items."""
    found = re.findall(r"(\d+) work items restored", (on.folder / "infer.log").read_text())
    if not found or int(found[-1]) != items:
        raise AssertionError(f"restored at the starts: {found} items, not {items}")
