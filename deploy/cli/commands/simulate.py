"""`tieline simulate`: an event log from planted tie qualities, and the truth about it."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated

import typer
from rich.progress import Progress, TextColumn, TimeElapsedColumn

from deploy.cli.commands.import_log import show_behind
from deploy.cli.console import err
from deploy.cli.options import DataOption

if TYPE_CHECKING:
    from deploy.composition.target import Target
    from schemas.events import Event
    from streams.simulation.planted.simulation import Simulation

_SHOW_EVERY = 1000


def simulate(
    seed: Annotated[int, typer.Option("--seed", help="Another seed is another log; the same, the same bytes.")] = 1,
    config: Annotated[
        Path | None, typer.Option("--config", help="World to simulate, YAML (docs/simulating.md). [default: built in]")
    ] = None,
    events: Annotated[int | None, typer.Option("--events", help="End after so many events.", min=1)] = None,
    weeks: Annotated[
        int | None, typer.Option("--weeks", help="Weeks of new work items, instead of the world's.", min=1, max=5200)
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="NDJSON file to write. [default: standard output]", dir_okay=False)
    ] = None,
    truth: Annotated[
        Path | None, typer.Option("--truth", help="Also write what was planted here, as JSON.", dir_okay=False)
    ] = None,
    policy: Annotated[
        Path | None,
        typer.Option("--policy", help="Also write the policy that fits the simulated people here.", dir_okay=False),
    ] = None,
    to_kafka: Annotated[
        bool, typer.Option("--to-kafka", help="Send the events to the running instance, or TIELINE_BROKER.")
    ] = False,
    data: DataOption = None,
) -> None:
    """Make an event log from planted tie qualities, with what goes wrong in real logs, and tell the truth about it."""
    if events is not None and weeks is not None:
        raise typer.BadParameter("give --events or --weeks, not both")
    if to_kafka and out is not None:
        raise typer.BadParameter("give --out or --to-kafka, not both")
    from deploy.whole_file import whole_file

    simulation = _simulation(config, seed)
    if policy is not None:
        with whole_file(policy) as file:
            file.write(_policy_yaml(simulation).encode())
    # Without end where a number of events is asked for: then that ends it.
    arriving = islice(simulation.events(0 if events else weeks), events)
    with Progress(TextColumn("{task.description}"), TimeElapsedColumn(), console=err) as progress:
        if to_kafka:
            asyncio.run(_send(arriving, _target(data), progress))
        elif out is not None:
            with whole_file(out) as file:
                _write(arriving, file, progress)
        else:
            _write_out(arriving, progress)
    if truth is not None:
        with whole_file(truth) as file:
            file.write(json.dumps(simulation.truth.document(), indent=1).encode() + b"\n")


def _simulation(config: Path | None, seed: int) -> Simulation:
    """Raises: ConfigError: the file cannot be read, or describes no world."""
    from streams.simulation.planted.people import simulated_people
    from streams.simulation.planted.reading import world_of
    from streams.simulation.planted.simulation import Simulation
    from streams.simulation.planted.world import World

    world = World() if config is None else world_of(_text(config), str(config))
    return Simulation(world, seed, simulated_people(seed).hash_actor)


def _text(path: Path) -> str:
    from schemas.errors import ConfigError
    from streams.simulation.planted.reading import MAX_CHARACTERS

    try:
        with path.open(encoding="utf-8") as file:
            return file.read(MAX_CHARACTERS + 1)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise ConfigError(f"{path}: {reason}") from None


def _target(data: Path | None) -> Target:
    from deploy.composition.target import find_target

    return find_target(data)


def _policy_yaml(simulation: Simulation) -> str:
    import yaml

    from streams.simulation.planted.promised import matching_policy

    document = matching_policy(simulation.world).model_dump(mode="json", exclude_defaults=True)
    return f"# The policy of a simulated world: `tieline simulate`.\n{yaml.safe_dump(_in_order(document))}"


def _in_order(value: object) -> object:
    """Lists that were sets have no order of their own, and a file should be the same every time."""
    if isinstance(value, dict):
        return {key: _in_order(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return sorted(value) if all(isinstance(inner, str) for inner in value) else [_in_order(each) for each in value]
    return value


def _write(events: Iterator[Event], file: IO[bytes], progress: Progress) -> None:
    """One event a line."""
    task = progress.add_task("simulating", total=None)
    number = 0
    for number, event in enumerate(events, 1):
        file.write(event.canonical() + b"\n")
        if number % _SHOW_EVERY == 0:
            progress.update(task, description=f"simulated {number:,} events, up to {event.time:%Y-%m-%d}")
    progress.update(task, description=f"simulated {number:,} events")


def _write_out(events: Iterator[Event], progress: Progress) -> None:
    """To standard output. Whoever reads it may have had enough before the end, such as `head`."""
    try:
        _write(events, sys.stdout.buffer, progress)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


async def _send(events: Iterator[Event], target: Target, progress: Progress) -> None:
    """To Kafka, as an import does; returns when the store has them.

    Raises: TransientError: the broker is away.
    """
    from deploy.composition.send import feed_of, stored
    from schemas.topics import event_key

    sending, total = progress.add_task("sending", total=None), 0

    def show(number: int) -> None:
        nonlocal total
        total += number
        progress.update(sending, description=f"sent {total:,} events")

    async with feed_of(target) as feed:
        await feed.send(((event_key(event), event.canonical()) for event in events), show)
        storing = progress.add_task("folding and storing", total=None)
        await stored(target, feed, lambda behind: show_behind(progress, storing, behind))
