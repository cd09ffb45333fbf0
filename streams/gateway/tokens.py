"""Bearer tokens: `tieline_<id>_<secret>`. Only their hashes are kept, in a file that is read again when it changes."""

from __future__ import annotations

import base64
import fcntl
import hashlib
import hmac
import logging
import os
import re
import secrets
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from fnmatch import translate
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal, NamedTuple, get_args

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from schemas.errors import ConfigError, TielineError

Scope = Literal["events:write", "events:validate", "metrics:read"]
SCOPES: tuple[Scope, ...] = get_args(Scope)
TOKENS_FILE = "tokens.json"
SECRET_BYTES = 32
MAX_TOKENS = 1000
_SHOWN = re.compile(r"tieline_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")
_CHECK_EVERY_S = 1.0
_NOBODY = hashlib.sha256(b"").hexdigest()
_log = logging.getLogger("tieline.gateway")


class Unauthorised(TielineError):  # noqa: N818 - the domain word is the name
    """Who asks is not let in. The message never says which part of a token was wrong."""


class NoTokens(Unauthorised):
    """There is no token at all yet, so nobody can be let in.

    Operator action: `tieline tokens create`.
    """


def _plain_pattern(pattern: str) -> str:
    if not 0 < len(pattern) <= 256 or "[" in pattern or not pattern.isprintable():
        raise ValueError("a pattern is a source, in which * stands for any text")
    return pattern


SourcePattern = Annotated[str, AfterValidator(_plain_pattern)]


class Token(BaseModel):
    """What is known of one token.

    Attributes:
        sha256: of the whole token; enough for 32 random bytes, which nobody can guess.
        sources: which CloudEvents sources it may write, `*` for any text.
        note: what it is for; shown in lists.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Annotated[str, Field(pattern=r"^[0-9a-f]{12}$")]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", repr=False)]
    scopes: Annotated[frozenset[Scope], Field(min_length=1)]
    sources: Annotated[tuple[SourcePattern, ...], Field(max_length=100)] = ()
    note: Annotated[str, Field(max_length=200)] = ""
    created_at: AwareDatetime
    expires_at: AwareDatetime | None = None
    revoked_at: AwareDatetime | None = None

    def state(self, now: datetime) -> Literal["active", "expired", "revoked"]:
        """Whether it opens anything at this time."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at is not None and self.expires_at <= now else "active"

    def may_write(self, source: str) -> bool:
        """Whether one of its patterns matches a CloudEvents source, letter by letter."""
        return self._sources.fullmatch(source) is not None

    @cached_property
    def _sources(self) -> re.Pattern[str]:
        return re.compile("|".join(translate(pattern.replace("?", "[?]")) for pattern in self.sources) or r"(?!)")


