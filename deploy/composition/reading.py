"""Reading views as everyone may: of servers, of the running embedded store, or of a data folder at rest."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Protocol

from schemas.errors import TielineError, TransientError

Row = Mapping[str, Any]
_WRAPPED = re.compile(r"LowCardinality\(|Nullable\(|SimpleAggregateFunction\(\w+, ")
_SETTINGS = {"output_format_json_quote_64bit_integers": "0"}


class ViewRefused(TielineError):  # noqa: N818 - what happened is the name
    """The store does not answer this question.

    Operator action: run `tieline migrate` with the version that asks, and see what the message says.
    """


class Reader(Protocol):
    """Answers statements with the rights of a reader: granted views, and nothing else."""

    def rows(self, sql: str) -> list[Row]:
        """One mapping for each row; times are aware, numbers plain, null is None.

        Raises: ViewRefused. TransientError: the store is away.
        """
        ...


@contextmanager
def reading(folder: Path | None = None, env: Mapping[str, str] = os.environ) -> Iterator[Reader]:
    """The reader of the Tieline that is meant: see `find_target`; a data folder in which nothing runs is read too.

    Raises: ConfigError: no such folder, or the account is refused. TransientError: the store is away.
    """
    from deploy.composition.target import BROKER_ENV, data_dir
    from deploy.embedded.instance import running_instance
    from sinks.clickhouse.settings import URL_ENV

    from_env = folder is None and (env.get(URL_ENV) or env.get(BROKER_ENV))
    where = data_dir(folder, env)
    if not from_env and running_instance(where) is None:
        with _at_rest(where) as reader:
            yield reader
    else:
        with _running(folder, env) as reader:
            yield reader


@contextmanager
def _running(folder: Path | None, env: Mapping[str, str]) -> Iterator[Reader]:
    from deploy.composition.target import find_target
    from deploy.embedded.front.accounts import READER
    from sinks.clickhouse.settings import connect

    client = connect(find_target(folder, env, user=READER).clickhouse)
    try:
        yield ServerReader(client)
    finally:
        client.close()


@contextmanager
def _at_rest(folder: Path) -> Iterator[Reader]:
    """The engine in this process: not for a process that forks later or has another folder open."""
    from deploy.embedded.front.accounts import READER, Account, load_grants
    from deploy.embedded.front.engine import Engine
    from deploy.embedded.front.guard import guard_of
    from deploy.embedded.instance import hold
    from schemas.errors import ConfigError

    if not (folder / "store").is_dir():
        raise ConfigError(f"{folder} is not a data folder: it has no store, and nothing runs there")
    with hold(folder, "reading at rest"):
        engine = Engine(folder / "store")
        try:
            yield _Engine(engine, guard_of(engine), Account(READER, load_grants(folder)[READER]))
        finally:
            engine.close()


class ServerReader:
    """Over ClickHouse's HTTP interface.

    Args:
        client: a clickhouse_connect client; the caller's.
    """

    def __init__(self, client: Any) -> None:
        self._client = client

    def rows(self, sql: str) -> list[Row]:
        from clickhouse_connect.driver.exceptions import ClickHouseError

        from sinks.clickhouse.faults import fault_of

        try:
            return _rows(self._client.raw_query(sql, fmt="JSONCompact", settings=_SETTINGS))
        except (ClickHouseError, OSError) as error:
            if fault_of(error).code == 0:
                raise TransientError("the store does not answer") from None
            raise ViewRefused(_said(str(error))) from None


class _Engine:
    def __init__(self, engine: Any, guard: Any, account: Any) -> None:
        self._engine, self._guard, self._account = engine, guard, account

    def rows(self, sql: str) -> list[Row]:
        from deploy.embedded.front.errors import StoreError
        from deploy.embedded.front.settings import reader_settings

        try:
            ruling = self._guard.rule(self._account, sql, "tieline")
            handle = self._engine.open(reader_settings(_SETTINGS), "tieline")
            try:
                return _rows(handle.query(ruling.sql, "JSONCompact", ruling.params).body)
            finally:
                handle.close()
        except StoreError as error:
            raise ViewRefused(_said(str(error))) from None


def quoted(value: str) -> str:
    """A ClickHouse string literal."""
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _said(message: str) -> str:
    """What the store said, without what the client wraps around it; nothing of it is longer than a line."""
    core = message.split("server response: ")[-1].split(" (for url")[0].strip()
    return f"the store refuses this question: {core.splitlines()[0][:300]}"


def _rows(body: bytes) -> list[Row]:
    answer = json.loads(body)
    names = [column["name"] for column in answer["meta"]]
    readers = [_reader_of(column["type"]) for column in answer["meta"]]
    return [
        {name: None if value is None else read(value) for name, read, value in zip(names, readers, row, strict=True)}
        for row in answer["data"]
    ]


def _reader_of(kind: str) -> Any:
    plain = _WRAPPED.sub("", kind)
    if plain.startswith("DateTime"):
        return _instant
    return date.fromisoformat if plain.startswith("Date") else _same


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def _same(value: Any) -> Any:
    return value
