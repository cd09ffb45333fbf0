"""What may be done with a run, beside making one: looked at, deleted, compared."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from deploy.composition.replay.lease import GONE_AFTER_S
from deploy.composition.target import find_target
from schemas.errors import TielineError, TransientError
from sinks.clickhouse.content_hash import Content, combined_hash, run_contents
from sinks.clickhouse.faults import fault_of
from sinks.clickhouse.migrate import require_current
from sinks.clickhouse.promotions import Promotion, list_promotions
from sinks.clickhouse.records import RunRecord
from sinks.clickhouse.runs import LIVE, delete_run, find_run, half_deleted, list_runs, silent
from sinks.clickhouse.settings import connect


class RunRefused(TielineError):  # noqa: N818 - the domain word is the name
    """Nothing was changed. Operator action: what the message says."""


class Shown(NamedTuple):
    """A run, and where it is shown as live."""

    record: RunRecord
    promotions: list[Promotion]


class Contents(NamedTuple):
    """What the rows of a run say now, by table, and all of them together."""

    tables: dict[str, Content]
    combined: str


@contextmanager
def store_of_runs(data: Path | None) -> Iterator[Client]:
    """The store that a command means.

    Raises: ConfigError: nothing runs there, or its schema is of another version. TransientError: it is away.
    """
    client = connect(find_target(data).clickhouse)
    try:
        require_current(client)
        yield client
    except ClickHouseError as error:
        raise TransientError(f"the store: {fault_of(error).label}") from None
    finally:
        client.close()


def all_runs(client: Client) -> list[Shown]:
    """Live, then the others by name."""
    promotions = list_promotions(client)
    return [Shown(record, [each for each in promotions if each.run == record.run]) for record in list_runs(client)]


def one_run(client: Client, run: str) -> Shown:
    """Raises: RunRefused: there is no such run."""
    record = find_run(client, run)
    if record is None:
        raise RunRefused(f"there is no run {run!r}: `tieline runs list` names them")
    return Shown(record, [each for each in list_promotions(client) if each.run == run])


def contents_now(client: Client, run: str) -> Contents:
    """Computed from the rows, not read from what was written down. Cost: 2 s per million rows."""
    tables = run_contents(client, run)
    return Contents(tables, combined_hash(tables))


def require_deletable(client: Client, run: str) -> None:
    """Raises: RunRefused: it is live, promoted, being made right now, or unknown."""
    if run == LIVE:
        raise RunRefused("live is never deleted")
    if run in half_deleted(client):
        return
    shown = one_run(client, run)
    if shown.promotions:
        places = ", ".join(f"{each.process} from {each.first} to {each.after}" for each in shown.promotions)
        raise RunRefused(f"run {run!r} is shown as live ({places}): `tieline runs promote {run} --undo` first")
    if shown.record.status == "running" and not silent(client, run, GONE_AFTER_S):
        raise RunRefused(f"run {run!r} is being made right now: end its replay first")


def delete(client: Client, run: str, told: Callable[[str], None]) -> dict[str, int]:
    """Deletes a run with all its rows; returns how many from each table.

    Raises: RunRefused: see `require_deletable`.
    """
    require_deletable(client, run)
    return delete_run(client, run, told)
