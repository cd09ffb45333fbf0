"""However a file is damaged, reading it ends in a known way and every event that comes out is valid."""

from __future__ import annotations

import gzip
import random
from pathlib import Path

import pytest

from schemas.errors import ConfigError
from streams.gateway.log_import import LogImport, LogUnreadable, Mapped, read_mapping
from tests.unit.log_import.logs import KEY, written

GOLDEN = Path(__file__).parents[2] / "golden" / "log_import"
ROUNDS = 150


def damaged(raw: bytes, rng: random.Random) -> bytes:
    """A few bytes changed, a piece taken out, put in twice, or the end cut off."""
    content = bytearray(raw)
    for _ in range(rng.randint(1, 4)):
        start, length = rng.randrange(len(content)), rng.randint(1, 30)
        piece = content[start : start + length]
        match rng.randrange(4):
            case 0:
                content[start : start + length] = rng.randbytes(len(piece))
            case 1:
                del content[start : start + length]
            case 2:
                content[start:start] = piece * rng.randint(1, 3)
            case _:
                content[start] = rng.choice(b"\x00<>&\"',;\n\r\xff{}[]")
    return bytes(content[: rng.randrange(len(content))] if rng.random() < 0.2 else content)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("name", ["tickets.csv", "ward.xes", "events.ndjson"])
def test_damage_never_leads_to_another_error_or_an_invalid_event(tmp_path: Path, name: str, packed: bool) -> None:
    rng = random.Random(name)
    mapping_path = (GOLDEN / name).with_suffix(".mapping.yaml")
    mapping = read_mapping(mapping_path) if mapping_path.exists() else None
    raw = (GOLDEN / name).read_bytes()
    for _ in range(ROUNDS):
        path = written(tmp_path, damaged(gzip.compress(raw) if packed else raw, rng), name)
        log = LogImport(path, mapping, actor_key=KEY)
        try:
            for one in log:
                assert not isinstance(one, Mapped) or one.event.canonical() == one.value
        except (LogUnreadable, ConfigError):
            continue
        assert log.bytes_read == log.total_bytes
