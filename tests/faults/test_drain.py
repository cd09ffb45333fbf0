"""Fault 5: SIGTERM of infer and of the sink under load: drained and gone within ten seconds."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from schemas.events import Event
from streams.transport.runner import STUCK_EXIT_CODE
from tests.brokers import Broker
from tests.faults.load import Load
from tests.faults.rig import rig, rounds
from tests.integration.pipeline.running import APPS, Hash

pytestmark = [pytest.mark.kafka, pytest.mark.slow]
ROUNDS = rounds(2, most=20)
ROUND_S = 3.0
WITHIN_S = 10.0


@pytest.mark.timeout(1800)
def test_sigterm_under_load_drains_and_ends_in_time(
    fresh_kafka: Broker, tmp_path: Path, week: list[Event], undisturbed: Hash
) -> None:
    dice = random.Random(15)
    took_s: dict[str, list[float]] = {name: [] for name in APPS}
    with rig(fresh_kafka, tmp_path / "data") as tieline:
        with Load(fresh_kafka.address, week, per_s=len(week) / (ROUNDS * ROUND_S)) as load:
            load.wait_until_sent(1)
            tieline.wait_until_stored(1)
            for number in range(ROUNDS):
                name = APPS[number % 2]
                tieline.wait_until_said(name, "metrics on", times=number // 2 + 1)  # Python itself has started
                time.sleep(dice.uniform(0.1, ROUND_S))
                code, ended_s = tieline.stop_timed(name)
                assert code == 0, tieline.log(name)[-30:]
                assert tieline.said(name, f"tieline-{name} drained in") == number // 2 + 1
                took_s[name].append(ended_s)
                tieline.start_app(name)
        tieline.drain()
        tieline.assert_undisturbed(undisturbed, week)
    assert max(map(max, took_s.values())) < WITHIN_S, took_s
    print({name: f"{len(all_s)} stops, longest {max(all_s):.2f} s" for name, all_s in took_s.items()})


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_sigterm_while_the_store_is_away_ends_in_time_and_loses_nothing(
    fresh_kafka: Broker, tmp_path: Path, week: list[Event], undisturbed: Hash
) -> None:
    """The sink cannot drain then: it ends all the same, says so, and reads again what it had not written."""
    with rig(fresh_kafka, tmp_path / "data") as tieline:
        with Load(fresh_kafka.address, week, per_s=len(week) / 8):
            tieline.wait_until_stored(100)
            tieline.kill("store")
            tieline.wait_until_said("sink", "the store is away")
            code, ended_s = tieline.stop_timed("sink")
            assert (code, ended_s < WITHIN_S) == (STUCK_EXIT_CODE, True), (code, ended_s)
            assert tieline.said("sink", "is not drained after") == 1
            tieline.start_store()
            tieline.start_app("sink")
        tieline.drain()
        tieline.assert_undisturbed(undisturbed, week)
    print(f"sink without a store ended after {ended_s:.2f} s")
