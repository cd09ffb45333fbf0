"""What can be fuzzed. A target is a module of this package with a `TARGET`:

```
TARGET = Target(run=read_it, seeds=lambda: [b"...", ...], tokens=(b"|", b"\\r"))
```
`run` returns, or raises `InvalidEvent`; anything else that it raises is a finding. Put promises that hold for every
input into it as assertions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path


@dataclass(frozen=True)
class Target:
    """Something that reads bytes.

    Attributes:
        run: reads one input.
        seeds: inputs that it understands, from which others are made.
        tokens: pieces of its language, to be strewn in.
        max_bytes: no larger input is made.
        limit_ms: processor time that no input may take.
    """

    run: Callable[[bytes], None]
    seeds: Callable[[], Sequence[bytes]]
    tokens: Sequence[bytes] = ()
    max_bytes: int = 64 * 1024
    limit_ms: float = 100.0


def names() -> list[str]:
    """All targets."""
    return sorted(path.stem.removeprefix("target_") for path in Path(__file__).parent.glob("target_*.py"))


def target(name: str) -> Target:
    """The target in `target_NAME.py`."""
    found = import_module(f"tests.fuzz.target_{name}").TARGET
    assert isinstance(found, Target)
    return found
