"""How figures and dates are written for people, the same in tables, pictures and alternatives."""

from __future__ import annotations

from datetime import UTC, date, datetime

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
NOTHING = "–"
DIMENSION_NAMES = {
    "frequency": "frequency",
    "timeliness": "timeliness",
    "accuracy": "accuracy",
    "problem_solving": "problem-solving",
    "shared_goals": "shared goals",
    "shared_knowledge": "shared knowledge",
    "mutual_respect": "mutual respect",
}


def dimension_name(dimension: str) -> str:
    return DIMENSION_NAMES.get(dimension, dimension)


def day(at: datetime | date) -> str:
    """`23 Nov 2026`, in UTC."""
    on = at.astimezone(UTC) if isinstance(at, datetime) else at
    return f"{on.day} {_MONTHS[on.month - 1]} {on.year}"


def share(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.2f}"


def signed(value: float | None) -> str:
    """With a plus or a real minus sign."""
    return NOTHING if value is None else f"{value:+.2f}".replace("-", "−")


def count(value: float | None) -> str:
    return NOTHING if value is None else f"{int(value):,}"


def interval(low: float | None, high: float | None) -> str:
    return NOTHING if low is None or high is None else f"{low:.2f} to {high:.2f}"


def figure(estimate: float | None, low: float | None, high: float | None, n: float | None) -> str:
    """`0.83 (0.79 to 0.88), n 120`."""
    if estimate is None:
        return NOTHING
    return f"{share(estimate)} ({interval(low, high)}), n {count(n)}"


def duration(seconds: float) -> str:
    """`45 s`, `12 min`, `3.5 h`, `2.1 d`."""
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            amount = seconds / size
            return f"{amount:.0f} {unit}" if amount >= 10 or amount == round(amount) else f"{amount:.1f} {unit}"
    return f"{seconds:.0f} s"


def listed(parts: list[str], most: int = 60) -> str:
    """Joined by semicolons; what is over the limit is counted, not left out in silence."""
    more = f"; and {len(parts) - most} more, in the table" if len(parts) > most else ""
    return "; ".join(parts[:most]) + more


def shortened(text: str, most: int = 44) -> str:
    """For pictures: tables have the whole."""
    return text if len(text) <= most else text[: most - 1] + "…"
