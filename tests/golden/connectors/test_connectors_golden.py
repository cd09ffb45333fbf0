"""Every payload gives the recorded events, and every recorded file still has its payload."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.golden.connectors.golden import differences, names, suite


@pytest.mark.parametrize("name", names())
def test_payload_gives_the_recorded_events(name: str, request: pytest.FixtureRequest) -> None:
    shared: Path | None = request.getfixturevalue("shared_data") if suite(name).fixtures else None
    found = differences(name, shared)
    assert not found, f"python -m tests.golden.connectors {name}\n" + "\n".join(found)
