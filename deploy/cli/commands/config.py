"""`tieline config`: look at the configuration before anything runs on it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from deploy.cli.commands.signals import SettingsOption
from deploy.cli.console import out
from deploy.cli.options import DataOption, PolicyOption

app = typer.Typer(help="Policies and settings.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """Policies, mapping files and settings."""


@app.command()
def check(
    policy: PolicyOption = None,
    mapping: Annotated[list[Path] | None, typer.Option("--mapping", help="Mapping file to check as well.")] = None,
    signals: SettingsOption = None,
    data: DataOption = None,
) -> None:
    """Read policies, mapping files, settings of signals and of the environment; exit code 78 names the place of a
    mistake."""
    from deploy.composition.target import data_dir, find_broker, policy_paths
    from deploy.policy_files import load_policy_book
    from sinks.clickhouse.settings import ClickHouseSettings

    ClickHouseSettings.from_env()
    find_broker()
    book = load_policy_book(policy_paths(policy, data_dir(data)))
    _check_signals(signals, data)
    for path in mapping or []:
        _check_mapping(path)
        out.print(f"{path}: ok", markup=False)
    table = Table("process", "policy", "in force from", "atoms", "observes")
    for version in book.policies:
        for name, part in sorted(version.processes.items()):
            dimensions = ", ".join(part.observed_dimensions()) or "nothing"
            table.add_row(name, version.version, f"{version.effective_from:%Y-%m-%d}", part.period, dimensions)
    out.print(table)


def _check_signals(given: Path | None, data: Path | None) -> None:
    """With the secrets of webhooks, wherever they are."""
    from deploy.composition.signals import read_signals_file, signals_path
    from deploy.composition.target import data_dir
    from streams.webhooks.settings import receivers

    path = signals_path(given, data_dir(data))
    told = receivers(read_signals_file(path))
    if path is not None:
        names = ", ".join(receiver.name for receiver in told) or "none"
        out.print(f"{path}: ok, webhooks: {names}", markup=False)


def _check_mapping(path: Path) -> None:
    """Of a log, or of the payloads that the gateway receives: the file says which."""
    from streams.gateway.connectors.json_mapping.mapping_file import read_payload_mapping
    from streams.gateway.log_import.mapping_file import parse_yaml, read_mapping, read_text

    of_payloads = parse_yaml(read_text(path), str(path)).get("format") == "json"
    read_payload_mapping(path) if of_payloads else read_mapping(path)
