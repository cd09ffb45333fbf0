"""The archive of events by work item, in ranges of work items that can be read one at a time.

The archive is sorted by (process, work item), so a range is read in the order of its key, without merging and without
FINAL: a content that is there twice is given twice.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from datetime import datetime
from tempfile import SpooledTemporaryFile
from typing import IO, Any, NamedTuple

from clickhouse_connect.driver.client import Client

from schemas.errors import TransientError
from sinks.clickhouse.patience import patiently

CHUNK_EVENTS = 50_000
MOST_CONTENTS, MOST_BYTES = 10_001, 8 * 1024 * 1024
"""Of one work item no more are given than show that it is oversize: nobody has room for what an attack may send."""
_MOST_ROWS = 200_000
_FOLDED = "splitByChar('.', type)[2] IN ('handoff', 'work_item', 'communication', 'problem')"
_SAMPLES_PER_CHUNK = 1_000
_IN_MEMORY_BYTES, _BLOCK_BYTES = 64 * 1024 * 1024, 1024 * 1024
# One thread, so that what is live is not starved.
_SETTINGS = {"max_threads": 1}


class KeyRange(NamedTuple):
    """Work items of one process from `first` on, up to but not including `last`; an empty `last` is no end.

    The ranges of a cut cover all work items there could be, so that one that appears later has its place too.
    """

    process: str
    first: str = ""
    last: str = ""


class Part(NamedTuple):
    """A range, and about how many archived events are in it."""

    keys: KeyRange
    events: int


class Period(NamedTuple):
    """Work items with an event in here are meant, half-open; None is without end."""

    from_at: datetime | None = None
    to_at: datetime | None = None


ENDLESS = Period()


def newest_work_at(client: Client, process: str = "") -> datetime | None:
    """Event time of the newest archived event of work; None: there is none. Cost: reads one column."""
    sql = f"SELECT max(time), count() FROM events WHERE {_of(process)} AND {_FOLDED}"
    ((newest, count),) = patiently(lambda: client.query(sql, parameters={"process": process}).result_rows)
    return newest if count else None


def cut(client: Client, process: str = "", events: int = CHUNK_EVENTS) -> list[Part]:
    """The archive in ranges of about `events` archived events, never less than one work item.

    Cost: reads the keys, about 0.1 s per million events; a sample of the work items says where to cut.
    """
    every = max(1, events // _SAMPLES_PER_CHUNK)
    sql = f"""
SELECT process, subject, toUInt64(count() * {every}) AS events FROM events
WHERE {_of(process)} AND modulo(sipHash64(process, subject), {every}) = 0
GROUP BY process, subject ORDER BY process, subject"""
    counts = f"SELECT process, count() FROM events WHERE {_of(process)} GROUP BY process ORDER BY process"
    parameters = {"process": process}
    sample = patiently(lambda: client.query(sql, parameters=parameters, settings=_SETTINGS).result_rows)
    totals = patiently(lambda: client.query(counts, parameters=parameters).result_rows)
    return [part for name, total in totals for part in _cut(name, total, sample, events)]


def read_range(client: Client, keys: KeyRange, period: Period = ENDLESS) -> Iterator[tuple[str, list[bytes]]]:
    """Each work item of a range with the payloads of its events; one with none in `period` may be left out.

    All of it is fetched before the first is given, so a slow reader holds no query open; beyond 64 MiB it lies in a
    temporary file.

    Raises: TransientError: the store is away for too long.
    """
    with patiently(lambda: _fetched(client, keys, period)) as lines:
        yield from _items(lines)


def gaps(parts: Sequence[Part], done: Sequence[KeyRange]) -> list[Part]:
    """What is left of a cut without the ranges that are done, whatever cut those came from."""
    left = list(parts)
    for over in done:
        left = [piece for part in left for piece in _without(part, over)]
    return left


def between(keys: KeyRange, subject: str = "subject") -> str:
    """A condition; its parameters are the fields of `keys`."""
    end = f" AND {subject} < {{last:String}}" if keys.last else ""
    return f"process = {{process:String}} AND {subject} >= {{first:String}}{end}"


def _cut(process: str, total: int, sample: Sequence[Sequence[Any]], events: int) -> Iterator[Part]:
    first, held, left = "", 0, total
    for name, subject, count in sample:
        if name != process:
            continue
        if held and held + count > events and subject > first:
            yield Part(KeyRange(process, first, subject), held)
            first, left, held = subject, max(0, left - held), 0
        held += count
    yield Part(KeyRange(process, first), left)


def _fetched(client: Client, keys: KeyRange, period: Period) -> IO[bytes]:
    # Ordered by the first columns of the key: rows are merged, not sorted.
    sql = f"""
