"""`tieline dashboards`: Grafana made what the definitions say, or the same as files."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TextColumn
from rich.table import Table
from rich.text import Text

from deploy.cli.console import err, out
from deploy.cli.options import DataOption

if TYPE_CHECKING:
    from deploy.grafana.api import Grafana
    from deploy.grafana.change import Change, Kind
    from deploy.grafana.data_source import DataSource
    from deploy.grafana.interventions import Intervention

app = typer.Typer(help="The dashboards, alert rules and data source of Grafana.", no_args_is_help=True)
_MOST_LINES = 30
_STYLES = {"create": "green", "update": "yellow", "delete": "red", "unchanged": "dim", "kept": "yellow"}
_DONE: dict[Kind, str] = {
    "create": "created",
    "update": "updated",
    "delete": "deleted",
    "unchanged": "unchanged",
    "kept": "left alone",
}
_PLANNED: dict[Kind, str] = {**_DONE, "create": "to create", "update": "to update", "delete": "to delete"}


@app.command()
def push(
    grafana: Annotated[
        str | None, typer.Option("--grafana", help="Address of Grafana. [default: GRAFANA_URL]", metavar="URL")
    ] = None,
    token_file: Annotated[
        Path | None, typer.Option("--token-file", help="File with the token. [default: GRAFANA_TOKEN]")
    ] = None,
    ca_file: Annotated[
        Path | None, typer.Option("--ca-file", help="Certificate (PEM) of who signs Grafana's, if not well known.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change; change nothing.")] = False,
    prune: Annotated[
        bool, typer.Option("--prune", help="Remove what carries our mark and is no longer defined; nothing else.")
    ] = False,
    folder: Annotated[str, typer.Option("--folder", help="Title of the folder in Grafana.")] = "Tieline",
    data_source: Annotated[
        bool, typer.Option("--data-source/--no-data-source", help="Make the data source, which needs an Admin's token.")
    ] = True,
    clickhouse_url: Annotated[
        str | None,
        typer.Option(
            "--clickhouse-url",
            help="ClickHouse's HTTP address as Grafana reaches it: http[s]://host:port[/database].",
            metavar="URL",
        ),
    ] = None,
    reader_password_file: Annotated[
        Path | None,
        typer.Option(help="Password of ClickHouse's user `reader`. [default: TIELINE_READER_PASSWORD]"),
    ] = None,
    set_password: Annotated[
        bool, typer.Option("--set-password", help="Write the password again; Grafana does not tell what it has.")
    ] = False,
    auditor: Annotated[
        bool, typer.Option("--auditor", help="The auditors' dashboards instead, in an organisation of their own.")
    ] = False,
    auditor_password_file: Annotated[
        Path | None,
        typer.Option(help="Password of ClickHouse's user `auditor`. [default: TIELINE_AUDITOR_PASSWORD]"),
    ] = None,
    alerts: Annotated[bool, typer.Option("--alerts/--no-alerts", help="Alert rules and contact point.")] = True,
    webhook: Annotated[
        str,
        typer.Option(
            "--webhook",
            help="Also a contact point: alerts are posted to this URL.",
            metavar="URL",
            envvar="TIELINE_ALERT_WEBHOOK",
        ),
    ] = "",
    overdue_grace_s: Annotated[
        int, typer.Option(min=0, help="Alert: seconds that a handoff may wait after its due time.")
    ] = 300,
    stale_after_s: Annotated[int, typer.Option(min=1, help="Alert: seconds without a new event of a process.")] = 900,
    dead_letter_share: Annotated[
        float, typer.Option(min=0.0001, max=0.9999, help="Alert: share of dead letters in two hours.")
    ] = 0.01,
    interventions: Annotated[
        bool | None,
        typer.Option(
            "--interventions/--no-interventions",
            help="Registered interventions as annotations. [default: if a store is named or runs here]",
        ),
    ] = None,
    data: DataOption = None,
) -> None:
    """Make Grafana what the definitions say; safe to run again, and then does nothing."""
    from deploy.grafana.alerts import AlertSettings
    from deploy.grafana.api import Grafana
    from deploy.grafana.push import Wanted, check, plan
    from deploy.grafana.settings import GrafanaSettings

    account = "auditor" if auditor else "reader"
    password_file = auditor_password_file if auditor else reader_password_file
    source = _data_source(account, clickhouse_url, password_file, set_password) if data_source else None
    settings = AlertSettings(
        overdue_grace_s=overdue_grace_s, stale_after_s=stale_after_s, dead_letter_share=dead_letter_share
    )
    everybody = not auditor
    wanted = Wanted(
        account=account,
        dashboards=_dashboards(account),
        folder=folder if everybody else f"{folder} audit",
        data_source=source,
        alerts=settings if alerts and everybody else None,
        webhook=webhook,
        interventions=_interventions(interventions, data) if everybody else None,
    )
    secrets = [source.password.get_secret_value()] if source and source.password else []
    target = Grafana(GrafanaSettings.of(grafana, token_file, ca_file), secrets=[*secrets, webhook])
    version = check(target)
    changes = plan(target, wanted, prune)
    _show(changes)
    if not dry_run:
        _carry_out(changes)
    _sum_up(changes, f"Grafana {version} at {target.url}", dry_run)
    if source is not None and not dry_run:
        _try_data_source(target, source.uid)


@app.command()
def export(
    folder: Annotated[Path, typer.Argument(help="Folder to write to: Grafana's provisioning folder, or a new one.")],
    alerts: Annotated[bool, typer.Option("--alerts/--no-alerts", help="Also the alert rules.")] = True,
    auditor_org: Annotated[
        int | None, typer.Option(min=2, help="Also the auditors' dashboards, for this organisation of Grafana.")
    ] = None,
) -> None:
    """Write dashboards, data source and alert rules as files that Grafana reads at its start."""
    from deploy.grafana.export import export as export_dashboards
    from deploy.grafana.rule_json import export_rules
    from schemas.errors import ConfigError

    try:
        written = export_dashboards(folder, auditor_org=auditor_org)
        if alerts:
            written.append(export_rules(folder))
    except OSError as error:
        raise ConfigError(f"cannot write to {folder}: {error.strerror}; give a folder that can be written") from None
    for path in written:
        out.print(str(path.relative_to(folder)), markup=False)
    out.print(f"{len(written)} files in {folder}", style="dim", markup=False)


@app.command("list")
def list_dashboards() -> None:
    """Show the dashboards that there are, and the alert rules."""
    from deploy.dashboards.catalogue import DASHBOARDS
    from deploy.grafana.alerts import alerts

    table = Table("dashboard", "uid in Grafana", "for", "panels", "reads as")
    for each in DASHBOARDS:
        table.add_row(each.title, each.uid, each.for_whom, str(len(list(each.panels()))), each.data_source)
    out.print(table)
    rules = Table("alert rule", "uid in Grafana", "looked at every")
    for alert in alerts():
        rules.add_row(alert.title, alert.uid, f"{alert.group.interval_s} s")
    out.print(rules)


def _dashboards(account: str) -> list[dict[str, object]]:
    from deploy.dashboards.catalogue import DASHBOARDS
    from deploy.grafana.rendering.render import dashboard_json

    return [dashboard_json(each) for each in DASHBOARDS if each.data_source == account]


def _data_source(account: str, url: str | None, password_file: Path | None, set_password: bool) -> DataSource:
    from deploy.grafana.data_source import DataSource
    from deploy.grafana.settings import ClickHouseAddress, read_secret
    from schemas.errors import ConfigError

    address = ClickHouseAddress.from_url(url) if url else None
    name = f"TIELINE_{account.upper()}_PASSWORD"
    password = read_secret(password_file, name, f"--{account}-password-file")
    if set_password and password is None:
        raise ConfigError(f"--set-password: no password in {name} or --{account}-password-file")
    return DataSource(account, address, password, set_password)


def _interventions(asked: bool | None, data: Path | None) -> list[Intervention] | None:
    from deploy.composition.target import BROKER_ENV, find_target
    from deploy.grafana.interventions import read_interventions
    from schemas.errors import ConfigError, TransientError
    from sinks.clickhouse.settings import URL_ENV, connect

    if asked is False:
        return None
    if asked is None and data is None and os.environ.get(BROKER_ENV) and not os.environ.get(URL_ENV):
        return None
    try:
        target = find_target(data, user="reader")
    except ConfigError:
        if asked or data is not None:
            raise
        return None
    try:
        return read_interventions(connect(target.clickhouse))
    except TransientError as error:
        raise TransientError(f"{error}; or push with --no-interventions") from None


def _carry_out(changes: Sequence[Change]) -> None:
    from deploy.grafana.push import carry_out
    from schemas.errors import TielineError

    columns = (SpinnerColumn(), TextColumn("{task.description}"))
    done = 0
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as progress:
        task = progress.add_task("pushing", total=None)
        try:
            for change in carry_out(changes):
                done += change.writes
                progress.update(task, description=escape(f"{_DONE[change.kind]}: {change.what} {change.name}"))
        except TielineError:
            err.print(f"stopped after {done} of {sum(change.writes for change in changes)} changes", style="yellow")
            raise


def _show(changes: Sequence[Change]) -> None:
    """Every line of what differs; what stays as it is only in the sum."""
    for change in changes:
        if change.kind == "unchanged":
            continue
        word = _PLANNED[change.kind]
        line = Text(f"{word:<11}", style=_STYLES[change.kind]).append(f"{change.what} “{change.name}”", style="default")
        if change.note:
            line.append(f"  {change.note}", style="dim")
        out.print(line, soft_wrap=True)
        for difference in change.differences[:_MOST_LINES]:
            out.print(Text(f"             {difference}"), soft_wrap=True)
        if len(change.differences) > _MOST_LINES:
            out.print(f"             and {len(change.differences) - _MOST_LINES} more", style="dim")


def _sum_up(changes: Sequence[Change], where: str, dry_run: bool) -> None:
    counts = Counter(change.kind for change in changes)
    words = _PLANNED if dry_run else _DONE
    parts = [f"{counts[kind]} {word}" for kind, word in words.items() if counts[kind]]
    out.print(f"{where}: {', '.join(parts)}{'; nothing was changed' if dry_run else ''}", markup=False, soft_wrap=True)


def _try_data_source(grafana: Grafana, uid: str) -> None:
    fault = grafana.data_source_fault(uid)
    if fault:
        err.print(
            f"Grafana cannot read from ClickHouse yet: {fault}. Look at --clickhouse-url as Grafana's machine sees it;"
            " after a change of the password push with --set-password.",
            style="yellow",
            markup=False,
            soft_wrap=True,
        )