class _Listed(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = 1
    tokens: Annotated[tuple[Token, ...], Field(max_length=MAX_TOKENS)] = ()


class Issued(NamedTuple):
    """A new token; `shown` is the only time that it can be read."""

    token: Token
    shown: str

    def __repr__(self) -> str:
        return f"Issued({self.token!r})"


class TokenFile:
    """The tokens in one file, mode 0600; several processes may change it at once."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> tuple[Token, ...]:
        """In order of creation; none if there is no file.

        Raises: ConfigError: others may write the file, or it is not what `tieline tokens` writes.
        """
        try:
            with self.path.open("rb") as file:
                if os.fstat(file.fileno()).st_mode & 0o022:
                    raise ConfigError(f"{self.path}: others than its owner may write it: chmod 600 {self.path}")
                return _Listed.model_validate_json(file.read()).tokens
        except FileNotFoundError:
            return ()
        except ValidationError:  # its text would repeat what the file holds
            raise ConfigError(f"{self.path}: is not a list of tokens as `tieline tokens` writes it") from None
        except OSError as error:
            raise ConfigError(f"{self.path}: cannot be read: {error.strerror}") from None

    def create(
        self,
        scopes: Sequence[Scope],
        sources: Sequence[str],
        now: datetime,
        expires_at: datetime | None = None,
        note: str = "",
    ) -> Issued:
        """Add a token. Raises: ConfigError: the file cannot be used, or a field is wrong."""
        token_id, secret = secrets.token_hex(6), secrets.token_bytes(SECRET_BYTES)
        shown = f"tieline_{token_id}_{base64.urlsafe_b64encode(secret).decode().rstrip('=')}"
        try:
            token = Token(
                id=token_id,
                sha256=hashlib.sha256(shown.encode()).hexdigest(),
                scopes=frozenset(scopes),
                sources=tuple(sources),
                note=note,
                created_at=now,
                expires_at=expires_at,
            )
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            field = ".".join(map(str, first["loc"]))
            raise ConfigError(f"token: {field}: {first['msg'].removeprefix('Value error, ')}") from None
        with self._changing() as tokens:
            if len(tokens) >= MAX_TOKENS:
                raise ConfigError(f"{self.path}: holds {MAX_TOKENS} tokens: remove old ones")
            tokens.append(token)
        return Issued(token, shown)

    def revoke(self, token_id: str, now: datetime) -> Token:
        """It stops working within a second. Raises: ConfigError: there is no such token."""
        with self._changing() as tokens:
            for index, token in enumerate(tokens):
                if token.id == token_id:
                    tokens[index] = token.model_copy(update={"revoked_at": token.revoked_at or now})
                    return tokens[index]
        raise ConfigError(f"{self.path}: there is no token {token_id!r}; `tieline tokens list` shows all")

    @contextmanager
    def _changing(self) -> Iterator[list[Token]]:
        """The list to change; written at the end if it was. Readers see the old file or the new one, whole."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor = os.open(self.path.with_name(f".{self.path.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise ConfigError(f"{self.path}: cannot be written: {error.strerror}") from None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            before = self.read()
            tokens = list(before)
            yield tokens
            if tuple(tokens) != before:
                _write(self.path, _Listed(tokens=tuple(tokens)).model_dump_json(indent=1, exclude_none=True).encode())
        finally:
            os.close(descriptor)


def _write(path: Path, content: bytes) -> None:
    try:
        descriptor, aside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")  # mode 0600
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(aside, path)
        except BaseException:
            with suppress(OSError):
                os.unlink(aside)
            raise
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written: {error.strerror}") from None


def utc_now() -> datetime:
    """The real clock."""
    return datetime.now(UTC)


class Tokens:
    """The tokens of a running gateway: the file is looked at again at most every second, and read when it changed.

    A file that became unreadable while running leaves the tokens as they were, and an error in the log.

    Raises: ConfigError: on construction, if the file is there and cannot be used.
    """

    def __init__(
        self,
        file: TokenFile,
        clock: Callable[[], datetime] = utc_now,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._file, self._clock, self._clock_s = file, clock, clock_s
        self._seen = self._version()
        self._by_id = {token.id: token for token in file.read()}
        self._looked_at_s = clock_s()

    @property
    def any(self) -> bool:
        """Whether there is an active token."""
        now = self._clock()
        return any(token.state(now) == "active" for token in self._current().values())

    def holder(self, shown: str) -> Token:
        """The active token that this is. Takes as long for a wrong secret as for a right one.

        Raises: Unauthorised: there is none; NoTokens: there is no token at all.
        """
        tokens = self._current()
        if not tokens:
            raise NoTokens("no_tokens")
        parts = _SHOWN.fullmatch(shown)
        token = tokens.get(parts[1]) if parts else None
        given = hashlib.sha256(shown.encode("utf-8", "surrogatepass")).hexdigest()
        right = hmac.compare_digest(given, token.sha256 if token else _NOBODY)
        if token is None or not right or token.state(self._clock()) != "active":
            raise Unauthorised("bad_token")
        return token

    def _current(self) -> dict[str, Token]:
        now_s = self._clock_s()
        if now_s - self._looked_at_s >= _CHECK_EVERY_S:
            self._looked_at_s = now_s
            seen = self._version()
            if seen != self._seen:
                self._seen = seen
                self._read_again()
        return self._by_id

    def _read_again(self) -> None:
        try:
            self._by_id = {token.id: token for token in self._file.read()}
        except ConfigError as error:
            _log.error("the tokens stay as they were: %s", error)
        else:
            _log.info("tokens read again: %d", len(self._by_id))

    def _version(self) -> tuple[int, int, int] | None:
        try:
            found = os.stat(self._file.path)
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino


def ensure_local_token(folder: Path, file: TokenFile, now: datetime) -> Path | None:
    """On a first start without any token: one for this machine, in `gateway.token` of the data folder, mode 0600.

    Returns: the file, if it was made now. Raises: ConfigError: it cannot be written.
    """
    if file.read():
        return None
    path = folder / LOCAL_TOKEN_FILE
    issued = file.create(SCOPES, ["*"], now, note="local, made on first start")
    _write(path, f"{issued.shown}\n".encode())
    return path


LOCAL_TOKEN_FILE = "gateway.token"
