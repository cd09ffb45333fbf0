"""The benchmarks run, and give no figure for a wrong answer. Nothing here depends on how fast this machine is."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.answer import Answer, from_scratch
from benchmarks.fold import fold_in_memory, fold_whole_items
from benchmarks.load import expected_of, live, policies, simulated
from benchmarks.report import figure
from tests.builders import LONG_AFTER

ROOT = Path(__file__).parents[2]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "benchmarks", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=120
    )


def test_help_names_every_benchmark() -> None:
    done = run("--help")
    assert done.returncode == 0
    for name in (
        "fold",
        "infer",
        "checkpoint",
        "sink",
        "latency",
        "panels",
        "gateway",
        "latency_on_kafka",
        "frameworks",
        "--quick",
        "--json",
    ):
        assert name in done.stdout


def test_an_unknown_benchmark_is_refused() -> None:
    assert run("speed").returncode == 2


def test_a_quick_run_checks_its_answer_and_writes_its_figures(tmp_path: Path) -> None:
    done = run("fold", "--quick", "--json", str(tmp_path / "figures.json"))
    assert done.returncode == 0, done.stderr
    figures = json.loads((tmp_path / "figures.json").read_text())["figures"]
    throughput = ["events per CPU-second", "peak memory"]
    assert [each["measure"] for each in figures if each["benchmark"] == "fold in memory"] == throughput
    assert [each["measure"] for each in figures if each["benchmark"] == "fold of whole items"][:2] == throughput
    assert all(each["median"] > 0 for each in figures)


async def test_a_wrong_answer_gives_no_figure(tmp_path: Path) -> None:
    load = simulated(1)
    load.write(tmp_path / "load.tsv")
    right = expected_of(load)
    wrong = Answer({**right.rows, "handoffs": right.rows["handoffs"] + 1}, right.digest)
    with pytest.raises(AssertionError, match="wrong answer"):
        await fold_in_memory(tmp_path / "load.tsv", wrong)
    with pytest.raises(AssertionError, match="wrong answer"):
        await fold_whole_items(tmp_path / "load.tsv", wrong)


def test_the_digest_sees_a_row_that_differs_only_in_content() -> None:
    events = simulated(1).events
    found = from_scratch(events, policies(), LONG_AFTER)
    less = from_scratch(events[:-1], policies(), LONG_AFTER)
    assert found.digest != less.digest


def test_live_events_keep_the_order_of_their_work_item_and_the_distance_of_due_times() -> None:
    events = live(500)
    moved = [one.at(LONG_AFTER) for one in events]
    assert sum(one.offers for one in events) > 20
    for before, after in zip(events, moved, strict=True):
        due = getattr(before.event.data, "due_at", None)
        if due is not None:
            assert after.data.due_at - after.time == due - before.event.time


def test_a_target_is_met_by_the_median() -> None:
    assert figure("a", "b", "ms", [100, 140, 900], at_most=150).met
    assert not figure("a", "b", "", [0.5, 0.55, 0.9], at_least=0.6).met
