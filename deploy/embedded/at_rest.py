"""Read-only SQL on a data folder in which nothing runs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from deploy.embedded.front.accounts import OWNER, Account, load_grants
from deploy.embedded.front.engine import Engine
from deploy.embedded.front.guard import guard_of
from deploy.embedded.front.settings import reader_settings
from deploy.embedded.instance import hold
from schemas.errors import ConfigError


def query_at_rest(
    folder: Path,
    sql: str,
    output_format: str = "JSONCompact",
    params: Mapping[str, str] | None = None,
    account: Account | None = None,
    database: str = "tieline",
) -> bytes:
    """The result of one guarded read-only statement, in `output_format` (or the one that the SQL names).

    The folder's owner may read every table of `tieline`; files, servers and writing are out of reach as over HTTP.
    Opens the engine in this process, 0.9 s: not for a process that forks later or has another folder open.

    Raises: ConfigError: no such folder, or an instance runs in it (ask that one). StoreError: the statement is refused
        or fails.
    """
    if not (folder / "store").is_dir():
        raise ConfigError(f"{folder} is not a data folder: it has no store")
    with hold(folder, "a query at rest"):
        engine = Engine(folder / "store")
        try:
            asking = account or Account(OWNER, load_grants(folder)[OWNER])
            ruling = guard_of(engine).rule(asking, sql, database)
            handle = engine.open(reader_settings({}), database)
            try:
                return handle.query(ruling.sql, output_format, {**(params or {}), **ruling.params}).body
            finally:
                handle.close()
        finally:
            engine.close()
