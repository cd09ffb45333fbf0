"""`tieline topics`: create and describe the Kafka topics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from deploy.cli.console import FAILED_EXIT_CODE, out
from deploy.cli.options import BrokerOption, DataOption

if TYPE_CHECKING:
    from streams.transport.broker import Broker

app = typer.Typer(help="The Kafka topics.", no_args_is_help=True)


def _broker(given: str | None, data: DataOption) -> Broker:
    from deploy.composition.target import find_broker, find_target

    return find_broker(given) if given else find_target(data).broker


@app.command()
def create(
    broker: BrokerOption = None,
    data: DataOption = None,
    replication: Annotated[int, typer.Option(min=1, help="Replicas of every partition.")] = 1,
) -> None:
    """Create the topics that are missing; safe to run again."""
    from streams.apps.topic_admin import create_topics

    created = create_topics(_broker(broker, data), replication)
    out.print(f"created: {', '.join(created)}" if created else "all topics are there", markup=False)


@app.command()
def describe(broker: BrokerOption = None, data: DataOption = None) -> None:
    """Show the topics as the broker has them; exit code 1 if one is missing or wrong."""
    from schemas.topics import TOPICS
    from streams.apps.topic_admin import describe_topics

    table = Table("topic", "partitions", "clean-up", "state")
    states = describe_topics(_broker(broker, data))
    for state, topic in zip(states, TOPICS, strict=True):
        note = "ok" if state.right else "missing" if not state.partitions else f"needs {state.needed} partitions"
        table.add_row(state.name, str(state.partitions), "compact" if topic.compacted else "30 days", note)
    out.print(table)
    if not all(state.right for state in states):
        raise typer.Exit(FAILED_EXIT_CODE)
