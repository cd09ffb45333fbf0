"""Knowing that the store has what the gateway accepted."""

from __future__ import annotations

import pytest

from deploy.composition import durable
from deploy.composition.durable import Archived, Offsets
from schemas.errors import TransientError

ENDS = {("tieline.events", 3): 10, ("tieline.dead-letters", 1): 2}


async def test_it_waits_until_the_sink_has_committed_everything() -> None:
    answers: list[Offsets] = [
        {},
        {("tieline.events", 3): 9, ("tieline.dead-letters", 1): 5},
        {("tieline.events", 3): 10, ("tieline.dead-letters", 1): 5},
    ]
    left = iter(answers)
    await Archived("", lambda: next(left), poll_s=0.0)(ENDS)
    assert next(left, None) is None


async def test_nothing_produced_is_nothing_to_wait_for() -> None:
    await Archived("", dict, poll_s=0.0)({})


async def test_a_sink_that_does_not_move_is_no_reason_to_wait_forever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(durable, "STALL_S", 0.01)
    with pytest.raises(TransientError, match="2 partitions"):
        await Archived("", dict, poll_s=0.001)(ENDS)
