"""Payloads in, events out, one readable file for each payload.

A connector has a folder here with `cases.py`, which defines

```
SUITE = Suite(GitHub(), cases, fixtures="fixtures/github")        # below the shared data
SUITE = Suite(ServiceNow(), cases)                                # payloads/ beside cases.py
def cases(fixtures: Path) -> Iterable[Case]: ...
```
A case's name is its payload's file name, or begins with it if one payload is read in several ways (`NAME@variant`).
`python -m tests.golden.connectors NAME` writes `NAME/*.json` anew: read the difference before you commit it, since a
changed id or content of an event that was told before makes it another event, or a conflict.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from schemas.decoding import decode
from schemas.errors import InvalidEvent
from streams.gateway.actors import ActorKey
from streams.gateway.connectors.connector import Connector, Context, Delivery
from streams.gateway.edge.cloud_event import cloud_event, hashed_actor
from streams.gateway.edge.draft import Draft
from streams.gateway.edge.marks import Marks

HERE = Path(__file__).parent
SOURCE = "golden"
KEY = ActorKey("golden", bytes(range(32)))


@dataclass(frozen=True)
class Case:
    """One payload, as one source would read it.

    Attributes:
        name: the payload's file name, with `@variant` behind it if there are several cases of it.
    """

    name: str
    delivery: Delivery
    context: Context

    @property
    def payload(self) -> str:
        return self.name.partition("@")[0]


@dataclass(frozen=True)
class Suite:
    """The cases of one connector.

    Attributes:
        fixtures: the folder of the payloads below the shared data; empty if they are our own, in `payloads/`.
        left_out: payloads that are not for this connector, by file name, with the reason.
    """

    connector: Connector
    cases: Callable[[Path], Iterable[Case]]
    fixtures: str = ""
    left_out: Mapping[str, str] | None = None


def suite(name: str) -> Suite:
    """The suite in `tests/golden/connectors/NAME/cases.py`."""
    found = import_module(f"tests.golden.connectors.{name}.cases").SUITE
    assert isinstance(found, Suite)
    return found


def names() -> list[str]:
    """The connectors that have a suite."""
    return sorted(path.parent.name for path in HERE.glob("*/cases.py"))


def golden(connector: Connector, name: str, delivery: Delivery, context: Context) -> str:
    """What one payload became: events as they go into the log, or why there are none. No names and no texts."""
    try:
        reading = connector.read(delivery, context)
    except InvalidEvent as invalid:
        told: dict[str, object] = {"payload": name, "invalid": invalid.code, "field": invalid.field}
    else:
        told = {
            "payload": name,
            "events": [event(draft, context.process) for draft in reading.drafts],
            "unused": list(reading.unused),
        }
    return json.dumps(told, indent=2, ensure_ascii=False) + "\n"


def event(draft: Draft, process: str) -> dict[str, object]:
    """The draft as the edge makes it an event, without a policy's word rules; the actor hashed with a key for tests.

    Raises: InvalidEvent: the contract refuses it.
    """
    actor = {"actor": hashed_actor(draft.actor, KEY, Marks())} if draft.actor else {}
    sealed = decode(cloud_event(draft, {**draft.data, **actor}, SOURCE, process)).canonical()
    checked: dict[str, object] = json.loads(sealed)
    return {key: value for key, value in checked.items() if key not in ("specversion", "source")}


def outcomes(name: str, shared: Path | None) -> dict[str, str]:
    """File name of the golden → its content, for every case of a connector.

    Raises: AssertionError: a payload without a case, a case without a payload, two cases with one name.
    """
    one = suite(name)
    folder = _fixtures(name, one, shared)
    told: dict[str, str] = {}
    payloads: set[str] = set()
    for case in one.cases(folder):
        assert f"{case.name}.json" not in told, f"two cases are called {case.name}"
        payloads.add(case.payload)
        told[f"{case.name}.json"] = golden(one.connector, case.name, case.delivery, case.context)
    left_out = set(one.left_out or {})
    present = {path.name for path in folder.iterdir() if path.is_file()}
    assert not present - payloads - left_out, f"without a case: {sorted(present - payloads - left_out)}"
    assert not (payloads | left_out) - present, f"without a file: {sorted((payloads | left_out) - present)}"
    return told


def _fixtures(name: str, one: Suite, shared: Path | None) -> Path:
    if not one.fixtures:
        return HERE / name / "payloads"
    assert shared is not None, "this suite needs the shared data"
    return shared / one.fixtures


def differences(name: str, shared: Path | None) -> list[str]:
    """Unified diffs between the golden files and what comes out now; a missing or extra file is one, too."""
    told = outcomes(name, shared)
    kept = {path.name: path.read_text(encoding="utf-8") for path in (HERE / name).glob("*.json")}
    found = []
    for file in sorted(told.keys() | kept.keys()):
        before, after = kept.get(file, "").splitlines(keepends=True), told.get(file, "").splitlines(keepends=True)
        if before != after:
            found.append("".join(difflib.unified_diff(before, after, f"golden {file}", f"now {file}")))
    return found


def rewrite(name: str, shared: Path | None) -> int:
    """Writes the golden files of a connector anew, and removes those of payloads that are gone. Returns how many."""
    told = outcomes(name, shared)
    for path in (HERE / name).glob("*.json"):
        path.unlink()
    for file, content in told.items():
        (HERE / name / file).write_text(content, encoding="utf-8")
    return len(told)
