"""What the apps say about themselves arrives in the store, by the same road as everything else."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from schemas.events import Event
from sinks.clickhouse.content_hash import HASHED
from streams.apps.topic_admin import describe_topics
from tests.brokers import Broker
from tests.integration.pipeline.conftest import DEMO_POLICY
from tests.integration.pipeline.running import Running, running

WAIT_S = 100.0
"""Longer than the minute between the measures of a worker that has nothing to do."""
SUMS = """
SELECT app, sum(events), sum(batches) > 0, uniqExact(worker), max(partitions), max(lag_s) < 60, max(batch_ms_max) > 0
FROM pipeline_measures GROUP BY app ORDER BY app"""


def eventually(tieline: Running, sql: str, expected: list[tuple[Any, ...]]) -> None:
    deadline_s = time.monotonic() + WAIT_S
    while (found := tieline.rows(sql)) != expected:
        assert time.monotonic() < deadline_s, found
        time.sleep(0.5)


def test_both_apps_say_how_much_they_read_how_fast_and_how_far_behind(
    fresh_broker: Broker, tmp_path: Path, scenario_events: list[Event]
) -> None:
    sent = len(scenario_events)
    with running(fresh_broker, tmp_path / "data", DEMO_POLICY) as tieline:
        assert all(state.right for state in describe_topics(fresh_broker.address))
        tieline.send(scenario_events)
        tieline.drain()
        eventually(tieline, SUMS, [(app, sent, 1, 1, 24, 1, 1) for app in ("infer", "sink")])
        arrived = tieline.rows("SELECT sum(events), sum(late) FROM pipeline_sources")
        assert arrived == [(sent, 0)]
        assert tieline.rows("SELECT count() FROM freshness WHERE written_age_s < 300") == [(2,)]
        assert set(tieline.rows("SELECT DISTINCT known FROM pipeline_roles")) == {(True,)}


def test_measures_are_no_part_of_what_a_replay_must_reproduce() -> None:
    assert "measures" not in HASHED


@pytest.mark.long
@pytest.mark.kafka
@pytest.mark.slow
def test_the_one_partition_of_measures_moves_to_the_worker_that_is_left(
    fresh_kafka: Broker, tmp_path: Path, scenario_events: list[Event], undisturbed: dict[str, tuple[int, str]]
) -> None:
    half = len(scenario_events) // 2
    shares = """
SELECT app, groupArray(partitions) FROM
(
    SELECT app, worker, argMax(partitions, at) AS partitions FROM pipeline_measures
    WHERE at >= {since} GROUP BY app, worker ORDER BY partitions
)
GROUP BY app ORDER BY app"""
    with running(fresh_kafka, tmp_path / "data", DEMO_POLICY) as tieline:
        for app in ("infer", "sink"):
            tieline.start_app(app, f"{app}-2")
        time.sleep(10)  # the groups share out their partitions
        began = tieline.rows("SELECT toUnixTimestamp(now())")[0][0]
        tieline.send(scenario_events[:half])
        tieline.drain()
        eventually(tieline, shares.format(since=began), [("infer", [12, 12]), ("sink", [12, 12])])
        for app in ("infer", "sink"):
            tieline.kill(app)
        tieline.send(scenario_events[half:])
        tieline.drain()
        began = tieline.rows("SELECT toUnixTimestamp(now())")[0][0]
        tieline.send(scenario_events[:10])
        eventually(tieline, shares.format(since=began), [("infer", [24]), ("sink", [24])])
        assert tieline.hash() == undisturbed
