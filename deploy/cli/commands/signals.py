"""`tieline signals`: what was said to be worth acting on, and trying a webhook."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from deploy.cli.console import FAILED_EXIT_CODE, err, out
from deploy.cli.options import DataOption

app = typer.Typer(help="What is worth acting on now: signals, and who is told.", no_args_is_help=True)

SettingsOption = Annotated[
    Path | None,
    typer.Option("--signals", help="Settings file. [default: TIELINE_SIGNALS, else signals.yaml in the data folder]"),
]


@app.command("list")
def list_signals(
    only_open: Annotated[bool, typer.Option("--open", help="Only those that have not ended.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, the newest.")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    data: DataOption = None,
) -> None:
    """List signals of the last 30 days, or all that are open, the newest last."""
    from clickhouse_connect.driver.exceptions import ClickHouseError

    from deploy.composition.signals import listed
    from deploy.composition.target import find_target
    from schemas.errors import TransientError
    from sinks.clickhouse.faults import fault_of
    from streams.webhooks.message import text

    try:
        found = listed(find_target(data).clickhouse, only_open, limit)
    except ClickHouseError as error:
        raise TransientError(f"the store: {fault_of(error).label}") from None
    if as_json:
        for signal in found:
            typer.echo(signal.model_dump_json(exclude={"event_ids"}))
        return
    table = Table("said (UTC)", "happened (UTC)", "state", "kind", "what", "id")
    for signal in found:
        said, happened = (f"{at:%Y-%m-%d %H:%M:%S}" for at in (signal.opened_at, signal.at))
        table.add_row(said, happened, signal.state, signal.kind, escape(text(signal)), signal.signal[:12])
    out.print(table)
    out.print(f"{len(found):,} signals", style="dim")


@app.command("try-webhook")
def try_webhook(
    name: Annotated[str, typer.Argument(help="A webhook of the settings file.")],
    signals: SettingsOption = None,
    data: DataOption = None,
) -> None:
    """Send a signed test message to a webhook, once, and say what came of it."""
    from secrets import token_hex

    from deploy.composition.signals import read_signals_file, receiver_named, signals_path
    from deploy.composition.target import data_dir
    from streams.webhooks.message import trial_body
    from streams.webhooks.sender import HttpSender, Outcome

    receiver = receiver_named(read_signals_file(signals_path(signals, data_dir(data))), name)

    async def send() -> Outcome:
        now = datetime.now(UTC)
        async with HttpSender() as sender:
            return await sender.send(receiver, f"test-{token_hex(8)}", trial_body(now), now)

    outcome = asyncio.run(send())
    if outcome.verdict == "delivered":
        out.print(f"{name}: delivered, HTTP {outcome.status}", style="green", markup=False)
        return
    err.print(f"{name}: not delivered: {outcome.why}", style="bold red", markup=False)
    raise typer.Exit(FAILED_EXIT_CODE)
