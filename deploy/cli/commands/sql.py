"""`tieline sql`: read-only SQL on what Tieline has stored."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.table import Table

from deploy.cli.console import out
from deploy.cli.options import DataOption


class Format(StrEnum):
    """How results are printed."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"


def sql(
    query: Annotated[str, typer.Argument(help='One statement, for instance "SELECT count() FROM handoffs FINAL".')],
    output: Annotated[Format, typer.Option("--format", help="How to print the result.")] = Format.TABLE,
    data: DataOption = None,
) -> None:
    """Run one read-only statement, on a running Tieline or on a data folder at rest."""
    if output is Format.TABLE:
        _print_table(json.loads(_answer(query, "JSONCompact", data)))
        return
    answer = _answer(query, "CSVWithNames" if output is Format.CSV else "JSONEachRow", data)
    typer.echo(answer.decode(), nl=False)


def _answer(query: str, output_format: str, data: DataOption) -> bytes:
    import os

    from deploy.composition.target import BROKER_ENV, data_dir
    from deploy.embedded.instance import running_instance
    from sinks.clickhouse.settings import URL_ENV

    from_env = data is None and (os.environ.get(URL_ENV) or os.environ.get(BROKER_ENV))
    folder = data_dir(data)
    if not from_env and running_instance(folder) is None:
        from deploy.embedded.at_rest import query_at_rest

        return query_at_rest(folder, query, output_format)
    return _answer_of_server(query, output_format, data)


def _answer_of_server(query: str, output_format: str, data: DataOption) -> bytes:
    from clickhouse_connect.driver.exceptions import ClickHouseError

    from deploy.composition.target import find_target
    from deploy.embedded.front.accounts import OWNER
    from schemas.errors import TielineError
    from sinks.clickhouse.settings import connect

    client = connect(find_target(data, user=OWNER).clickhouse)
    try:
        # 2, not 1: the client itself has to set output settings.
        answer: bytes = client.raw_query(query, fmt=output_format, settings={"readonly": 2})
        return answer
    except ClickHouseError as error:
        # The client wraps what the server said; only that helps.
        raise TielineError(str(error).split("server response: ")[-1].split(" (for url")[0].strip()) from None


def _print_table(answer: dict[str, Any]) -> None:
    table = Table(*(column["name"] for column in answer["meta"]))
    for row in answer["data"]:
        table.add_row(*("" if value is None else str(value) for value in row))
    out.print(table)
    out.print(f"{answer['rows']} rows", style="dim")
