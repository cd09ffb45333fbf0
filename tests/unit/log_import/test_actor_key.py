"""Names become hashes, and nothing gives the key away."""

from __future__ import annotations

import hashlib
import hmac
import re
import stat
import threading
from pathlib import Path

import pytest

from schemas.errors import ConfigError
from schemas.vocabulary import ACTOR_ID_PATTERN
from streams.gateway.actors import ActorKey, new_actor_key, read_actor_key, read_or_create_actor_key

SECRET = bytes(range(32))
KEY = ActorKey("k1", SECRET)


def test_hash_is_the_documented_one() -> None:
    expected = hmac.new(SECRET, "Göran".encode(), hashlib.sha256).hexdigest()[:32]
    assert KEY.hash_actor("Göran") == f"k1:{expected}"
    assert re.fullmatch(ACTOR_ID_PATTERN, KEY.hash_actor("x"))


def test_equal_names_in_another_unicode_form_are_one_actor() -> None:
    assert KEY.hash_actor("Go\u0308ran") == KEY.hash_actor("G\u00f6ran")


def test_other_names_and_other_keys_give_other_hashes() -> None:
    other = ActorKey("k1", SECRET[::-1])
    assert len({KEY.hash_actor("Ann"), KEY.hash_actor("ann"), KEY.hash_actor("Ann "), other.hash_actor("Ann")}) == 4


def test_repr_hides_the_secret() -> None:
    assert SECRET.hex() not in repr(KEY)
    assert "x01" not in repr(KEY)
    assert "k1" in repr(KEY)


def test_name_that_is_no_text_is_refused_without_being_repeated() -> None:
    with pytest.raises(ValueError, match="not valid Unicode") as caught:
        KEY.hash_actor("Zebedee\udcff")
    assert "Zebedee" not in repr(caught.value)
    assert caught.value.__suppress_context__


def test_new_key_file_is_private_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "actor.key"
    made = read_or_create_actor_key(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_or_create_actor_key(path) == read_actor_key(path) == made
    assert [entry.name for entry in path.parent.iterdir()] == ["actor.key"]


def test_all_that_make_the_key_at_once_use_the_same(tmp_path: Path) -> None:
    path, found = tmp_path / "actor.key", list[ActorKey]()
    threads = [threading.Thread(target=lambda: found.append(read_or_create_actor_key(path))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1


def test_two_new_keys_share_neither_id_nor_secret() -> None:
    one, other = new_actor_key(), new_actor_key()
    assert one.key_id != other.key_id
    assert one.secret != other.secret


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"# only a comment\n",
        b"k1:abc\n",
        b"K1:" + b"0" * 64,
        b"k1:" + b"0" * 64 + b"\nk2:" + b"1" * 64,
        b"k1:\xff",
    ],
)
def test_what_is_no_key_file_is_refused_without_being_repeated(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "actor.key"
    path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        read_actor_key(path)
    assert str(path) in str(caught.value)
    assert "abc" not in str(caught.value)


def test_missing_key_file_is_an_error_where_none_may_be_made(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no actor key file"):
        read_actor_key(tmp_path / "none")
    blocked = tmp_path / "file"
    blocked.touch()
    with pytest.raises(ConfigError, match="cannot be written"):
        read_or_create_actor_key(blocked / "actor.key")


@pytest.mark.parametrize(("key_id", "secret"), [("", SECRET), ("K", SECRET), ("a:b", SECRET), ("k", b"short")])
def test_key_needs_an_id_and_32_bytes(key_id: str, secret: bytes) -> None:
    with pytest.raises(ValueError, match=r"key id|32 bytes"):
        ActorKey(key_id, secret)
