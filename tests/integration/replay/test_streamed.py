"""The apps, their broker and their store; and a replay of what they archived."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from deploy.composition.reconcile import reconcile
from schemas.events import Event
from tests import brokers
from tests.integration.pipeline.running import AS_OF, running
from tests.integration.replay.replaying import BOOK, POLICIES, Unseen, live_hash, replayed

_AT = datetime.fromisoformat(AS_OF)


@pytest.mark.slow
def test_a_replay_says_what_the_apps_said(tmp_path: Path, week: list[Event]) -> None:
    (tmp_path / "tansu").mkdir()
    with brokers.tansu(tmp_path / "tansu") as broker, running(broker, tmp_path / "data", POLICIES) as tieline:
        tieline.send(week)
        tieline.drain()
        client = tieline.client()
        found = replayed(tieline.store, "again", as_of=_AT, now=lambda: _AT)
        assert found.record.content_hash == live_hash(client)
        audit = reconcile(tieline.store, BOOK, Unseen(), clock=lambda: _AT, lag_s=0.0)
        assert (audit.differences, audit.windows) == ([], [])
        assert audit.events == len(week)
        client.close()
