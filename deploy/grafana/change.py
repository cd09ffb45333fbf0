"""What a push would do, before it does it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["create", "update", "delete", "unchanged", "kept"]
"""`kept`: it differs or is not defined, and is not ours to change; `note` says why."""


@dataclass(frozen=True, slots=True)
class Change:
    """One thing of Grafana's, and what is to happen to it.

    Attributes:
        what: such as `dashboard`.
        name: as people know it.
        differences: lines that say what is going to be different.
        note: what else to know.
        apply: does it; nothing to do where it stays as it is.
    """

    kind: Kind
    what: str
    name: str
    differences: Sequence[str] = ()
    note: str = ""
    apply: Callable[[], object] | None = field(default=None, repr=False, compare=False)

    @property
    def writes(self) -> bool:
        return self.kind in ("create", "update", "delete")
