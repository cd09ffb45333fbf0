"""One file per command; this one only puts them together. Heavy imports stay inside the commands: `--help` is fast."""

from __future__ import annotations

import typer

from deploy.cli.commands import (
    archive,
    board,
    config,
    dashboards,
    dead_letters,
    demo,
    export,
    gateway,
    import_log,
    interventions,
    keys,
    mapping,
    migrate,
    mllp,
    reconcile,
    replay,
    report,
    rights,
    runs,
    schema,
    signals,
    simulate,
    sql,
    status,
    survey,
    tokens,
    topics,
    up,
    worker,
)

app = typer.Typer(
    name="tieline",
    help="Relational coordination, inferred live from the events that work already produces.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.command("demo")(demo.demo)
app.command("up")(up.up)
app.command("import")(import_log.import_log)
app.command("simulate")(simulate.simulate)
app.command("replay")(replay.replay)
app.command("reconcile")(reconcile.reconcile)
app.command("board")(board.board)
app.command("status")(status.status)
app.command("report")(report.report)
app.command("sql")(sql.sql)
app.command("migrate")(migrate.migrate)
app.command("gateway")(gateway.gateway)
app.command("mllp")(mllp.mllp)
app.add_typer(worker.app, name="worker")
app.add_typer(topics.app, name="topics")
app.add_typer(rights.app, name="rights")
app.add_typer(tokens.app, name="tokens")
app.add_typer(keys.app, name="keys")
app.add_typer(mapping.app, name="mapping")
app.add_typer(dead_letters.app, name="dead-letters")
app.add_typer(runs.app, name="runs")
app.add_typer(survey.app, name="survey")
app.add_typer(schema.app, name="schema")
app.add_typer(signals.app, name="signals")
app.add_typer(archive.app, name="archive")
app.add_typer(export.app, name="export")
app.add_typer(config.app, name="config")
app.add_typer(dashboards.app, name="dashboards")
app.add_typer(interventions.app, name="interventions")
