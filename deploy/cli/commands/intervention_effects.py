"""`tieline interventions effect`: what came of a change."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from deploy.cli.console import out, progress_bar
from deploy.cli.options import DataOption

if TYPE_CHECKING:
    from deploy.composition.effects import EffectOnTie, Place
    from deploy.composition.reading import Reader
    from streams.inference.effect.effect import Change

_DIMENSIONS = ("frequency", "timeliness", "accuracy", "problem_solving")
_ANSWERS = ("trend_before", "level", "slope", "average", "at_end", "step")


def effect(
    intervention: Annotated[str | None, typer.Argument(metavar="[ID]", help="Its id. [default: all]")] = None,
    process: Annotated[str | None, typer.Option("--process", help="Only this process. [default: all]")] = None,
    dimension: Annotated[
        str, typer.Option("--dimension", help="frequency, timeliness, accuracy or problem_solving. [default: all]")
    ] = "",
    run: Annotated[str, typer.Option("--run", help="Run whose figures are used.")] = "live",
    details: Annotated[
        bool, typer.Option("--details", help="Level, slope, average and end, alone and compared.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    data: DataOption = None,
) -> None:
    """What came of a change: an interrupted time series for each tie it touches, beside ties it does not touch.

    Intervals are 95 %. What is found is kept for the dashboards until the next look.
    """
    from deploy.composition.effects import effect_record, effects, looked_at

    if dimension not in ("", *_DIMENSIONS):
        raise typer.BadParameter(f"--dimension is one of {', '.join(_DIMENSIONS)}")
    computed_at = datetime.now(UTC)
    with _reading(data) as (reader, keep), progress_bar() as progress:
        task = progress.add_task("comparing before and after", total=None)
        found = effects(
            reader,
            run=run,
            process=process or "",
            intervention=intervention or "",
            dimension=dimension,
            told=lambda done, of: progress.update(task, completed=done, total=of),
        )
        whole = () if dimension else looked_at(reader, run=run, process=process or "", intervention=intervention or "")
        kept = keep(found, computed_at, whole)
    if as_json:
        for each in found:
            typer.echo(json.dumps(effect_record(each, computed_at), default=_written, ensure_ascii=False))
        return
    if not found:
        out.print("no tie that is touched has a period that has ended and may be shown")
        return
    _print_effects(found, details)
    if not kept:
        out.print("nothing runs here, so the dashboards do not know of it yet", style="dim")


def folding(*names: str) -> Table:
    """A table that breaks what is too long for a narrow terminal: an id that is cut off is of no use."""
    table = Table()
    for name in names:
        table.add_column(name, overflow="fold")
    return table


def _print_effects(found: Sequence[EffectOnTie], details: bool) -> None:
    table = Table(
        "intervention", "tie", "dimension", "windows", "n", "before", "after", "change (95 %)", "what it says"
    )
    for each in found:
        effect, series = each.effect, each.series
        kind = f"{series.dimension.replace('_', '-')}{' (inferred)' if series.origin == 'inferred' else ''}"
        said = "; ".join([effect.verdict, *effect.notes])
        cells = (
            each.intervention,
            f"{series.communicator_role} → {series.experiencer_role}",
            kind,
            f"{effect.before} + {effect.after}",
            f"{effect.n_before:,.0f} + {effect.n_after:,.0f}",
            "" if effect.value_before is None else f"{effect.value_before:.3f}",
            "" if effect.value_after is None else f"{effect.value_after:.3f}",
            _interval(effect.headline),
            said,
        )
        table.add_row(*map(escape, cells))
        for basis, estimates in (("alone", effect.alone), ("beside others", effect.compared)):
            for answer in _ANSWERS if details and estimates else ():
                name, change = f"{basis}: {answer.replace('_', ' ')}", _interval(getattr(estimates, answer))
                table.add_row("", "", name, "", "", "", "", change, "", style="dim")
    out.print(table)
    judged = sum(each.effect.headline is not None for each in found)
    out.print(
        f"{len(found):,} series, {judged:,} judged; where nothing happened, up to 5 % show a change all the same: here"
        f" {judged * 0.05:.1f}",
        style="dim",
    )


def _interval(change: Change | None) -> str:
    return "" if change is None else f"{change.estimate:+.3f} ({change.low:+.3f} to {change.high:+.3f})"


@contextmanager
def _reading(data: Path | None) -> Iterator[tuple[Reader, Callable[..., bool]]]:
    """A reader, and what keeps effects: nothing where no store runs, as one at rest is not written to."""
    from deploy.composition.effects import store_effects
    from deploy.composition.reading import reading
    from deploy.composition.target import find_target
    from schemas.errors import ConfigError
    from sinks.clickhouse.settings import connect

    def keep(found: Sequence[EffectOnTie], computed_at: datetime, whole: Sequence[Place]) -> bool:
        try:
            client = connect(find_target(data).clickhouse)
        except ConfigError:
            return False
        try:
            store_effects(client, found, computed_at, whole=whole)
        finally:
            client.close()
        return True

    with reading(data) as reader:
        yield reader, keep


def _written(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"not written in JSON: {type(value).__name__}")