SELECT subject, payload FROM events
WHERE {between(keys)} AND {_FOLDED}{_with_an_event_in(keys, period)}
ORDER BY process, subject
LIMIT {_MOST_ROWS} BY process, subject"""
    parameters = _parameters(keys, period)
    stream: Any = client.raw_stream(sql, parameters=parameters, settings=_SETTINGS, fmt="TSVRaw")
    lines: IO[bytes] = SpooledTemporaryFile(_IN_MEMORY_BYTES)  # noqa: SIM115 - the caller closes it
    try:
        shutil.copyfileobj(stream, lines, _BLOCK_BYTES)
        lines.seek(0)
    except BaseException:
        lines.close()
        raise
    finally:
        stream.close()
    return lines


def _items(lines: IO[bytes]) -> Iterator[tuple[str, list[bytes]]]:
    """Neither a work item's name nor canonical JSON holds a tab or a line break."""
    current, payloads, size = b"", list[bytes](), 0
    for line in lines:
        subject, tab, payload = line.rstrip(b"\n").partition(b"\t")
        if not tab:  # an error in the middle of the answer, told as text
            raise TransientError("clickhouse: the answer broke off")
        if subject != current:
            if payloads:
                yield current.decode(), payloads
            current, payloads, size = subject, [], 0
        payloads.append(payload)
        size += len(payload)
        if len(payloads) > 2 * MOST_CONTENTS or size > 4 * MOST_BYTES:
            payloads = _enough(set(payloads))
            size = sum(map(len, payloads))
    if payloads:
        yield current.decode(), payloads


def _enough(contents: set[bytes]) -> list[bytes]:
    """All of them, or as many as make their work item oversize."""
    enough, size = list[bytes](), 0
    for content in contents:
        enough.append(content)
        size += len(content)
        if len(enough) >= MOST_CONTENTS or size > MOST_BYTES:
            break
    return enough


def _of(process: str) -> str:
    return "process = {process:String}" if process else "true"


def _with_an_event_in(keys: KeyRange, period: Period) -> str:
    bounds = [
        *(["time >= {from_at:DateTime64(6, 'UTC')}"] if period.from_at else []),
        *(["time < {to_at:DateTime64(6, 'UTC')}"] if period.to_at else []),
    ]
    if not bounds:
        return ""
    return f" AND subject IN (SELECT subject FROM events WHERE {between(keys)} AND {' AND '.join(bounds)})"


def _parameters(keys: KeyRange, period: Period) -> dict[str, Any]:
    given = {"from_at": period.from_at, "to_at": period.to_at}
    return keys._asdict() | {name: at for name, at in given.items() if at is not None}


def _without(part: Part, over: KeyRange) -> Iterator[Part]:
    keys = part.keys
    if (
        over.process != keys.process
        or (over.last and over.last <= keys.first)
        or (keys.last and keys.last <= over.first)
    ):
        yield part
        return
    if keys.first < over.first:
        yield Part(KeyRange(keys.process, keys.first, over.first), part.events // 2)
    if over.last and (not keys.last or over.last < keys.last):
        yield Part(KeyRange(keys.process, over.last, keys.last), part.events // 2)
