"""The key that turns names into hashes: the one definition, for whoever writes events. Reads no file, makes no key."""

from __future__ import annotations

import hmac
import re
import unicodedata
from dataclasses import dataclass, field

SECRET_BYTES = 32
_KEY_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")
_LINE = re.compile(rf"({_KEY_ID.pattern}):([0-9a-f]{{{2 * SECRET_BYTES}}})")


@dataclass(frozen=True, slots=True)
class ActorKey:
    """The secret that turns the name of an actor into `<key-id>:<32 hex>`.

    Attributes:
        key_id: says which key made a hash; hashes of two keys cannot be compared. Not derived from the secret.
        secret: 32 bytes; never in a repr, a log or an error.
    """

    key_id: str
    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if not _KEY_ID.fullmatch(self.key_id):
            raise ValueError("a key id is 1 to 32 of a-z 0-9 _ -, and starts with a letter or digit")
        if len(self.secret) != SECRET_BYTES:
            raise ValueError(f"a secret has {SECRET_BYTES} bytes")

    def hash_actor(self, name: str) -> str:
        """HMAC-SHA256 of the name in NFC and UTF-8, cut to 128 bits. Case and spaces count. Cost: 2 µs.

        Raises: ValueError: not a text (lone surrogates); the message does not repeat it.
        """
        try:
            text = unicodedata.normalize("NFC", name).encode()
        except UnicodeEncodeError:
            raise ValueError("the name is not valid Unicode text") from None
        return f"{self.key_id}:{hmac.digest(self.secret, text, 'sha256')[:16].hex()}"


def is_key_id(text: str) -> bool:
    """1 to 32 of a-z 0-9 _ -, the first a letter or digit."""
    return _KEY_ID.fullmatch(text) is not None


def key_of_line(line: str) -> ActorKey | None:
    """The key that a line `<key-id>:<64 hex>` holds, None if it is none."""
    match = _LINE.fullmatch(line)
    return ActorKey(match[1], bytes.fromhex(match[2])) if match else None


def parse_actor_key(text: str) -> ActorKey:
    """The key in the text of a key file: one line `<key-id>:<64 hex>` besides blank lines and lines with `#` in front.

    Raises: ValueError: anything else; the message repeats nothing of it.
    """
    found = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    key = key_of_line(found[0]) if len(found) == 1 else None
    if key is None:
        raise ValueError("expected one line `<key-id>:<64 hex digits>` (key id: a-z 0-9 _ -, at most 32)")
    return key
