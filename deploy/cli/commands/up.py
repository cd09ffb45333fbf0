"""`tieline up`: the embedded default, without a feed of its own."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from deploy.cli.console import out
from deploy.cli.options import DataOption, PolicyOption

if TYPE_CHECKING:
    from deploy.composition.target import Target
    from deploy.embedded.supervisor import Transition


def up(data: DataOption = None, policy: PolicyOption = None) -> None:
    """Run broker, store, both apps, the board and the gateway in a data folder until Ctrl-C."""
    import os

    from deploy.composition.embedded import Embedded
    from deploy.composition.target import AS_OF_ENV, data_dir, policy_paths

    folder = data_dir(data)
    embedded = Embedded(folder, policy_paths(policy, folder), say, _until_stopped, as_of=os.environ.get(AS_OF_ENV, ""))
    asyncio.run(embedded.run())
    out.print("stopped", style="dim")


def say(transition: Transition) -> None:
    """One line for each state a child gets into."""
    from deploy.embedded.supervisor import State

    style = {State.READY: "green", State.CRASHED: "bold red"}.get(transition.state, "dim")
    detail = f" ({transition.detail})" if transition.detail else ""
    out.print(f"  {transition.name:<8}{transition.state.value}{detail}", style=style, markup=False)


def say_addresses(target: Target) -> None:
    """Where things are, once they run."""
    from streams.gateway.tokens import LOCAL_TOKEN_FILE

    out.print(f"Kafka protocol    {target.broker}", markup=False)
    out.print(f"ClickHouse HTTP   http://{target.clickhouse.host}:{target.clickhouse.port}", markup=False)
    if target.instance is not None:
        out.print(f"board             {target.instance.board_url}", style="bold", markup=False)
        out.print(f"gateway           {target.instance.gateway_url}", markup=False)
        token = target.instance.folder / LOCAL_TOKEN_FILE
        if token.exists():
            out.print(f"gateway token     {token}", markup=False, soft_wrap=True)
        out.print(f"data folder       {target.instance.folder}", markup=False, soft_wrap=True)


async def _until_stopped(target: Target) -> None:
    say_addresses(target)
    out.print("running; Ctrl-C ends it", style="bold")
    await asyncio.Event().wait()
