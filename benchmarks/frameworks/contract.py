"""What every contender is told, and what it has to do.

Read the events that already lie in 24 partitions; keep what is known of each work item; write what follows from them to
topics of its own; commit. CPU time counts from the moment it has its partitions until everything is committed.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

from benchmarks.usage import usage
from streams.transport.batch import Record

COMMIT_EVERY_S = 2.0
"""As `infer`'s checkpoints: what a restart reads again is the same for all that can be told how often to commit."""
BATCH = 2_000
"""Records of one poll, as `infer`'s."""
STARTED, HALF, FINISHED, ANSWER = "started.json", "half.json", "finished.json", "answer.json"


class Output(NamedTuple):
    """One record that follows from the events: `table` names the topic."""

    table: str
    partition: int
    key: bytes
    value: bytes


class Batched(Protocol):
    """A job for loops that keep everything in memory: whole fetches, then what changed."""

    def take(self, records: Sequence[Record]) -> None: ...

    def outputs(self) -> Iterator[Output]: ...


Dump = Callable[[], bytes]


class Keyed(Protocol):
    """A job for frameworks that keep state by key.

    `fold` takes records of one work item, and `load` that reads what the framework keeps of it; returns what follows,
    and how to make the state that has to be kept.
    """

    def fold(
        self, key: bytes, records: Sequence[Record], load: Callable[[], bytes | None]
    ) -> tuple[list[Output], Dump]: ...


@dataclass(frozen=True)
class Entry:
    """What a contender's process is started with.

    Attributes:
        name: its consumer group, and part of the names of its topics.
        job: `infer` or `pairs`.
        events: how many lie on `source`.
        folder: its own, empty.
    """

    name: str
    job: str
    broker: str
    source: str
    events: int
    folder: Path

    @classmethod
    def from_arguments(cls) -> Entry:
        """Of this process."""
        parser = argparse.ArgumentParser()
        for option in ("--name", "--job", "--broker", "--source"):
            parser.add_argument(option, required=True)
        parser.add_argument("--events", type=int, required=True)
        parser.add_argument("--folder", type=Path, required=True)
        return cls(**vars(parser.parse_args()))

    def arguments(self) -> list[str]:
        """For another process."""
        return [part for name, value in vars(self).items() for part in (f"--{name}", str(value))]

    def topic(self, table: str) -> str:
        """Where records of a table go."""
        return f"bench.{self.name}.{table}"

    def batched(self) -> Batched:
        """The job for a loop."""
        from benchmarks.frameworks.infer_job import InferBatched
        from benchmarks.frameworks.pairs_job import PairsBatched

        return InferBatched() if self.job == "infer" else PairsBatched()

    def keyed(self) -> Keyed:
        """The job for a framework with state by key."""
        from benchmarks.frameworks.infer_job import InferKeyed
        from benchmarks.frameworks.pairs_job import PairsKeyed

        return InferKeyed() if self.job == "infer" else PairsKeyed()

    def started(self) -> None:
        """It has its partitions: what was used until now does not count. Later calls change nothing."""
        mark = self.folder / STARTED
        if not mark.exists():
            _write(mark, {"cpu_s": time.process_time()})

    def finished(self) -> None:
        """Everything is committed; for contenders that end by themselves."""
        used = usage(os.getpid())
        _write(self.folder / FINISHED, {"cpu_s": time.process_time(), "peak_mib": used.peak_mib})


def _write(path: Path, content: dict[str, float]) -> None:
    partial = path.with_suffix(f".{os.getpid()}")
    partial.write_text(json.dumps(content))
    partial.replace(path)
