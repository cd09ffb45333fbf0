"""The key of people who do not exist: made from the seed, so that a log is the same wherever it is made."""

from __future__ import annotations

from hashlib import sha256

from schemas.actor_key import ActorKey

KEY_ID = "simulated"


def simulated_people(seed: int) -> ActorKey:
    """Hashes names of simulated people. Not a secret, and never for anybody real."""
    return ActorKey(KEY_ID, sha256(f"tieline simulate {seed}".encode()).digest())
