"""`tieline runs`: what was computed, with what, whether it is the same, and where it is shown as live."""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from deploy.cli.commands import runs_diff
from deploy.cli.console import FAILED_EXIT_CODE, err, out
from deploy.cli.options import DataOption

if TYPE_CHECKING:
    from deploy.composition.runs import Contents, Shown
    from sinks.clickhouse.promotions import Promotion

app = typer.Typer(help="Runs: list, show, compare, delete, and show one as live.", no_args_is_help=True)
app.command("diff")(runs_diff.diff)

NameArgument = Annotated[str, typer.Argument(help="Name of the run.")]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]
_DIGITS = 12
"""Of a hash in a list: enough to see that two are equal."""


@app.command("list")
def list_runs(as_json: JsonOption = False, data: DataOption = None) -> None:
    """List all runs: live first, then by name."""
    from deploy.composition.runs import all_runs, store_of_runs

    with store_of_runs(data) as client:
        runs = all_runs(client)
    if as_json:
        for shown in runs:
            typer.echo(json.dumps(_said(shown)))
        return
    made = ("kept", "as of (UTC)", "policy", "source", "events", "work items")
    table = Table("run", "status", *made, "content", "shown as live")
    for shown in runs:
        record = shown.record
        table.add_row(
            escape(record.run),
            record.status if record.kind == "replay" else "live",
            escape(_scope(shown)),
            _instant(record.as_of),
            escape(", ".join(record.policy_versions)),
            escape(record.source),
            f"{record.events:,}" if record.kind == "replay" else "",
            f"{record.work_items:,}" if record.kind == "replay" else "",
            record.content_hash[:_DIGITS],
            escape("\n".join(map(_place, shown.promotions))),
        )
    out.print(table)


@app.command()
def show(
    name: NameArgument,
    content: Annotated[
        bool, typer.Option("--content", help="Hash its rows now, table by table: 2 s per million rows.")
    ] = False,
    as_json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """Show all that is known of a run."""
    from deploy.composition.runs import contents_now, one_run, store_of_runs

    with store_of_runs(data) as client:
        shown = one_run(client, name)
        contents = contents_now(client, name) if content else None
    said = _said(shown, contents)
    if as_json:
        typer.echo(json.dumps(said))
        return
    grid = Table.grid(padding=(0, 2))
    for field, value in said.items():
        if field == "tables":
            for table, of_table in value.items():
                grid.add_row(f"  {table}", f"{of_table['rows']:,} rows, {of_table['hash']}")
        elif field != "policy":
            grid.add_row(field, escape(_text(value)))
    out.print(grid)
    if contents is not None and shown.record.content_hash not in ("", contents.combined):
        err.print("its rows are not those that it finished with", style="bold red")
        raise typer.Exit(FAILED_EXIT_CODE)


@app.command()
def delete(
    name: NameArgument,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    data: DataOption = None,
) -> None:
    """Delete a run with all its rows. Safe to repeat if interrupted.

    Never live, no run that is shown as live, and none that is being made right now.
    """
    from deploy.composition.runs import delete as delete_rows
    from deploy.composition.runs import require_deletable, store_of_runs

    with store_of_runs(data) as client:
        require_deletable(client, name)
        if not yes:
            typer.confirm(f"Delete run {name!r} with all its rows?", abort=True)
        with err.status(f"deleting {name}") as status:
            counts = delete_rows(client, name, lambda table: status.update(f"deleting {name}: {table}"))
    out.print(f"deleted {sum(counts.values()):,} rows of {name}", markup=False)
    for table, count in sorted(counts.items()):
        out.print(f"    {count:,} {table}", style="dim")


@app.command()
def promote(
    name: NameArgument,
    process: Annotated[str, typer.Option("--process", help="Whose figures.")] = "",
    first: Annotated[str, typer.Option("--from", help="First day, such as 2026-03-01: the start of a period.")] = "",
    after: Annotated[str, typer.Option("--to", help="The day after the last one: also the start of a period.")] = "",
    undo: Annotated[bool, typer.Option("--undo", help="Show live again, there or everywhere.")] = False,
    data: DataOption = None,
) -> None:
    """Show a run as live for a process and a time, in every view and dashboard, until that is undone.

    Nothing is copied. Live goes on outside of that time; what arrives inside of it is kept, and shows once it is
    undone.
    """
    from deploy.composition.runs import store_of_runs
    from sinks.clickhouse.promotions import FIRST_DAY, LAST_DAY, Promotion
    from sinks.clickhouse.promotions import promote as promote_run

    begin, end = _day(first, "--from"), _day(after, "--to")
    if undo:
        _undo(name, process, begin or FIRST_DAY, end or LAST_DAY, data)
        return
    if not process or begin is None or end is None:
        raise typer.BadParameter("--process, --from and --to are all needed")
    with store_of_runs(data) as client:
        for promotion in promote_run(client, Promotion(process, name, begin, end)):
            out.print(f"live shows {promotion.run}: {_place(promotion)}", markup=False, soft_wrap=True)


def _undo(name: str, process: str, first: date, after: date, data: DataOption) -> None:
    from deploy.composition.runs import store_of_runs
    from sinks.clickhouse.promotions import demote

    with store_of_runs(data) as client:
        periods = demote(client, name, process, first, after)
    if not periods:
        err.print(f"run {name!r} is not shown as live there", style="bold red", markup=False)
        raise typer.Exit(FAILED_EXIT_CODE)
    out.print(f"live shows itself again in {periods:,} periods", markup=False)


def _day(text: str, option: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise typer.BadParameter("expected a day such as 2026-03-01", param_hint=option) from None


def _said(shown: Shown, contents: Contents | None = None) -> dict[str, Any]:
    record = shown.record.model_dump(mode="json", exclude={"is_deleted"})
    record["policy"] = json.loads(record["policy"] or "[]")
    record["promoted"] = [
        {"process": each.process, "first": str(each.first), "after": str(each.after)} for each in shown.promotions
    ]
    if contents is not None:
        record["content_now"] = contents.combined
        record["tables"] = {table: content._asdict() for table, content in contents.tables.items()}
    return record


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(_place_of(each) if isinstance(each, dict) else str(each) for each in value)
    return "" if value is None else f"{value:,}" if isinstance(value, int) else str(value)


def _place_of(promotion: dict[str, str]) -> str:
    return f"{promotion['process']} {promotion['first']} to {promotion['after']}"


def _place(promotion: Promotion) -> str:
    return f"{promotion.process} {promotion.first} to {promotion.after}"


def _scope(shown: Shown) -> str:
    record = shown.record
    days = f"{_instant(record.from_at)} to {_instant(record.to_at)}" if record.from_at or record.to_at else ""
    return "\n".join(part for part in (", ".join(record.processes), record.role, days) if part)


def _instant(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M}" if at else ""
