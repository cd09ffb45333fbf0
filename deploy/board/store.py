"""Asking the store, as a user that may only read."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import aiohttp

from deploy.dashboards.panel import Column
from schemas.errors import TielineError, TransientError
from sinks.clickhouse.settings import ClickHouseSettings

LONGEST_QUERY_S = 20
MOST_BYTES = 16 * 1024 * 1024
_SETTINGS = {
    "default_format": "JSONCompact",
    "date_time_output_format": "iso",
    "output_format_json_quote_64bit_integers": "0",
    "max_execution_time": str(LONGEST_QUERY_S),
}
log = logging.getLogger("tieline.board")
_CODE = re.compile(r"Code: (\d+)")
_BUSY_CODES = {"202", "241"}  # too many queries at once, memory used up: both pass


class Refused(TielineError):  # noqa: N818 - what happened is the name
    """The store answered that it cannot answer this.

    Operator action: see whether `tieline migrate` has been run with the version that the board has.

    Attributes:
        reason: short, for the panel's own frame.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Busy(TransientError):  # noqa: N818 - what happened is the name
    """The store is there and had no time for this one: what was seen before stays, and it is asked again."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Rows of a statement.

    Attributes:
        took_s: how long the store needed.
    """

    names: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    took_s: float = 0.0

    def typed(self, columns: Sequence[Column]) -> list[dict[str, Any]]:
        """Rows by column name, times as aware UTC.

        Raises: Refused: a column is missing.
        """
        missing = [column.name for column in columns if column.name not in self.names]
        if missing:
            raise Refused(f"the answer has no column {', '.join(missing)}")
        places = [(column, self.names.index(column.name)) for column in columns]
        return [{column.name: _value(column, row[place]) for column, place in places} for row in self.rows]


class Store:
    """One account of a ClickHouse server, or of the embedded store's front.

    Args:
        session: the caller's; it is closed there.
    """

    def __init__(self, settings: ClickHouseSettings, session: aiohttp.ClientSession) -> None:
        scheme = "https" if settings.secure else "http"
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        self._url = f"{scheme}://{host}:{settings.port}/"
        self._parameters = {**_SETTINGS, "database": settings.database}
        self._headers = {
            "X-ClickHouse-User": settings.user,
            "X-ClickHouse-Key": settings.password.get_secret_value(),
        }
        self._session = session
        self._timeout = aiohttp.ClientTimeout(total=LONGEST_QUERY_S + 5, sock_connect=settings.connect_timeout_s)

    async def ask(self, sql: str) -> Answer:
        """Raises: TransientError: the store is away. Busy: it is there. Refused: it does not run this."""
        began_s = asyncio.get_running_loop().time()
        try:
            async with self._session.post(
                self._url, params=self._parameters, headers=self._headers, data=sql.encode(), timeout=self._timeout
            ) as response:
                body = await _at_most(response, MOST_BYTES)
                status = response.status
        except (aiohttp.ClientConnectorError, aiohttp.ServerTimeoutError, aiohttp.ServerDisconnectedError) as error:
            log.warning("the store does not answer: %s", type(error).__name__)
            raise TransientError("the store does not answer") from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            log.warning("an answer of the store did not come: %s", type(error).__name__)
            raise Busy("the store is busy") from error
        if status != 200:
            fault = _fault(status, body.decode(errors="replace"))
            log.warning("%s", fault)
            raise fault
        return _answer(body, asyncio.get_running_loop().time() - began_s)


async def _at_most(response: aiohttp.ClientResponse, limit: int) -> bytes:
    read = bytearray()
    async for chunk in response.content.iter_chunked(65_536):
        read += chunk
        if len(read) > limit:
            raise Refused("the answer is too large to show")
    return bytes(read)


def _answer(body: bytes, took_s: float) -> Answer:
    try:
        read: Mapping[str, Any] = json.loads(body)
        names = tuple(str(column["name"]) for column in read["meta"])
        return Answer(names, tuple(tuple(row) for row in read["data"]), took_s)
    except (ValueError, KeyError, TypeError) as error:
        raise Refused("the store's answer broke off") from error


def _fault(status: int, said: str) -> TielineError:
    found = _CODE.search(said)
    code = found[1] if found else ""
    if code in _BUSY_CODES or (status >= 502 and not code):
        return Busy("the store is busy")
    if code == "159":
        return Refused(f"this took longer than {LONGEST_QUERY_S} seconds; choose a shorter period")
    if code == "497":
        return Refused("the account may not read this view, or the store does not have it yet; run `tieline migrate`")
    if code in ("60", "46"):
        return Refused("the store does not have this view yet; run `tieline migrate`")
    return Refused(f"the store refuses this question (error {code or status})")


def _value(column: Column, value: Any) -> Any:
    """64-bit numbers of older servers come as text, and times as ISO text."""
    if value is None:
        return None
    match column.kind:
        case "time":
            return _time(value)
        case "count":
            return int(value)
        case "number" | "share" | "seconds" | "bytes":
            return float(value)
        case "flag":
            return value in (True, 1, "1", "true")
        case _:
            return value


def _time(value: Any) -> datetime | None:
    if isinstance(value, (int, float)):
        return datetime.fromtimestamp(value, UTC)
    read = datetime.fromisoformat(str(value).replace("Z", "+00:00"))
    return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
