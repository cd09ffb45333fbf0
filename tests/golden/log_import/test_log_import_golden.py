"""Small logs in, events and skips out, byte for byte.

After a change that is meant, write the new files with `python -m tests.golden.log_import.test_log_import_golden` and
read the difference: a changed id or content of an event that was imported before makes it another event, or a conflict.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from streams.gateway.actors import ActorKey
from streams.gateway.log_import import LogImport, Skipped, read_mapping

HERE = Path(__file__).parent
LOGS = ["tickets.csv", "ward.xes", "events.ndjson"]


def outcomes(name: str) -> str:
    """One line for each outcome: an event's canonical bytes, or `skipped <reason> <where>`."""
    path = HERE / name
    mapping = path.with_suffix(".mapping.yaml")
    key = ActorKey("golden", bytes(range(32)))
    log = LogImport(path, read_mapping(mapping) if mapping.exists() else None, actor_key=key)
    lines = [f"skipped {one.reason} {one.where}" if isinstance(one, Skipped) else one.value.decode() for one in log]
    return "\n".join(lines) + "\n"


def expected(name: str) -> Path:
    return (HERE / name).with_suffix(".expected.txt")


@pytest.mark.parametrize("name", LOGS)
def test_log_gives_the_recorded_events(name: str) -> None:
    assert outcomes(name) == expected(name).read_text(encoding="utf-8")


def test_worked_example_of_the_manual_is_the_tested_one() -> None:
    manual = (Path(__file__).parents[3] / "docs" / "importing.md").read_text(encoding="utf-8")
    for name in ("tickets.csv", "tickets.mapping.yaml"):
        assert (HERE / name).read_text(encoding="utf-8") in manual


if __name__ == "__main__":
    for log_name in LOGS:
        expected(log_name).write_text(outcomes(log_name), encoding="utf-8")
