"""What Grafana says, and how it says no."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True)
class Answer:
    """An answer as JSON; `raw`: instead of it, as it is."""

    status: int = 200
    body: Any = None
    raw: bytes | None = None
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "application/json; charset=UTF-8"})


class Refusal(Exception):  # noqa: N818 - the domain word is the name
    """Ends a request with an error status."""

    def __init__(self, status: int, message: str, /, **more: object) -> None:
        super().__init__(message)
        self.answer = Answer(status, {"message": message, **more})


@dataclass(frozen=True)
class Request:
    """One request, as a test may look at it."""

    method: str
    path: str
    query: dict[str, list[str]]
    body: Any
    headers: dict[str, str]

    @property
    def writes(self) -> bool:
        return self.method != "GET"

    @property
    def editable(self) -> bool:
        """Whether people may edit what it makes."""
        return self.headers.get("x-disable-provenance", "") != ""
